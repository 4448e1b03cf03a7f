"""The schema of params.yaml: the type and the range of every parameter.

No parameter has a default here, and none is changed: a value that is accepted is the one in the file. (An integer given
for a float becomes that float. DVC takes the two for equal, so they must give equal outputs.)
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stages.models.geometry import latent_stride
from stages.runtime.consistency import check_consistency
from stages.study.representations import COLOR_PIXELS, CONTROLS, ENCODERS, OBJECTIVES, PIXELS

Objective = Literal[*OBJECTIVES]
Control = Literal[*CONTROLS]
Encoder = Literal[*ENCODERS]
PixelRepresentation = Literal[*PIXELS]
ColorPixels = Literal[*COLOR_PIXELS]
Precision = Literal["float32", "bfloat16"]

Fraction = Annotated[float, Field(gt=0, lt=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Group(BaseModel):
    """A group of parameters: exact keys, exact types (an integer is a float, a string is not)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Data(Group):
    source: Literal["sample", "food101"]
    sample_seed: Seed
    url: Annotated[str, Field(min_length=1)]
    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None
    images_per_class: Annotated[int, Field(ge=8)] | None


class Split(Group):
    held_out_classes: Annotated[int, Field(ge=2)]  # a probe tells at least two classes apart
    probe_fraction: Fraction
    validation_fraction: Fraction

    @model_validator(mode="after")
    def check_fractions(self):
        total = self.probe_fraction + self.validation_fraction
        if total >= 1:
            raise ValueError(
                f"split.probe_fraction + split.validation_fraction must be below 1, "
                f"so that images are left to pretrain on; got {total:g}"
            )
        return self


class Lab(Group):
    image_size: Annotated[int, Field(ge=32, le=512)]
    resize: Literal["crop", "squash"]


class Model(Group):
    block_out_channels: Annotated[list[Count], Field(min_length=1, max_length=6)]
    layers_per_block: Count
    latent_channels: Count
    norm_num_groups: Count
    chroma_stride: Count

    @model_validator(mode="after")
    def check_norm_num_groups(self):
        indivisible = [c for c in self.block_out_channels if c % self.norm_num_groups]
        if indivisible:
            raise ValueError(
                f"model.norm_num_groups must divide every entry of model.block_out_channels; "
                f"got {self.norm_num_groups} groups for {self.block_out_channels}"
            )
        return self

    @model_validator(mode="after")
    def check_chroma_stride(self):
        stride = latent_stride(self.block_out_channels)
        if self.chroma_stride & (self.chroma_stride - 1) or self.chroma_stride > stride:
            raise ValueError(
                f"model.chroma_stride must be a power of 2 and at most {stride}, the stride of the latents of "
                f"{len(self.block_out_channels)} model.block_out_channels; got {self.chroma_stride}"
            )
        return self


class Pretext(Group):
    objectives: Annotated[list[Objective], Field(min_length=1)]
    controls: list[Control]
    seeds: Annotated[int, Field(ge=1, le=100)]


class Loss(Group):
    pixel: Literal["smooth_l1", "l1", "l2"]
    pixel_weight: NotNegative
    smooth_l1_beta: Positive
    lpips_weight: NotNegative
    lpips_net: Literal["alex", "vgg", "squeeze"]
    lpips_backbone: Literal["imagenet", "random"]
    adversarial_weight: NotNegative
    gradient_penalty: Positive  # without it the critic has no bound

    @model_validator(mode="after")
    def check_weights(self):
        if self.pixel_weight == self.lpips_weight == 0:
            raise ValueError(
                "loss.pixel_weight and loss.lpips_weight must not both be 0: nothing would hold the colours to the "
                "photograph's own, and no epoch could be chosen on validation"
            )
        return self


class Classification(Group):
    bin_size: Annotated[float, Field(ge=2, le=50)]
    neighbors: Annotated[int, Field(ge=1, le=32)]
    sigma: Positive
    rebalance: Annotated[float, Field(gt=0, le=1)]
    stride: Count
    temperature: Annotated[float, Field(gt=0, le=1)]

    @model_validator(mode="after")
    def check_stride(self):
        if self.stride & (self.stride - 1):
            raise ValueError(f"classification.stride must be a power of 2; got {self.stride}")
        return self


class SplitBrain(Group):
    kind: Literal["classification", "regression"]


class Train(Group):
    epochs: Count
    batch_size: Count
    optimizer: Literal["adamw", "muon"]
    learning_rate: Positive
    weight_decay: NotNegative
    warmup_fraction: Annotated[float, Field(ge=0, lt=1)]
    gradient_clip: Positive
    lightness_jitter: Annotated[float, Field(ge=0, le=0.5)]
    crop: Annotated[float, Field(ge=0.25, le=1)]
    precision: Precision
    deterministic: bool
    processes: Annotated[int, Field(ge=1, le=1024)]

    @model_validator(mode="after")
    def check_batch_size(self):
        if self.batch_size < self.processes:
            raise ValueError(
                f"train.batch_size must be at least train.processes, which share each batch; "
                f"got {self.batch_size} images for {self.processes} processes"
            )
        return self


class Latents(Group):
    layers: Annotated[list[str], Field(min_length=1)]
    features: Annotated[int, Field(ge=64)]
    precision: Precision


class Representations(Group):
    pixels: list[PixelRepresentation]
    latents: list[Encoder]


class Probe(Group):
    representations: Representations
    seeds: Annotated[int, Field(ge=1, le=100)]
    epochs: Count
    batch_size: Annotated[int, Field(ge=2)]
    channels: Annotated[list[Count], Field(min_length=1, max_length=6)]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    learning_rates: Annotated[list[Positive], Field(min_length=1)]
    weight_decay: NotNegative
    precision: Precision
    linear_grid: Count
    linear_c: Annotated[list[Positive], Field(min_length=1)]
    knn_k: Annotated[list[Count], Field(min_length=1)]
    knn_temperature: Positive
    shots: list[Count]
    draws: Annotated[int, Field(ge=1, le=100)]
    ridge_alphas: Annotated[list[Positive], Field(min_length=1)]


class Evaluate(Group):
    probe: ColorPixels
    lpips_net: Literal["alex", "vgg", "squeeze"]
    lpips_backbone: Literal["imagenet", "random"]


class Compare(Group):
    resamples: Annotated[int, Field(ge=100, le=1_000_000)]


class Params(Group):
    """The whole of params.yaml."""

    seed: Seed
    data: Data
    split: Split
    lab: Lab
    model: Model
    pretext: Pretext
    loss: Loss
    classification: Classification
    split_brain: SplitBrain
    train: Train
    latents: Latents
    probe: Probe
    evaluate: Evaluate
    compare: Compare

    @model_validator(mode="after")
    def check_groups_together(self):
        check_consistency(self)
        return self
