"""An encoder's folder: config.json and model.safetensors."""

import inspect
import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from stages.models.autoencoder import Autoencoder
from stages.models.split_brain import SplitBrain
from stages.runtime.errors import StageError

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def save_encoder(model: Autoencoder | SplitBrain, folder: str | Path, image_size: int) -> None:
    """Write config.json and model.safetensors into `folder`, which must be there.

    `image_size` is the edge, in pixels, of the images that it was trained on: what paints photographs brings them to
    it.
    """
    folder = Path(folder)
    config = {"image_size": image_size} | model.config
    (folder / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / WEIGHTS)


def load_encoder(folder: str | Path) -> Autoencoder | SplitBrain:
    """Open an encoder's folder, e.g. `load_encoder("data/encoders/colorization")`, in evaluation mode.

    `.image_size` of what comes back is the edge of the images that it was trained on.

    Raises:
        StageError: when a file is missing or not whole, or the tensors are not those that the config asks for.
    """
    folder = Path(folder)
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        image_size = config.pop("image_size")
        model = SplitBrain([_built(half) for half in config["halves"]]) if "halves" in config else _built(config)
        model.load_state_dict(load_file(folder / WEIGHTS))
    except FileNotFoundError as error:
        raise StageError(
            f"{error.filename or folder / WEIGHTS} is missing. `dvc repro` trains it, `dvc checkout` brings it back."
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError, SafetensorError, RuntimeError) as error:
        raise StageError(
            f"{folder} does not hold a whole autoencoder ({error}). Remove it and run `dvc checkout` or `dvc repro`."
        ) from None
    model.image_size = image_size
    return model.eval()


def _built(config: dict) -> Autoencoder:
    accepted = inspect.signature(Autoencoder).parameters.keys()
    if config.keys() != accepted:
        raise ValueError(f"{CONFIG} must have the keys {sorted(accepted)}; got {sorted(config)}")
    return Autoencoder(**config)
