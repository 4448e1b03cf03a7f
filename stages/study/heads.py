"""What the heads are called where people read them, the first to be shown first.

The identifiers in `HEADS` are modules of stages/probing/heads. The schema of params.yaml accepts these names, so this
module imports nothing.
"""

HEADS = {"conv": "conv probe", "linear": "linear probe", "knn": "k-NN probe", "ridge": "ridge probe"}
# Probes leave the encoder frozen; fine-tuning trains it, too.
FINETUNED = {"finetune": "fine-tuned encoder"}
