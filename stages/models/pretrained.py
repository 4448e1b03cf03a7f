"""How every encoder is saved and loaded: by huggingface_hub's `PyTorchModelHubMixin`.

A folder holds config.json (the arguments of the class), model.safetensors (the tensors by name) and README.md (the
model card). The same encoder gives the same bytes.
"""

from pathlib import Path

from huggingface_hub import ModelCard, PyTorchModelHubMixin, hf_hub_download
from huggingface_hub.constants import SAFETENSORS_SINGLE_FILE
from torch import nn

from stages.models.card import TEMPLATE

CARD = "README.md"


class PretrainedEncoder(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="pytorch",
    pipeline_tag="image-feature-extraction",
    tags=["image-colorization", "self-supervised-learning"],
    model_card_template=TEMPLATE,
):
    """Base class of encoders: `from_pretrained`, `save_pretrained`, `push_to_hub`.

    `from_pretrained` takes a folder, and then uses no network, or the name of a repository of the Hub. It returns the
    encoder in evaluation mode, and never reads a pickle. The values of `model_card_kwargs` are those of
    `stages.models.card.training_section`.

    A subclass has an argument `image_size`. The others are JSON values, or of types that its `coders` translate.

    Raises:
        RuntimeError: by `from_pretrained`, naming the tensors that are missing, unexpected or of another shape.
    """

    network = "a convolutional autoencoder of diffusers' blocks"  # for the model card
    layers: tuple[str, ...] | None = None  # that can be probed; None: whichever `latents.layers` lists
    _card: str | None = None

    @property
    def config(self) -> dict:
        """The arguments that it was made with: what config.json holds."""
        return self._hub_mixin_config

    @classmethod
    def argument_names(cls) -> set[str]:
        """The keys of config.json."""
        return set(cls._hub_mixin_init_parameters) - {"self"}

    @property
    def image_size(self) -> int | None:
        """Edge of the images that it was trained on, in pixels; None where it has not been trained."""
        return self.config["image_size"]

    @image_size.setter
    def image_size(self, pixels: int) -> None:
        self.config["image_size"] = pixels

    def generate_model_card(self, *args, **kwargs) -> ModelCard:
        """The card that it was loaded with, which `push_to_hub` thus keeps; else a new one."""
        if self._card is not None:
            return ModelCard(self._card)
        return super().generate_model_card(
            *args,
            class_name=type(self).__name__,
            module=type(self).__module__,
            network=self.network,
            predicts_ab=self.predicts_ab,
            **kwargs,
        )

    @classmethod
    def _from_pretrained(cls, *, model_id, map_location="cpu", strict=True, **arguments):
        """As the mixin's, but strict, without a message to stdout, and without its fallback to a pickle."""
        keys = ("revision", "cache_dir", "force_download", "local_files_only", "token")
        source = {key: arguments.pop(key) for key in keys}
        model, folder = cls(**arguments), Path(model_id)
        if not folder.is_dir():
            file = hf_hub_download(model_id, SAFETENSORS_SINGLE_FILE, **source)
        else:
            file = folder / SAFETENSORS_SINGLE_FILE
            if (folder / CARD).is_file():
                model._card = (folder / CARD).read_text(encoding="utf-8", errors="replace")
        return cls._load_as_safetensor(model, str(file), map_location, strict)
