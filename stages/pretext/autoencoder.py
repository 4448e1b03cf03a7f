"""The study's autoencoder, of diffusers' blocks, and its folder: config.json and model.safetensors."""

import inspect
import json
from pathlib import Path

import torch
from diffusers.models.autoencoders.vae import Decoder, Encoder
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from stages.shared.errors import StageError

CONFIG, WEIGHTS = "config.json", "model.safetensors"


class Autoencoder(nn.Module):
    """An encoder of `DownEncoderBlock2D`, a decoder of `UpDecoderBlock2D`, and the latents between them.

    As in the study the encoder ends in twice as many channels as there are latents (diffusers' default, meant for
    a mean and a variance) and a 1 x 1 convolution makes the latents of them; nothing is sampled.
    With (32, 64, 64) channels, 2 layers a block and 4 latent channels it has 1,287,631 parameters for 1
    input and 3 output channels.

    Args:
        in_channels, out_channels: of the image put in and the image that comes out.
        block_out_channels: channels of each block; every block but the last halves the resolution.
        layers_per_block: residual layers in each block.
        latent_channels: channels of the latents.
        norm_num_groups: groups of every GroupNorm; must divide each of `block_out_channels`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        block_out_channels: list[int],
        layers_per_block: int,
        latent_channels: int,
        norm_num_groups: int,
    ):
        super().__init__()
        self.config = dict(
            in_channels=in_channels,
            out_channels=out_channels,
            block_out_channels=list(block_out_channels),
            layers_per_block=layers_per_block,
            latent_channels=latent_channels,
            norm_num_groups=norm_num_groups,
        )
        shared = dict(
            block_out_channels=tuple(block_out_channels),
            layers_per_block=layers_per_block,
            norm_num_groups=norm_num_groups,
        )
        blocks = len(block_out_channels)
        self.encoder = Encoder(
            in_channels, latent_channels, down_block_types=("DownEncoderBlock2D",) * blocks, **shared
        )
        self.to_latents = nn.Conv2d(2 * latent_channels, latent_channels, kernel_size=1)
        self.decoder = Decoder(latent_channels, out_channels, up_block_types=("UpDecoderBlock2D",) * blocks, **shared)

    def latent_shape(self, image_size: int) -> tuple[int, int, int]:
        """(channels, height, width) of the latents of a square image."""
        side = image_size // 2 ** (len(self.config["block_out_channels"]) - 1)
        return self.config["latent_channels"], side, side

    def encode(self, image: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, S, S) in [-1, 1] -> latents (N, latent_channels, S / stride, S / stride)."""
        return self.to_latents(self.encoder(image))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, S, S) in [-1, 1] -> (N, out_channels, S, S), not bounded."""
        return self.decoder(self.encode(image))


def save_autoencoder(model: Autoencoder, folder: str | Path) -> None:
    """Write config.json and model.safetensors into `folder`, which must be there."""
    folder = Path(folder)
    (folder / CONFIG).write_text(json.dumps(model.config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / WEIGHTS)


def load_autoencoder(folder: str | Path) -> Autoencoder:
    """Open an encoder's folder, e.g. `load_autoencoder("data/encoders/colorization")`, in evaluation mode.

    Raises:
        StageError: when a file is missing or not whole, or the tensors are not those that the config asks for.
    """
    folder = Path(folder)
    accepted = inspect.signature(Autoencoder).parameters.keys()
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        if not isinstance(config, dict) or config.keys() != accepted:
            raise StageError(f"{folder / CONFIG} must have the keys {sorted(accepted)}")
        model = Autoencoder(**config)
        model.load_state_dict(load_file(folder / WEIGHTS))
    except FileNotFoundError as error:
        raise StageError(
            f"{error.filename or folder / WEIGHTS} is missing. `dvc repro` trains it, `dvc checkout` brings it back."
        ) from None
    except (ValueError, TypeError, SafetensorError, RuntimeError) as error:
        raise StageError(
            f"{folder} does not hold a whole autoencoder ({error}). Remove it and run `dvc checkout` or `dvc repro`."
        ) from None
    return model.eval()
