"""Which layers of a representation were probed, which is its headline, and which validation chose as its best."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stages.probing.tables import HEADLINE_LAYERS, LAYERS
from stages.runtime.errors import StageError
from stages.study.vocabulary import DOMAINS


@dataclass(frozen=True)
class Layers:
    """One representation's layers in one domain.

    Attributes:
        table: `LAYERS`, a row a layer, from the image to the latents.
        headline: the layer that stands for the representation.
        best: the layer with the highest validation accuracy; may be the headline.
    """

    table: pd.DataFrame
    headline: str
    best: str

    @property
    def shown(self) -> list[str]:
        """The headline and, where it is another, the best layer: the layers that every probe was fitted on."""
        return list(dict.fromkeys((self.headline, self.best)))


def read_layers(path: str | Path, kind: str) -> dict[str, Layers]:
    """Read a representation's layers.csv.

    Args:
        path: of the file.
        kind: `pixels` or `encoder`.

    Returns:
        The layers of each domain.

    Raises:
        StageError: when the file is missing, is no table of layers, lists one twice, lacks a domain or the headline,
            or does not choose exactly one layer a domain.
    """
    path, headline = Path(path), HEADLINE_LAYERS[kind]
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
        if len(set(names)) < len(names) or headline not in names or len(best) != 1:
            raise StageError(
                f"{path} must list each layer of domain '{domain}' once, '{headline}' among them, and choose one; "
                f"it lists {', '.join(names)} and chooses {', '.join(best) or 'none'}. Run `dvc repro`."
            )
        layers[domain] = Layers(rows, headline, best[0])
    return layers
