"""The one table of what is compared: the name, the kind, what it sees, and how it is described and drawn.

The names that params.yaml accepts, the lifts that `compare` tests, the report's words and colours and the table in
docs/representations.md follow from it. To add a pretext, write `stages/objectives/<name>.py` (it learns from colour and
paints) or `stages/controls/<name>.py` (anything else) and add a row here: docs/extending.md.

No stage that trains, extracts or probes declares this module, which decides what names are accepted: a new row, or a
better description, reruns none of them.
"""

from typing import Literal, NamedTuple

# Okabe and Ito's palette, darkened or lightened until each colour has a contrast of 3 with a light and a dark ground.
PALETTE = {
    "ink": ("#1a1d21", "#eceff2"),
    "grey": ("#79838e", "#98a2ad"),
    "vermillion": ("#cf5a00", "#f0813a"),
    "blue": ("#00609a", "#3d9fe0"),
    "purple": ("#b3548d", "#d98fbb"),
    "green": ("#008c66", "#1fb88c"),
    "orange": ("#b57600", "#e69f00"),
    "sky": ("#3390cc", "#8ccdf3"),
}


class Representation(NamedTuple):
    """What a probe can be trained on.

    Attributes:
        name: in params.yaml, in the paths of outputs, in tables and charts.
        kind: `pixels`; `objective`, an encoder that learned colours and paints; `control`, any other encoder.
            Objectives and controls are modules: stages/objectives/<name>.py, stages/controls/<name>.py.
        sees: `lightness` or `colour`: what it is computed from. An encoder that sees colour is compared with
            encoders that see colour.
        description: a noun phrase or a participle for tables.
        color: of `PALETTE`.
        dash: of its line in charts, in pixels drawn and left out; empty for a solid line.
        shape: of its markers in charts, as Vega names them.
        labelled: trained with labels that the other encoders do not see: no control of what colour adds.
        cost: `epochs`, it is trained for `train.epochs`; `steps`, for as many steps, on labelled images alone;
            `flops`, for as many FLOPs as an autoencoder takes in them;
            `fit`, it is computed at once; `nothing`, it is not trained.
    """

    name: str
    kind: Literal["pixels", "objective", "control"]
    sees: Literal["lightness", "colour"]
    description: str
    color: str = "sky"
    dash: tuple[int, ...] = ()
    shape: str = "circle"
    labelled: bool = False
    cost: Literal["epochs", "steps", "flops", "fit", "nothing"] = "epochs"


# fmt: off
REPRESENTATIONS = (
    Representation("rgb", "pixels", "colour",
                   "pixels with their colour", "ink", (7, 3)),
    Representation("lightness", "pixels", "lightness",
                   "pixels without colour", "grey", (7, 3), "triangle-up"),
    Representation("rgb_small", "pixels", "colour",
                   "pixels with colour, averaged down to the latents' grid", "ink", (2, 3), "square"),
    Representation("lightness_small", "pixels", "lightness",
                   "pixels without colour, averaged down to the latents' grid", "grey", (2, 3), "diamond"),
    Representation("random", "control", "lightness",
                   "the encoder, untrained", "grey", cost="nothing"),
    Representation("reconstruction", "control", "lightness",
                   "trained to reproduce lightness from lightness", "green", (), "square"),
    Representation("autoencoder", "control", "colour",
                   "trained to reproduce colour and lightness from both", "orange", (), "triangle-up"),
    Representation("supervised", "control", "lightness",
                   "trained with the labels alone, end to end", "sky", (9, 3, 2, 3), "diamond",
                   labelled=True, cost="steps"),
    Representation("swapped", "control", "lightness",
                   "the first objective, trained on the held-out classes in the place of as many seen ones",
                   "vermillion", (4, 3), "triangle-down"),
    Representation("rotation", "control", "lightness",
                   "trained to tell by how many quarter turns a photograph was rotated, from lightness",
                   "green", (4, 3), "triangle-up", cost="flops"),
    Representation("vicreg", "control", "lightness",
                   "trained to give two views of a photograph the same features, from lightness",
                   "blue", (4, 3), "diamond", cost="flops"),
    Representation("kmeans_patches", "control", "lightness",
                   "one layer of k-means features of patches of lightness",
                   "orange", (4, 3), "square", cost="fit"),
    Representation("colorization", "objective", "lightness",
                   "trained to paint colour from lightness, by regression", "vermillion"),
    Representation("color_classification", "objective", "lightness",
                   "trained to paint colour from lightness, by classification", "blue", (), "square"),
    Representation("split_brain", "objective", "colour",
                   "two halves, trained to predict colour from lightness and lightness from colour",
                   "purple", (), "triangle-up"),
)
# fmt: on
BY_NAME = {row.name: row for row in REPRESENTATIONS}

OBJECTIVES = tuple(row.name for row in REPRESENTATIONS if row.kind == "objective")
CONTROLS = tuple(row.name for row in REPRESENTATIONS if row.kind == "control")
ENCODERS = (*CONTROLS, *OBJECTIVES)
KMEANS_PATCHES = "kmeans_patches"  # has fewer layers than the other encoders
SWAPPED = "swapped"  # compared with the first objective in seen and held-out classes, and with nothing else
PIXELS = tuple(row.name for row in REPRESENTATIONS if row.kind == "pixels")
LABELLED = tuple(row.name for row in REPRESENTATIONS if row.labelled)
COLOR_PIXELS = tuple(row.name for row in REPRESENTATIONS if row.kind == "pixels" and row.sees == "colour")


def first_probed(objectives: list[str], probed: list[str]) -> str | None:
    """The subject of the primary endpoint: the first of `pretext.objectives` that is probed, or None."""
    return next((name for name in objectives if name in probed), None)


def sees_color(name: str) -> bool:
    """Whether a representation is computed from colour; an unknown one is taken not to be."""
    return name in BY_NAME and BY_NAME[name].sees == "colour"
