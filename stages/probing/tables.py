"""The tables of data/probes/<representation>/, for the stages that write them and for `compare`, which reads them.

`predictions.csv`   what each probe predicts for each test image
`curves.csv`        learning curves of the conv probe; a number is missing where the fit diverged
`choices.csv`       every hyperparameter value that was tried, with its scores on validation images
`layers.csv`        every layer with the cross-validated accuracy that selects the best one
`few_shot.csv`      the ridge probe by labels a class; `few_shot/<domain>-<layer>.npy` has its hits

data/probes/finetune/<representation>/ has predictions.csv, choices.csv (both of all labels), and few_shot.csv with a
learning rate in the place of alpha; their layer is `FINETUNED_LAYER`.
"""

from stages.formats.csv import Table

# Identifiers of the heads, in the order of the tables. Each is a module of stages/probing/heads.
HEADS = ("conv", "linear", "knn", "ridge")
# The head that trains the encoder, too: stages/finetuning.
FINETUNE = "finetune"
# The last block's activations, before the convolution that makes the latents of them; of `rgb`, too.
FINETUNED_LAYER = "mid"
# The head that every layer has, whatever `probe.depth_heads` adds, and that selects the best layer.
DEPTH_HEAD = "ridge"
# Pixels are a single layer; the output of an encoder is its latents.
PIXELS_LAYER, LATENT_LAYER = "pixels", "latent"

PREDICTIONS = Table(
    "a table of predictions",
    {
        **dict.fromkeys(("domain", "layer", "head"), str),
        **dict.fromkeys(("pretraining_seed", "seed"), int),
        **dict.fromkeys(("image", "label", "predicted"), str),
        "top5": int,  # 1: the label is among the five likeliest classes
        "loss": float,  # nats
    },
    float_format="%.6g",
    advice={"loss": "A probe diverged: lower probe.learning_rates."},
)
CURVES = Table(
    "a table of learning curves",
    {
        **dict.fromkeys(("domain", "layer", "head"), str),
        **dict.fromkeys(("pretraining_seed", "seed"), int),
        "learning_rate": float,
        "epoch": int,
        **dict.fromkeys(("train_loss", "validation_loss"), None),
        "validation_accuracy": float,
    },
    float_format="%.6g",
)
CHOICES = Table(
    "a table of hyperparameters",
    {
        **dict.fromkeys(("domain", "layer", "head"), str),
        "pretraining_seed": int,
        "setting": str,
        "value": float,
        "validation_accuracy": float,
        "validation_loss": None,
        "chosen": int,  # 1: selected
    },
    float_format="%.6g",
)
LAYERS = Table(
    "a table of layers",
    {
        **dict.fromkeys(("domain", "layer"), str),
        "order": int,  # from the image on
        "features": int,  # of an image, for the ridge probe
        "validation_accuracy": float,  # of the ridge probe, mean over pretraining seeds
        "cv_accuracy": float,  # the same by cross-validation over probe and validation images: selects the best layer
        "chosen": int,  # 1: the best layer
    },
    float_format="%.6g",
)
FEW_SHOT = Table(
    "a table of the few-shot probe",
    {
        **dict.fromkeys(("domain", "layer"), str),
        "pretraining_seed": int,
        "shots": str,  # labels a class, or `all`
        "labels": float,  # their mean number a class
        "draw": int,
        **dict.fromkeys(("alpha", "validation_accuracy", "test_accuracy"), float),
    },
    float_format="%.6g",
)
FINETUNED_SHOTS = Table(
    "a table of fine-tuning by labels a class",
    {"learning_rate" if name == "alpha" else name: kind for name, kind in FEW_SHOT.columns.items()},
    float_format="%.6g",
)
