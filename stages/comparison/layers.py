"""Which layers of a representation were probed, which is its headline, and which validation chose as its best."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stages.runtime.errors import StageError
from stages.study.vocabulary import DOMAINS, HEADLINE_LAYERS

COLUMNS = ["domain", "layer", "order", "features", "validation_accuracy", "chosen"]


@dataclass(frozen=True)
class Layers:
    """One representation's layers in one domain.

    Attributes:
        table: `COLUMNS`, a row a layer, from the image to the latents.
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
    try:
        table = pd.read_csv(path, dtype={"domain": str, "layer": str}, keep_default_na=False)
    except FileNotFoundError:
        raise StageError(f"{path} is missing. `dvc repro` makes it, `dvc checkout` brings it back.") from None
    except ValueError as error:
        raise StageError(f"{path} is not a table of layers: {str(error).strip()}. Run `dvc repro`.") from None
    if list(table.columns) != COLUMNS or set(table["domain"]) != set(DOMAINS):
        raise StageError(
            f"{path} must have the columns {','.join(COLUMNS)} and rows of the domains {', '.join(DOMAINS)}; "
            f"got {','.join(table)} and {', '.join(sorted(set(table.get('domain', []))))}. Run `dvc repro`."
        )
    if table.dtypes[COLUMNS[2:]].map(pd.api.types.is_numeric_dtype).sum() < 4:
        raise StageError(f"{path} holds {', '.join(COLUMNS[2:])} that are not numbers. Run `dvc repro`.")
    layers = {}
    for domain in DOMAINS:
        own = table[table["domain"] == domain].sort_values("order", ignore_index=True)
        names, best = list(own["layer"]), list(own.loc[own["chosen"] == 1, "layer"])
        if len(set(names)) < len(names) or headline not in names or len(best) != 1:
            raise StageError(
                f"{path} must list each layer of domain '{domain}' once, '{headline}' among them, and choose one; "
                f"it lists {', '.join(names)} and chooses {', '.join(best) or 'none'}. Run `dvc repro`."
            )
        layers[domain] = Layers(own, headline, best[0])
    return layers
