"""What a training stage knows for the model cards of its encoders."""

from stages.models.card import training_section
from stages.runtime.schema import Params

MODEL = ("block_out_channels", "layers_per_block", "latent_channels", "norm_num_groups")
TRAIN = (
    *("epochs", "batch_size", "optimizer", "learning_rate", "weight_decay", "warmup_fraction", "gradient_clip"),
    *("lightness_jitter", "crop", "precision", "deterministic", "processes"),
)


def card_values(
    name: str,
    stage: str,
    description: str,
    params: Params,
    settings: dict | None,
    trained: bool,
    seed_number: int,
    budget: str = "",
) -> dict[str, str | int]:
    """`model_card_kwargs` for an encoder: only what its stage declares in dvc.yaml, so that the card is never stale.

    Args:
        name: of the encoder.
        stage: in dvc.yaml.
        description: a sentence or two.
        settings: of the objective, as in data/objectives/<name>/train.json; None for most controls.
        trained: False: `train.*` is left out.
        seed_number: k of `pretext.seeds`.
        budget: a sentence, where its epochs are not `train.epochs`.
    """
    parameters = {"seed": params.seed, "model": {key: getattr(params.model, key) for key in MODEL}}
    if trained:
        parameters["train"] = {key: getattr(params.train, key) for key in TRAIN}
    return training_section(name, stage, description, parameters, settings, seed_number, budget)
