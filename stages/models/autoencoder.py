"""The study's autoencoder, of diffusers' blocks: what it sees of a Lab image, its layers, what it paints."""

import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.vae import Decoder, Encoder
from torch import nn

from stages.color.normalization import CHANNELS, denormalize_ab, normalize_lab
from stages.models.annealed_mean import annealed_mean
from stages.models.geometry import latent_stride
from stages.runtime.schema import Model


class Autoencoder(nn.Module):
    """An encoder of `DownEncoderBlock2D`, a decoder of `UpDecoderBlock2D`, and the latents between them.

    As in the study the encoder ends in twice as many channels as there are latents (diffusers' default, meant for
    a mean and a variance) and a 1 x 1 convolution makes the latents of them; nothing is sampled.
    With (32, 64, 64) channels, 2 layers a block and 4 latent channels it has 1,287,631 parameters for 1
    input and 3 output channels.

    Args:
        input_channels: `lightness`, `ab` or `lab`: the channels put in.
        out_channels: of what comes out.
        block_out_channels: channels of each block; every block but the last halves the resolution.
        layers_per_block: residual layers in each block.
        latent_channels: channels of the latents.
        norm_num_groups: groups of every GroupNorm; must divide each of `block_out_channels`.
        stride: image pixels to a position of the output, along an axis: a power of 2, at most the latents' stride. The
            decoder leaves out the blocks that would go further.
        bins: how many ab bins the output tells apart (then `out_channels` of them), or 0.
    """

    def __init__(
        self,
        input_channels: str,
        out_channels: int,
        block_out_channels: list[int],
        layers_per_block: int,
        latent_channels: int,
        norm_num_groups: int,
        stride: int = 1,
        bins: int = 0,
    ):
        super().__init__()
        self.config = dict(
            input_channels=input_channels,
            out_channels=out_channels,
            block_out_channels=list(block_out_channels),
            layers_per_block=layers_per_block,
            latent_channels=latent_channels,
            norm_num_groups=norm_num_groups,
            stride=stride,
            bins=bins,
        )
        shared = dict(layers_per_block=layers_per_block, norm_num_groups=norm_num_groups)
        down = tuple(block_out_channels)
        up = down[stride.bit_length() - 1 :]
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

    @property
    def stride(self) -> int:
        """Image pixels to a latent position, along one axis: the image's edges are multiples of it."""
        return latent_stride(self.config["block_out_channels"])

    @property
    def ends(self) -> list[nn.Module]:
        """The first and the last layer: of all kernels, Muon leaves these two to AdamW."""
        return [self.encoder.conv_in, self.decoder.conv_out]

    @property
    def predicts_ab(self) -> bool:
        """Whether it makes a and b of lightness."""
        return self.config["input_channels"] == "lightness" and (
            self.config["bins"] > 0 or self.config["out_channels"] == 2
        )

    def activations(self, lab: torch.Tensor) -> dict[str, torch.Tensor]:
        """Every layer that can be probed, in order: `down_0`, ..., `mid`, `latent`; each (N, C, h, w).

        `down_i` is what block i gives, after it has halved the resolution; `mid` comes before the last GroupNorm.
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
        """(N, 3, S, S) Lab, of which it looks at its `input_channels` -> latents, (N, latent_channels, h, w)."""
        return self.to_latents(self.encoder(normalize_lab(lab, self.config["input_channels"])))

    def forward(self, lab: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) Lab -> (N, out_channels, S / stride, S / stride), not bounded."""
        return self.decoder(self.encode(lab))

    def predict_ab(self, lab: torch.Tensor, temperature: float) -> torch.Tensor:
        """a and b that it gives to the lightness of Lab images.

        Args:
            lab: (N, 3, H, W) float32 Lab, of which L is looked at; the edges are multiples of the latents' stride.
            temperature: of the annealed mean (Zhang 2016, eq. 5), where it classifies; not used where it regresses.

        Returns:
            (N, 2, H, W) float32 in units of a and b, enlarged bilinearly where the output has a stride.
        """
        output = self(lab).float()
        ab = annealed_mean(output, self.bins, temperature) if self.config["bins"] else denormalize_ab(output)
        if ab.shape[-2:] == lab.shape[-2:]:
            return ab
        return F.interpolate(ab, size=lab.shape[-2:], mode="bilinear", align_corners=False)


def build_autoencoder(model: Model, *, width: float = 1, **what) -> Autoencoder:
    """An untrained network; the encoder's weights are drawn first, so all that see the same start from the same.

    Args:
        model: the parameters.
        width: of each layer and of the latents, against `model`.
        **what: of `Autoencoder`: `input_channels`, `out_channels`, `stride`, `bins`.
    """
    return Autoencoder(
        block_out_channels=[int(width * channels) for channels in model.block_out_channels],
        layers_per_block=model.layers_per_block,
        latent_channels=int(width * model.latent_channels),
        norm_num_groups=model.norm_num_groups,
        **what,
    )
