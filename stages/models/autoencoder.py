"""The study's autoencoder, of diffusers' blocks: what it sees of a Lab image, its layers, what it paints."""

import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.vae import Decoder, Encoder
from torch import nn

from stages.color.scaling import ab_of_output, ab_target, lightness_input
from stages.models.annealed_mean import annealed_mean
from stages.models.geometry import latent_stride
from stages.runtime.params import Model

CHANNELS = {"lightness": 1, "ab": 2, "lab": 3}


def scaled(lab: torch.Tensor, channels: str) -> torch.Tensor:
    """The `lightness`, `ab` or `lab` of (N, 3, H, W) Lab, scaled to [-1, 1]: (N, 1, 2 or 3, H, W)."""
    if channels == "lightness":
        return lightness_input(lab)
    if channels == "ab":
        return ab_target(lab)
    return torch.cat((lightness_input(lab), ab_target(lab)), dim=1)


class Autoencoder(nn.Module):
    """An encoder of `DownEncoderBlock2D`, a decoder of `UpDecoderBlock2D`, and the latents between them.

    As in the study the encoder ends in twice as many channels as there are latents (diffusers' default, meant for
    a mean and a variance) and a 1 x 1 convolution makes the latents of them; nothing is sampled.
    With (32, 64, 64) channels, 2 layers a block and 4 latent channels it has 1,287,631 parameters for 1
    input and 3 output channels.

    Args:
        sees: `lightness`, `ab` or `lab`: the channels put in.
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
        sees: str,
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
            sees=sees,
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
            CHANNELS[sees],
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
    def paints(self) -> bool:
        """Whether it makes a and b of lightness."""
        return self.config["sees"] == "lightness" and (self.config["bins"] > 0 or self.config["out_channels"] == 2)

    def activations(self, lab: torch.Tensor) -> dict[str, torch.Tensor]:
        """Every layer that can be probed, in order: `down_0`, ..., `mid`, `latent`; each (N, C, h, w).

        `down_i` is what block i gives, after it has halved the resolution; `mid` comes before the last GroupNorm.
        """
        encoder, layers = self.encoder, {}
        maps = encoder.conv_in(scaled(lab, self.config["sees"]))
        for number, block in enumerate(encoder.down_blocks):
            maps = layers[f"down_{number}"] = block(maps)
        maps = layers["mid"] = encoder.mid_block(maps)
        maps = encoder.conv_out(encoder.conv_act(encoder.conv_norm_out(maps)))
        layers["latent"] = self.to_latents(maps)
        return layers

    def encode(self, lab: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) Lab, of which it looks at what it `sees` -> latents, (N, latent_channels, h, w)."""
        return self.to_latents(self.encoder(scaled(lab, self.config["sees"])))

    def forward(self, lab: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) Lab -> (N, out_channels, S / stride, S / stride), not bounded."""
        return self.decoder(self.encode(lab))

    def paint(self, lab: torch.Tensor, temperature: float) -> torch.Tensor:
        """a and b that it gives to the lightness of Lab images.

        Args:
            lab: (N, 3, H, W) float32 Lab, of which L is looked at; the edges are multiples of the latents' stride.
            temperature: of the annealed mean (Zhang 2016, eq. 5), where it classifies; not used where it regresses.

        Returns:
            (N, 2, H, W) float32 in units of a and b, enlarged bilinearly where the output has a stride.
        """
        output = self(lab).float()
        ab = annealed_mean(output, self.bins, temperature) if self.config["bins"] else ab_of_output(output)
        if ab.shape[-2:] == lab.shape[-2:]:
            return ab
        return F.interpolate(ab, size=lab.shape[-2:], mode="bilinear", align_corners=False)


class SplitBrain(nn.Module):
    """Two networks, each of which predicts what the other sees (Zhang 2017, section 3.2).

    Args:
        halves: the one that sees lightness, and the one that sees a and b.
    """

    def __init__(self, halves: list[Autoencoder]):
        super().__init__()
        self.halves = nn.ModuleList(halves)
        self.config = {"halves": [half.config for half in halves]}

    @property
    def stride(self) -> int:
        """Image pixels to a latent position, along one axis: of both halves."""
        return self.halves[0].stride

    @property
    def paints(self) -> bool:
        """Whether it makes a and b of lightness: its first half does."""
        return self.halves[0].paints

    def activations(self, lab: torch.Tensor) -> dict[str, torch.Tensor]:
        """Every layer, the halves' channels one after the other (Zhang 2017, section 3.2: the concatenation)."""
        first, second = (half.activations(lab) for half in self.halves)
        return {layer: torch.cat((first[layer], second[layer]), dim=1) for layer in first}

    def encode(self, lab: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) Lab -> the halves' latents, one after the other."""
        return torch.cat([half.encode(lab) for half in self.halves], dim=1)

    def forward(self, lab: torch.Tensor) -> list[torch.Tensor]:
        """What each half makes of what it sees."""
        return [half(lab) for half in self.halves]

    def paint(self, lab: torch.Tensor, temperature: float) -> torch.Tensor:
        """As `Autoencoder.paint`, by the half that sees lightness."""
        return self.halves[0].paint(lab, temperature)


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
