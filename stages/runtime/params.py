"""Every parameter of the study: its type, its range and its default's meaning, checked in one place.

`load_params` reads the whole of params.yaml and refuses it whole: a wrong key anywhere stops any
stage before it starts to work, however little of the file that stage reads.
"""

import difflib
import math
import re
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stages.models.geometry import latent_stride, layer_names
from stages.runtime.errors import StageError
from stages.study.representations import COLOR_PIXELS, CONTROLS, ENCODERS, OBJECTIVES, PIXELS

PARAMS_FILE = "params.yaml"

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
    def leave_images_to_pretrain_on(self):
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
    def divide_channels_into_groups(self):
        odd = [c for c in self.block_out_channels if c % self.norm_num_groups]
        if odd:
            raise ValueError(
                f"model.norm_num_groups must divide every entry of model.block_out_channels; "
                f"got {self.norm_num_groups} groups for {self.block_out_channels}"
            )
        return self

    @model_validator(mode="after")
    def paint_at_a_stride_that_the_decoder_reaches(self):
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
    def leave_something_to_minimise(self):
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
    def halve_whole_times(self):
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
    def give_each_process_an_image(self):
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
    def list_nothing_twice(self):
        arms, probe = self.probe.representations, self.probe
        lists = {
            "pretext.objectives": self.pretext.objectives,
            "pretext.controls": self.pretext.controls,
            "probe.representations.pixels": arms.pixels,
            "probe.representations.latents": arms.latents,
            "probe.learning_rates": probe.learning_rates,
            "probe.linear_c": probe.linear_c,
            "probe.knn_k": probe.knn_k,
            "probe.shots": probe.shots,
            "probe.ridge_alphas": probe.ridge_alphas,
            "latents.layers": self.latents.layers,
        }
        for key, values in lists.items():
            if len(set(values)) < len(values):
                raise ValueError(f"{key} must not list anything twice; got {values}")
        return self

    @model_validator(mode="after")
    def fit_together(self):
        stride = latent_stride(self.model.block_out_channels)
        if self.lab.image_size % stride:
            raise ValueError(
                f"lab.image_size must be a multiple of {stride}, the stride of "
                f"{len(self.model.block_out_channels)} model.block_out_channels; got {self.lab.image_size}"
            )
        trained = [*self.pretext.controls, *self.pretext.objectives]
        for name in self.probe.representations.latents:
            if name not in trained:
                raise ValueError(
                    f"probe.representations.latents must name encoders that are trained, listed in "
                    f"pretext.objectives or pretext.controls ({', '.join(trained) or 'none'}); got '{name}'"
                )
        if self.evaluate.probe not in self.probe.representations.pixels:
            raise ValueError(
                f"evaluate.probe must be among probe.representations.pixels, whose probe it takes "
                f"({', '.join(self.probe.representations.pixels) or 'none'}); got '{self.evaluate.probe}'"
            )
        return self

    @model_validator(mode="after")
    def fit_the_network(self):
        model, trained = self.model, self.pretext.objectives
        layers, stride = layer_names(model.block_out_channels), latent_stride(model.block_out_channels)
        for name in self.latents.layers:
            if name not in layers:
                raise ValueError(
                    f"latents.layers must name layers of the encoder ({', '.join(layers)}, for "
                    f"{len(model.block_out_channels)} model.block_out_channels); got '{name}'"
                )
        if "latent" not in self.latents.layers:
            raise ValueError(f"latents.layers must list 'latent', the headline; got {self.latents.layers}")
        classified = "color_classification" in trained or (
            "split_brain" in trained and self.split_brain.kind == "classification"
        )
        if classified and self.classification.stride > stride:
            raise ValueError(
                f"classification.stride must be at most {stride}, the stride of the latents, so that a decoder "
                f"reaches it; got {self.classification.stride}"
            )
        if "split_brain" in trained:
            halves = [channels / 2 for channels in model.block_out_channels]
            if any(half % model.norm_num_groups for half in halves) or model.latent_channels % 2:
                raise ValueError(
                    f"split_brain halves the network: half of every entry of model.block_out_channels must be a "
                    f"multiple of model.norm_num_groups, and model.latent_channels even; got "
                    f"{model.block_out_channels}, {model.norm_num_groups} groups, {model.latent_channels} latents"
                )
        return self


class _Loader(yaml.SafeLoader):
    """YAML with 1.2's floats: PyYAML alone reads `1e-4` as a string, DVC reads it as a number."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$"),
    list("-+0123456789."),
)


def load_params(path: str | Path = PARAMS_FILE) -> Params:
    """Read and check a parameter file.

    Raises:
        StageError: naming each key that is missing, unknown, of the wrong type or out of range, with
            what was found and what is accepted.
    """
    path = Path(path)
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise StageError(
            f"{path} is missing. Run the stage from the project's root, or copy a file of profiles/ to it."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StageError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise StageError(f"{path} must hold groups of parameters; got {_shown(values)}")
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        problems = "\n".join(f"  {_explain(problem)}" for problem in error.errors())
        raise StageError(f"{path} is refused:\n{problems}") from None


def _explain(problem: dict) -> str:
    """One line for the user from one of pydantic's error records."""
    location, found, limits = problem["loc"], problem["input"], problem.get("ctx", {})
    key = re.sub(r"\.(\d+)", r"[\1]", ".".join(map(str, location)))
    match problem["type"]:
        case "value_error":
            return str(limits["error"])
        case "missing":
            return f"{key} is missing; profiles/sample.yaml and profiles/food101.yaml have it"
        case "extra_forbidden":
            siblings = _siblings(location)
            close = difflib.get_close_matches(str(location[-1]), siblings, n=1)
            prefix = "".join(f"{part}." for part in location[:-1])
            hint = f"did you mean {prefix}{close[0]}?" if close else f"accepted: {', '.join(siblings)}"
            return f"{key} is not a parameter; {hint}"
        case "literal_error":
            accepted = f"one of {limits['expected'].replace(' or ', ', ')}"
        case "string_pattern_mismatch":
            accepted = "32 lower-case hexadecimal digits, or null"
        case "greater_than_equal":
            accepted = f"at least {limits['ge']}"
        case "greater_than":
            accepted = f"above {limits['gt']}"
        case "less_than_equal":
            accepted = f"at most {limits['le']}"
        case "less_than":
            accepted = f"below {limits['lt']}"
        case "too_short" | "string_too_short":
            accepted = f"at least {limits['min_length']} long"
        case "too_long":
            accepted = f"at most {limits['max_length']} long"
        case "finite_number":
            accepted = "a finite number"
        case kind:
            accepted = _TYPES.get(kind, problem["msg"])
    return f"{key} must be {accepted}; got {_shown(found)}"


_TYPES = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a string",
    "list_type": "a list",
    "model_type": "a group of parameters",
    "int_from_float": "a whole number",
}


def _siblings(location: tuple) -> list[str]:
    group = Params
    for part in location[:-1]:
        group = group.model_fields[part].annotation
    return list(group.model_fields)


def _shown(value) -> str:
    if value is None:
        return "null"
    if isinstance(value, float) and not math.isfinite(value):
        return "a value that is not finite"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
