"""Which layers of a representation were probed, and which of them each view of it shows."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stages.probing.tables import LATENT_LAYER, LAYERS, PIXELS_LAYER
from stages.runtime.errors import StageError
from stages.study.vocabulary import DOMAINS

VIEWS = ("primary", "latent", "best")  # of an encoder; pixels have the first alone


@dataclass(frozen=True)
class Layers:
    """One representation's layers in one domain.

    Attributes:
        table: `LAYERS`, a row a layer, from the image to the latents.
        views: the layer of each view: `primary`, that of the primary endpoint; of an encoder also `latent`, its output,
            and `best`, the one that cross-validation chose. They may be the same layer.
    """

    table: pd.DataFrame
    views: dict[str, str]

    @property
    def shown(self) -> list[str]:
        """The layers of the views, each once: those that every probe was fitted on."""
        return list(dict.fromkeys(self.views.values()))


def read_layers(path: str | Path, primary: str) -> dict[str, Layers]:
    """Read a representation's layers.csv.

    Args:
        path: of the file.
        primary: the layer of the primary endpoint; `PIXELS_LAYER` of pixels.

    Returns:
        The layers of each domain.

    Raises:
        StageError: when the file is missing, is no table of layers, lists one twice, lacks a domain or the layer of
            a view, or does not choose exactly one layer a domain.
    """
    path = Path(path)
    fixed = {"primary": primary} if primary == PIXELS_LAYER else {"primary": primary, "latent": LATENT_LAYER}
    table = LAYERS.read(path)
    if set(table["domain"]) != set(DOMAINS):
        raise StageError(
            f"{path} must have rows of the domains {', '.join(DOMAINS)}; got "
            f"{', '.join(sorted(set(table['domain']))) or 'none'}. Run `dvc repro`."
        )
    layers = {}
    for domain in DOMAINS:
        rows = table[table["domain"] == domain].sort_values("order", ignore_index=True)
        names, best = list(rows["layer"]), list(rows.loc[rows["chosen"] == 1, "layer"])
        if len(set(names)) < len(names) or not set(fixed.values()) <= set(names) or len(best) != 1:
            needed = "', '".join(dict.fromkeys(fixed.values()))
            raise StageError(
                f"{path} must list each layer of domain '{domain}' once, '{needed}' among them, and choose one; "
                f"it lists {', '.join(names)} and chooses {', '.join(best) or 'none'}. Run `dvc repro`."
            )
        layers[domain] = Layers(rows, fixed if primary == PIXELS_LAYER else fixed | {"best": best[0]})
    return layers
