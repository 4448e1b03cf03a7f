"""An encoder's folder, opened whichever class it is of. It is saved by `save_pretrained`."""

import json
from pathlib import Path

from huggingface_hub.constants import CONFIG_NAME, SAFETENSORS_SINGLE_FILE
from safetensors import SafetensorError

from stages.models.autoencoder import Autoencoder
from stages.models.kmeans_patches import KMeansPatches
from stages.models.split_brain import SplitBrain
from stages.runtime.errors import StageError


def load_encoder(folder: str | Path) -> Autoencoder | SplitBrain | KMeansPatches:
    """The encoder of a folder, e.g. `load_encoder("data/encoders/colorization")`, in evaluation mode.

    `from_pretrained` of its class, which follows from config.json, with errors for the user. No network is used.

    Raises:
        StageError: when a file is missing or damaged, or the tensors are not those that config.json asks for.
    """
    folder = Path(folder)
    try:
        config = json.loads((folder / CONFIG_NAME).read_text(encoding="utf-8"))
        model = _class_of(config).from_pretrained(folder, local_files_only=True)
        if not isinstance(model.image_size, int):
            raise ValueError(f"image_size must be a number of pixels; got {model.image_size}")
        return model
    except FileNotFoundError as error:
        raise StageError(
            f"{error.filename or folder / SAFETENSORS_SINGLE_FILE} is missing. `dvc repro` trains it, `dvc checkout` "
            f"brings it back."
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError, SafetensorError, RuntimeError) as error:
        raise StageError(
            f"{folder} does not hold a whole encoder ({error}). Remove it and run `dvc checkout` or `dvc repro`."
        ) from None


def _class_of(config: dict) -> type[Autoencoder] | type[SplitBrain] | type[KMeansPatches]:
    """The class whose arguments are the keys of config.json."""
    accepted = {model: model.argument_names() for model in (Autoencoder, SplitBrain, KMeansPatches)}
    for model, names in accepted.items():
        if config.keys() == names:
            return model
    wanted = " or ".join(str(sorted(names)) for names in accepted.values())
    raise ValueError(f"{CONFIG_NAME} must have the keys {wanted}; got {sorted(config)}")
