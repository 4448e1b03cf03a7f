"""The network of the parameter group `model`, for whatever it is to see and to make."""

from stages.pretext.autoencoder import Autoencoder
from stages.shared.params import Model


def build_autoencoder(model: Model, *, width: float = 1, **what) -> Autoencoder:
    """An untrained network; the encoder's weights are drawn first, so all that see the same start from the same.

    Args:
        model: the parameters.
        width: of each layer and of the latents, against `model`.
        **what: of `Autoencoder`: `sees`, `out_channels`, `stride`, `bins`.
    """
    return Autoencoder(
        block_out_channels=[int(width * channels) for channels in model.block_out_channels],
        layers_per_block=model.layers_per_block,
        latent_channels=int(width * model.latent_channels),
        norm_num_groups=model.norm_num_groups,
        **what,
    )
