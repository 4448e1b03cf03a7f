"""The schema of params.yaml: the type, the range and the meaning of every parameter.

The string below a parameter is its meaning: docs/parameters.md has it whole, the profiles its first sentence.

No parameter has a default here, and none is changed: a value that is accepted is the one in the file. (An integer given
for a float becomes that float. DVC takes the two for equal, so they must give equal outputs.)
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stages.models.geometry import latent_stride
from stages.runtime.consistency import check_consistency
from stages.study.heads import HEADS
from stages.study.representations import COLOR_PIXELS, CONTROLS, ENCODERS, OBJECTIVES, PIXELS, SWAPPED

Objective = Literal[*OBJECTIVES]
Control = Literal[*CONTROLS]
Encoder = Literal[*ENCODERS]
PixelRepresentation = Literal[*PIXELS]
ColorPixels = Literal[*COLOR_PIXELS]
Representation = Literal[*PIXELS, *(name for name in ENCODERS if name != SWAPPED)]
Head = Literal[*HEADS]
DepthHead = Literal["ridge", "conv"]
FinetunedPixels = Literal["rgb"]  # the others see what `random` sees, or too few pixels for the encoder
Precision = Literal["float32", "bfloat16"]

Fraction = Annotated[float, Field(gt=0, lt=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Group(BaseModel):
    """A group of parameters: exact keys, exact types (an integer is a float, a string is not)."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Data(Group):
    """Where the photographs come from."""

    source: Literal["sample", "food101"]
    """sample: drawn here; food101: fetched from url."""
    sample_seed: Seed
    """Seed of the drawn pictures."""
    url: Annotated[str, Field(min_length=1)]
    """http(s):, file:, or a path. Food-101 as a .tar.gz, a .zip, a folder, or a folder of Hugging Face's shards."""
    mirrors: list[Annotated[str, Field(min_length=1)]]
    """Copies of the archive, tried in this order after url."""
    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None
    """Checksum of the archive; null: not verified."""
    images_per_class: Annotated[int, Field(ge=8)] | None
    """A seeded subset of each class; null: all. The official proportion of training to test is kept."""

    @model_validator(mode="after")
    def check_mirrors(self):
        if self.mirrors and self.md5 is None:
            raise ValueError(
                f"data.mirrors needs data.md5, by which all of them are known to be one archive; got null for "
                f"{self.mirrors}"
            )
        return self


class Split(Group):
    """Which classes the autoencoder sees, and what each photograph is for."""

    held_out_classes: Annotated[int, Field(ge=2)]
    """Classes that the autoencoder never sees. At least two, so that a probe has something to tell apart."""
    probe_fraction: Fraction
    """Share of the official training images: labelled, for the probes."""
    validation_fraction: Fraction
    """Share of the official training images: for every choice made."""

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
    """How photographs become arrays."""

    image_size: Annotated[int, Field(ge=32, le=512)]
    """Pixels along an edge. A multiple of the latents' stride, 4 for three blocks."""
    resize: Literal["crop", "squash"]
    """crop: shorter side, then the centre; squash: both sides."""


class Model(Group):
    """The networks: diffusers' `Encoder` and `Decoder`, the same for every objective and control."""

    block_out_channels: Annotated[list[Count], Field(min_length=1, max_length=6)]
    """Channels of each block. Every block but the last halves the resolution."""
    layers_per_block: Count
    """Residual layers of each block."""
    latent_channels: Count
    """Channels of the latents, the encoder's output."""
    norm_num_groups: Count
    """32 groups over 32 channels would be instance norm. It must divide every number of channels."""
    chroma_stride: Count
    """Image pixels to one that regression paints, along an axis; a power of 2. 2 or 4: cheaper; reconstruction too."""

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
    """Which encoders are trained."""

    objectives: Annotated[list[Objective], Field(min_length=1)]
    """Encoders that learn from colour: docs/representations.md."""
    controls: list[Control]
    """Encoders that they are compared with."""
    seeds: Annotated[int, Field(ge=1, le=100)]
    """Each encoder is trained this many times. With 2 or more, intervals cover another pretraining."""
    lightness_offset: bool
    """Objectives add to what lightness alone says about colour. Else they learn that, too: docs/representations.md."""


class Loss(Group):
    """What `colorization` minimises (Ballester 2022, section 3)."""

    pixel: Literal["smooth_l1", "l1", "l2"]
    """Pixel loss on a and b: smooth_l1, l1, l2."""
    pixel_weight: NotNegative
    """0 leaves the pixel loss out; one of the two weights must be above 0."""
    smooth_l1_beta: Positive
    """In units of a and b: squared below, absolute above."""
    lpips_weight: NotNegative
    """0 leaves LPIPS out."""
    lpips_net: Literal["alex", "vgg", "squeeze"]
    """Network of LPIPS: alex, vgg, squeeze."""
    lpips_backbone: Literal["imagenet", "random"]
    """imagenet: downloaded by torchvision; random: untrained."""
    adversarial_weight: NotNegative
    """Weight of a patch critic (WGAN-GP); 0: none."""
    gradient_penalty: Positive
    """Weight that holds the norm of the critic's gradient at 1. Without it the critic has no bound."""

    @model_validator(mode="after")
    def check_weights(self):
        if self.pixel_weight == self.lpips_weight == 0:
            raise ValueError(
                "loss.pixel_weight and loss.lpips_weight must not both be 0: nothing would hold the colours to the "
                "photograph's own, and no epoch could be chosen on validation"
            )
        return self


class Classification(Group):
    """How colours are classified (Zhang 2016, section 2), by `color_classification` and by `split_brain`."""

    bin_size: Annotated[float, Field(ge=2, le=50)]
    """Bin size of the ab palette, in units of a and b. 10 gives 262 colours."""
    neighbors: Annotated[int, Field(ge=1, le=32)]
    """Nearest bins that share a colour (soft encoding)."""
    sigma: Positive
    """Gaussian of the soft encoding and of the smoothed prior, in units of a and b."""
    rebalance: Annotated[float, Field(gt=0, le=1)]
    """Class rebalancing: near 0 rare colours count most; 1: all count the same."""
    stride: Count
    """Image pixels to a classified one, along an axis; a power of 2. At most the latents' stride."""
    temperature: Annotated[float, Field(gt=0, le=1)]
    """Temperature of the annealed mean that is predicted; 1: mean, towards 0: mode."""

    @model_validator(mode="after")
    def check_stride(self):
        if self.stride & (self.stride - 1):
            raise ValueError(f"classification.stride must be a power of 2; got {self.stride}")
        return self


class SplitBrain(Group):
    """The objective of two half networks (Zhang 2017)."""

    kind: Literal["classification", "regression"]
    """Loss of both halves: classification, regression. `regression` takes loss.pixel and model.chroma_stride."""
    width: Annotated[float, Field(gt=0, le=1)]
    """Channels of each half in units of the single network's. At 0.75 both have about its parameters together."""


class Train(Group):
    """How every encoder is trained."""

    epochs: Count
    """Passes over the `pretrain` images; the best one on `validation` is kept."""
    batch_size: Count
    """Images a step, of all processes together."""
    optimizer: Literal["adamw", "muon"]
    """adamw; muon: for kernels of inner layers, adamw for the rest. On photographs it matters most: docs/results.md."""
    learning_rate: Positive
    """The peak, after the warm-up. From there half a cosine to 0."""
    weight_decay: NotNegative
    """Decoupled from the gradient."""
    warmup_fraction: Annotated[float, Field(ge=0, lt=1)]
    """Share of all steps."""
    gradient_clip: Positive
    """Largest norm of the gradient."""
    lightness_jitter: Annotated[float, Field(ge=0, le=0.5)]
    """Contrast and brightness of L, up to this fraction."""
    crop: Annotated[float, Field(ge=0.25, le=1)]
    """Smallest edge of a random square that is cut out; 1: the whole image."""
    precision: Precision
    """float32, bfloat16 (autocast). A CPU without bfloat16 instructions computes in float32 and says so."""
    deterministic: bool
    """On a GPU: only algorithms that add in the same order each time. A rerun then gives the same bytes."""
    online_probe: bool
    """After each epoch, score a ridge probe on mid. A series in data/training: accuracy on validation images of both
    domains. It costs a forward pass of the labelled images an epoch and changes no weight."""
    processes: Annotated[int, Field(ge=1, le=1024)]
    """Processes that share each batch: as many GPUs, or parts of a CPU. Some controls take one (docs/scaling.md)."""

    @model_validator(mode="after")
    def check_batch_size(self):
        if self.batch_size < self.processes:
            raise ValueError(
                f"train.batch_size must be at least train.processes, which share each batch; "
                f"got {self.batch_size} images for {self.processes} processes"
            )
        return self


class Latents(Group):
    """Which activations of the encoders are probed."""

    layers: Annotated[list[str], Field(min_length=1)]
    """Layers to probe. latent and compare.primary.layer must be among them."""
    features: Annotated[int, Field(ge=64)]
    """A layer is average-pooled by a whole factor until it has at most as many."""
    precision: Precision
    """Of the encoder's forward pass; stored as float16."""


class Representations(Group):
    """What is compared."""

    pixels: list[PixelRepresentation]
    """Pixels, with and without colour: docs/representations.md."""
    latents: list[Encoder]
    """Encoders, of pretext.objectives and pretext.controls."""


class Probe(Group):
    """The classifiers on pixels and latents."""

    representations: Representations
    seeds: Annotated[int, Field(ge=1, le=100)]
    """Each conv probe is trained this many times."""
    epochs: Count
    """Epochs of the conv probe."""
    batch_size: Annotated[int, Field(ge=2)]
    """Images a step of the conv probe."""
    channels: Annotated[list[Count], Field(min_length=1, max_length=6)]
    """Channels of the conv probe's 3x3 convolutions. A longer list is a deeper probe."""
    dropout: Annotated[float, Field(ge=0, lt=1)]
    """Dropout before the conv probe's last layer."""
    learning_rates: Annotated[list[Positive], Field(min_length=1)]
    """Learning rates of the conv probe, chosen on validation, for every representation alike."""
    weight_decay: NotNegative
    """Weight decay of the conv probe."""
    precision: Precision
    """Precision of the conv probe."""
    linear_grid: Count
    """The linear probe sees features pooled to this many positions an axis."""
    linear_c: Annotated[list[Positive], Field(min_length=1)]
    """Inverse regularisation of the linear probe, chosen on validation."""
    knn_k: Annotated[list[Count], Field(min_length=1)]
    """Neighbours of the k-NN probe, chosen on validation."""
    knn_temperature: Positive
    """Temperature of the neighbours' weights."""
    shots: list[Count]
    """Labels a class of the few-shot probe, besides all. Numbers above what a class has are left out."""
    draws: Annotated[int, Field(ge=1, le=100)]
    """Random draws of the few labels."""
    ridge_alphas: Annotated[list[Positive], Field(min_length=1)]
    """Regularisation of the ridge and few-shot probe, chosen on validation."""
    depth_heads: Annotated[list[DepthHead], Field(min_length=1)]
    """Heads of every layer: ridge, and conv, which costs much more. metrics/depth.csv shows them by depth."""
    folds: Annotated[int, Field(ge=2, le=50)]
    """Folds of the cross-validation that chooses the best layer, over probe and validation images."""


class FinetunedRepresentations(Group):
    """What is fine-tuned. Two empty lists switch it off."""

    pixels: list[FinetunedPixels]
    """rgb: the encoder from scratch, with three input channels. One of probe.representations.pixels."""
    latents: list[Encoder]
    """Encoders to fine-tune, of probe.representations.latents; random is training from scratch."""


class Finetune(Group):
    """Fine-tuning as a head: encoder and linear layer trained end to end on the probes' labels, all alike."""

    representations: FinetunedRepresentations
    steps: Count
    """Steps of each fit, whatever the number of labels."""
    batch_size: Count
    """Images a step of fine-tuning."""
    learning_rates: Annotated[list[Positive], Field(min_length=1)]
    """Learning rates of fine-tuning, chosen on validation, from one list for every representation."""
    weight_decay: NotNegative
    """Weight decay of fine-tuning."""
    precision: Precision
    """Precision of fine-tuning."""
    seeds: Annotated[int, Field(ge=1, le=100)]
    """Fits to all labels. They differ in the linear layer's first weights, the order of images and the flips."""
    shots: list[Count]
    """Labels a class to fine-tune on, besides all. Numbers above what a class has are left out."""
    draws: Annotated[int, Field(ge=1, le=100)]
    """Random draws of the few labels, the first of probe.draws."""


class Evaluate(Group):
    """What painted pictures are scored by."""

    probe: ColorPixels
    """Representation whose probe classifies painted pictures: rgb, rgb_small. One of probe.representations.pixels."""
    lpips_net: Literal["alex", "vgg", "squeeze"]
    """Network of the metric, whatever the loss is."""
    lpips_backbone: Literal["imagenet", "random"]
    """imagenet: downloaded by torchvision; random: untrained."""


class Primary(Group):
    """The primary endpoint: one lift a domain, declared before the run and tested in domain, then out of domain."""

    head: Head
    """Head of the primary endpoint."""
    layer: str
    """Layer of every encoder for it, fixed beforehand. One of latents.layers; pixels have one layer."""
    over: Representation
    """What the first probed one of pretext.objectives is compared with. One of probe.representations."""


class Compare(Group):
    """The tests and confidence intervals. `compare.primary` is the primary endpoint: one lift in each domain."""

    primary: Primary
    resamples: Annotated[int, Field(ge=100, le=1_000_000)]
    """Resamples of the paired bootstrap."""
    equivalence: Annotated[float, Field(gt=0, le=100)]
    """Percentage points within which it is said not to matter whether the classes were seen. Tested by TOST."""


class Params(Group):
    """The whole of params.yaml."""

    seed: Seed
    """Seed of the split, the weights, the batches and the probes."""
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
    finetune: Finetune
    evaluate: Evaluate
    compare: Compare

    @model_validator(mode="after")
    def check_groups_together(self):
        check_consistency(self)
        return self
