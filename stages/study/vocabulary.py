"""What the study's domains, and representations with their layers, are called where people read them.

Their identifiers are the data's: `stages.dataset.manifest`. No stage that trains, extracts or probes imports this
module, so renaming a label reruns the comparison and the report alone.
"""

from typing import NamedTuple

from stages.dataset.manifest import DOMAIN_NAMES


class Domain(NamedTuple):
    """A domain's key in metrics and in the names of pictures, its title, and its name within a sentence."""

    key: str
    title: str
    phrase: str


DOMAINS = {
    "in": Domain(DOMAIN_NAMES["in"], "Classes that the autoencoder saw", "classes that the autoencoder saw"),
    "out": Domain(DOMAIN_NAMES["out"], "Held-out classes", "classes that it never saw"),
}


def with_layer(representation: str, layer: str) -> str:
    """A representation with its layer, where it has more than one.

    >>> with_layer("rgb", "pixels"), with_layer("colorization", "mid")
    ('rgb', 'colorization (mid)')
    """
    return representation if layer == "pixels" else f"{representation} ({layer})"
