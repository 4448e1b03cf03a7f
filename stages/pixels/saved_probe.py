"""A conv probe of pixels that outlives its stage: conv-<domain>.safetensors and conv.json, never a pickle."""

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from stages.classifiers.conv import ConvProbe, conv_log_probabilities
from stages.classifiers.network import build_conv_classifier
from stages.classifiers.standardization import ChannelStats, standardise
from stages.compute.device import device
from stages.pixels.features import pixel_features
from stages.runtime.errors import StageError
from stages.runtime.schema import Probe

CONFIG = "conv.json"
CONFIG_KEYS = {"representation", "stride", "precision", "channels", "dropout", "domains"}
DOMAIN_KEYS = {"in_channels", "classes", "mean", "std"}


class SavedProbe:
    """A fitted probe with its normalisation.

    Attributes:
        representation: the pixels that it sees, e.g. `rgb`.
        classes: names, sorted, (K,) str objects; labels are numbered in this order.
    """

    def __init__(self, representation: str, stride: int, precision: str, probe: ConvProbe):
        self.representation = representation
        self.classes = np.array(probe.classes, dtype=object)
        self._stride, self._precision, self._probe = stride, precision, probe

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Class names (N,) of one view of pixels as a representation.

        Args:
            features: (N, C, H, W) floating point, as `pixel_features` gives them: rounded to float16 as those are.
        """
        standardised = standardise(features[:, None].astype(np.float16), self._probe.stats)
        log_probabilities = conv_log_probabilities(self._probe.model, standardised, self._precision)
        return self.classes[log_probabilities.argmax(axis=1)]

    def predict_lab8(self, lab8: np.ndarray) -> np.ndarray:
        """Class names (N,) of images (N, 3, S, S) uint8, the stored form of Lab."""
        return self.predict(pixel_features(lab8, self.representation, stride=self._stride, views=1)[:, 0])


def save_probes(folder: Path, probes: dict[str, ConvProbe], representation: str, stride: int, settings: Probe) -> None:
    """Write the probe of each domain into `folder`, which must be there.

    Args:
        probes: by the domain's name, as in `ProbeResults.conv`.
        representation, stride: as for `pixel_features`.
    """
    domains = {}
    for domain, probe in probes.items():
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in probe.model.state_dict().items()}
        save_file(weights, folder / _weights(domain))
        stats = {name: values.tolist() for name, values in probe.stats._asdict().items()}
        domains[domain] = {"in_channels": len(probe.stats.mean), "classes": probe.classes} | stats
    config = {
        "representation": representation,
        "stride": stride,
        "precision": settings.precision,
        "channels": settings.channels,
        "dropout": settings.dropout,
        "domains": domains,
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def open_probe(folder: str | Path, domain: str) -> SavedProbe:
    """Open the probe of one domain, e.g. `open_probe("data/probes/rgb", "in")`, on the device that is chosen.

    Raises:
        StageError: when a file is missing or not whole, or the tensors are not those that the config asks for.
    """
    folder = Path(folder)
    weights = folder / _weights(domain)
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        _refuse_other_keys(config, CONFIG_KEYS)
        entry = config["domains"][domain]
        _refuse_other_keys(entry, DOMAIN_KEYS)
        in_channels, classes = entry["in_channels"], entry["classes"]
        model = build_conv_classifier(in_channels, config["channels"], len(classes), config["dropout"])
        model.load_state_dict(load_file(weights))
        stats = ChannelStats(*(np.array(entry[name], dtype=np.float32) for name in ChannelStats._fields))
        if any(values.shape != (in_channels,) for values in stats):
            raise ValueError(f"mean and std must have {in_channels} values each")
    except FileNotFoundError as error:
        raise StageError(
            f"{error.filename or weights} is missing. `dvc repro` trains the probe, `dvc checkout` brings it back."
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError, SafetensorError, RuntimeError, OSError) as error:
        raise StageError(
            f"{folder / CONFIG} and {weights.name} are not a whole probe ({type(error).__name__}: {error}). Remove "
            f"{folder} and run `dvc checkout` or `dvc repro`."
        ) from None
    probe = ConvProbe(model.to(device()), stats, classes)
    return SavedProbe(config["representation"], config["stride"], config["precision"], probe)


def _weights(domain: str) -> str:
    return f"conv-{domain}.safetensors"


def _refuse_other_keys(config: dict, accepted: set[str]) -> None:
    if config.keys() != accepted:
        raise ValueError(f"keys must be {sorted(accepted)}; got {sorted(config)}")
