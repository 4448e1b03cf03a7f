"""The study's autoencoder, of diffusers' blocks: latents and layers of Lab images, and colours predicted from L."""

import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.vae import Decoder, Encoder
from torch import nn

from stages.color.normalization import CHANNELS, denormalize_ab, normalize_lab
from stages.models.annealed_mean import annealed_mean
from stages.models.geometry import latent_stride
from stages.models.offset import Offset, OffsetTable
from stages.models.pretrained import PretrainedEncoder
from stages.runtime.schema import Model

# Of the last layer's weights where an offset is added: the network starts close to the offset alone.
LAST_LAYER_SCALE = 0.1


class Autoencoder(PretrainedEncoder):
    """An encoder of `DownEncoderBlock2D`, a decoder of `UpDecoderBlock2D`, and the latents between them.

    As in the study the encoder ends in twice as many channels as there are latents (diffusers' default, meant for
    a mean and a variance) and a 1 x 1 convolution makes the latents of them; nothing is sampled.
    With (32, 64, 64) channels, 2 layers a block and 4 latent channels it has 1,287,631 parameters for 1
    input and 3 output channels.

    Args:
        input_channels: `lightness`, `ab` or `lab`: the channels of Lab that the encoder is given.
        out_channels: channels of the output.
        block_out_channels: channels of each block; every block but the last halves the resolution.
        layers_per_block: residual layers in each block.
        latent_channels: channels of the latents.
        norm_num_groups: groups of every GroupNorm; must divide each of `block_out_channels`.
        output_stride: image pixels to a position of the output, along an axis: a power of 2, at most `latent_stride`.
            The decoder leaves out the blocks that would go further.
        bins: how many ab bins the output classifies (then it has as many channels), or 0.
        offset_axes: of the table that is added to the decoder's output, (first, step, count) of each input channel, see
            `OffsetTable`; None for no table. It is looked up by the input, averaged over squares of `output_stride`.
        image_size: see `PretrainedEncoder`.
    """

    def __init__(
        self,
        input_channels: str,
        out_channels: int,
        block_out_channels: list[int],
        layers_per_block: int,
        latent_channels: int,
        norm_num_groups: int,
        output_stride: int = 1,
        bins: int = 0,
        offset_axes: list[list[float]] | None = None,
        image_size: int | None = None,
    ):
        super().__init__()
        shared = dict(layers_per_block=layers_per_block, norm_num_groups=norm_num_groups)
        down = tuple(block_out_channels)
        up = down[output_stride.bit_length() - 1 :]
        self.encoder = Encoder(
            CHANNELS[input_channels],
            latent_channels,
            down_block_types=("DownEncoderBlock2D",) * len(down),
            block_out_channels=down,
            **shared,
        )
        self.to_latents = nn.Conv2d(2 * latent_channels, latent_channels, kernel_size=1)
        self.decoder = Decoder(
            latent_channels,
            out_channels,
            up_block_types=("UpDecoderBlock2D",) * len(up),
            block_out_channels=up,
            **shared,
        )
        if bins:
            self.register_buffer("bins", torch.zeros(bins, 2))
        self.offset = OffsetTable(offset_axes, out_channels) if offset_axes else None

    @property
    def latent_stride(self) -> int:
        """Image pixels to a latent position, along one axis: the image's edges are multiples of it."""
        return latent_stride(self.config["block_out_channels"])

    @property
    def ends(self) -> list[nn.Module]:
        """The first and the last layer: of all kernels, Muon leaves these two to AdamW."""
        return [self.encoder.conv_in, self.decoder.conv_out]

    @property
    def predicts_ab(self) -> bool:
        """Whether it predicts a and b from L."""
        predicts_color = self.config["bins"] > 0 or self.config["out_channels"] == 2
        return self.config["input_channels"] == "lightness" and predicts_color

    def activations(self, lab: torch.Tensor) -> dict[str, torch.Tensor]:
        """Every layer that can be probed, in order: `down_0`, ..., `mid`, `latent`.

        `down_i` is the output of block i, after it has halved the resolution; `mid` comes before the last GroupNorm.

        Args:
            lab: (N, 3, S, S) float32 Lab, S a multiple of `latent_stride`.

        Returns:
            By name, (N, C, h, w).
        """
        encoder, layers = self.encoder, {}
        maps = encoder.conv_in(normalize_lab(lab, self.config["input_channels"]))
        for number, block in enumerate(encoder.down_blocks):
            maps = layers[f"down_{number}"] = block(maps)
        maps = layers["mid"] = encoder.mid_block(maps)
        maps = encoder.conv_out(encoder.conv_act(encoder.conv_norm_out(maps)))
        layers["latent"] = self.to_latents(maps)
        return layers

    def encode(self, lab: torch.Tensor) -> torch.Tensor:
        """Latents of Lab.

        Args:
            lab: (N, 3, S, S) float32 Lab, S a multiple of `latent_stride`.

        Returns:
            (N, latent_channels, S / latent_stride, S / latent_stride).
        """
        return self.to_latents(self.encoder(normalize_lab(lab, self.config["input_channels"])))

    def forward(self, lab: torch.Tensor) -> torch.Tensor:
        """The decoder's output, plus the offset where there is one.

        Args:
            lab: (N, 3, S, S) float32 Lab, S a multiple of `latent_stride`.

        Returns:
            (N, out_channels, S / output_stride, S / output_stride), not bounded.
        """
        output = self.decoder(self.encode(lab))
        if self.offset is None:
            return output
        seen = lab[:, :1] if self.config["input_channels"] == "lightness" else lab[:, 1:]
        return output + self.offset(F.avg_pool2d(seen, self.config["output_stride"]))

    def predict_ab(self, lab: torch.Tensor, temperature: float) -> torch.Tensor:
        """Predict a and b from L.

        Args:
            lab: (N, 3, H, W) float32 Lab, of which only L is used; H and W are multiples of `latent_stride`.
            temperature: of the annealed mean (Zhang 2016, eq. 5) of a classifier; regression does not use it.

        Returns:
            (N, 2, H, W) float32 in units of Lab, upsampled bilinearly where `output_stride` is above 1.
        """
        output = self(lab).float()
        ab = annealed_mean(output, self.bins, temperature) if self.config["bins"] else denormalize_ab(output)
        if ab.shape[-2:] == lab.shape[-2:]:
            return ab
        return F.interpolate(ab, size=lab.shape[-2:], mode="bilinear", align_corners=False)


def build_autoencoder(model: Model, offset: Offset | None = None, **arguments) -> Autoencoder:
    """An untrained network. The encoder is drawn first, so the same seed gives the same one whatever the output is.

    Args:
        model: `model.*` of the parameters.
        offset: what is added to the decoder's output; the last layer then starts near zero.
        **arguments: `input_channels`, `out_channels`, `output_stride` and `bins` of `Autoencoder`.
    """
    network = Autoencoder(
        block_out_channels=model.block_out_channels,
        layers_per_block=model.layers_per_block,
        latent_channels=model.latent_channels,
        norm_num_groups=model.norm_num_groups,
        offset_axes=[list(axis) for axis in offset.axes] if offset else None,
        **arguments,
    )
    if offset:
        network.offset.rows.copy_(offset.rows)
        with torch.no_grad():
            network.decoder.conv_out.weight.mul_(LAST_LAYER_SCALE)
            network.decoder.conv_out.bias.zero_()
    return network
