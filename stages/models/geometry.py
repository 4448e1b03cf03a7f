"""What follows from an encoder's blocks alone: its stride and the names of its layers."""

HYPERCOLUMN = "hypercolumn"  # all layers at once: stages/features/extraction.py
PATCH_LAYERS = ("mid", "latent")  # of `kmeans_patches`, which has no blocks: stages/models/kmeans_patches.py


def latent_stride(block_out_channels: list[int]) -> int:
    """Image pixels to a latent position, along one axis: every block but the last halves the resolution.

    >>> latent_stride([32, 64, 64])
    4
    """
    return 2 ** (len(block_out_channels) - 1)


def layer_names(block_out_channels: list[int]) -> list[str]:
    """The activations that can be probed, from the image to the latents.

    >>> layer_names([32, 64, 64])
    ['down_0', 'down_1', 'down_2', 'mid', 'latent']
    """
    return [*(f"down_{block}" for block in range(len(block_out_channels))), "mid", "latent"]
