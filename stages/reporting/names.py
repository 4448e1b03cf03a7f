"""What the report calls things: domains, heads, representations, and what each of them sees."""

# domain -> key in metrics/colorization.json and in the names of pictures, title, words within a sentence
DOMAINS = {
    "in": ("in_domain", "Classes that the autoencoder saw", "classes that the autoencoder saw"),
    "out": ("out_of_domain", "Held-out classes", "classes that it never saw"),
}

# The first of these that was probed is the one that the answer and the charts speak of.
HEADS = {"conv": "conv probe", "linear": "linear probe", "knn": "k-NN probe", "ridge": "ridge probe"}

HEADLINE_LAYERS = ("latent", "pixels")
COLOR_PIXELS = ("rgb", "rgb_small")
OBJECTIVES = ("colorization", "color_classification", "split_brain")

DESCRIPTIONS = {
    "rgb": "pixels with their colour",
    "lightness": "pixels without colour",
    "rgb_small": "pixels with colour, averaged down to the latents' grid",
    "lightness_small": "pixels without colour, averaged down to the latents' grid",
    "random": "the encoder, untrained",
    "reconstruction": "trained to reproduce lightness from lightness",
    "autoencoder": "trained to reproduce colour and lightness from both",
    "supervised": "trained with the labels alone, end to end",
    "colorization": "trained to paint colour from lightness, by regression",
    "color_classification": "trained to paint colour from lightness, by classification",
    "split_brain": "two halves, trained to predict colour from lightness and lightness from colour",
}

SEES_COLOR = {*COLOR_PIXELS, "autoencoder", "split_brain"}


def sees(representation: str) -> str:
    """`colour` or `lightness`: what a representation is computed from."""
    return "colour" if representation in SEES_COLOR else "lightness"


def placed(representation: str, layer: str) -> str:
    """A representation with its layer, where it has more than one: `rgb`, `colorization (mid)`."""
    return representation if layer == "pixels" else f"{representation} ({layer})"
