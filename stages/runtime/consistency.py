"""Checks between groups of parameters, after each group has been checked by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.models.geometry import HYPERCOLUMN, PATCH_LAYERS, latent_stride, layer_names
from stages.study.representations import KMEANS_PATCHES, SWAPPED, first_probed

if TYPE_CHECKING:
    from stages.runtime.schema import Params

# Encoders that are not fine-tuned, and why.
NOT_FINETUNED = {
    SWAPPED: "which is compared in its frozen features alone",
    KMEANS_PATCHES: "a fixed filter bank without layers to train",
}


def check_consistency(params: Params) -> None:
    """Refuse groups that do not fit together.

    Raises:
        ValueError: for the first check that fails; the message names the parameter, its value and what is accepted.
    """
    _check_duplicates(params)
    _check_image_size(params)
    _check_representations(params)
    _check_swapped(params)
    _check_evaluation_probe(params)
    _check_layers(params)
    _check_depth_heads(params)
    _check_primary(params)
    _check_finetuning(params)
    _check_classification_stride(params)
    _check_split_brain(params)


def _check_duplicates(params: Params) -> None:
    representations, probe = params.probe.representations, params.probe
    lists = {
        "data.mirrors": params.data.mirrors,
        "pretext.objectives": params.pretext.objectives,
        "pretext.controls": params.pretext.controls,
        "probe.representations.pixels": representations.pixels,
        "probe.representations.latents": representations.latents,
        "probe.learning_rates": probe.learning_rates,
        "probe.linear_c": probe.linear_c,
        "probe.knn_k": probe.knn_k,
        "probe.shots": probe.shots,
        "probe.ridge_alphas": probe.ridge_alphas,
        "probe.depth_heads": probe.depth_heads,
        "finetune.representations.pixels": params.finetune.representations.pixels,
        "finetune.representations.latents": params.finetune.representations.latents,
        "finetune.learning_rates": params.finetune.learning_rates,
        "finetune.shots": params.finetune.shots,
        "latents.layers": params.latents.layers,
    }
    for key, values in lists.items():
        if len(set(values)) < len(values):
            raise ValueError(f"{key} must not list anything twice; got {values}")


def _check_image_size(params: Params) -> None:
    stride = latent_stride(params.model.block_out_channels)
    if params.lab.image_size % stride:
        raise ValueError(
            f"lab.image_size must be a multiple of {stride}, the stride of "
            f"{len(params.model.block_out_channels)} model.block_out_channels; got {params.lab.image_size}"
        )


def _check_representations(params: Params) -> None:
    trained = [*params.pretext.controls, *params.pretext.objectives]
    for name in params.probe.representations.latents:
        if name not in trained:
            raise ValueError(
                f"probe.representations.latents must name encoders that are trained, listed in "
                f"pretext.objectives or pretext.controls ({', '.join(trained) or 'none'}); got '{name}'"
            )


def _check_swapped(params: Params) -> None:
    latents, first = params.probe.representations.latents, params.pretext.objectives[0]
    if SWAPPED in latents and first not in latents:
        raise ValueError(
            f"probe.representations.latents lists '{SWAPPED}', which is compared with the first of pretext.objectives, "
            f"'{first}': list that, too, or take '{SWAPPED}' out; got {latents}"
        )


def _check_evaluation_probe(params: Params) -> None:
    pixels = params.probe.representations.pixels
    if params.evaluate.probe not in pixels:
        raise ValueError(
            f"evaluate.probe must be one of probe.representations.pixels "
            f"({', '.join(pixels) or 'none'}); got '{params.evaluate.probe}'"
        )


def _check_layers(params: Params) -> None:
    layers = [*layer_names(params.model.block_out_channels), HYPERCOLUMN]
    for name in params.latents.layers:
        if name not in layers:
            raise ValueError(
                f"latents.layers must name layers of the encoder ({', '.join(layers)}, for "
                f"{len(params.model.block_out_channels)} model.block_out_channels); got '{name}'"
            )
    if "latent" not in params.latents.layers:
        raise ValueError(f"latents.layers must list 'latent', the encoder's output; got {params.latents.layers}")


def _check_depth_heads(params: Params) -> None:
    if "ridge" not in params.probe.depth_heads:
        raise ValueError(
            f"probe.depth_heads must list 'ridge', which few-shot probes share; got {params.probe.depth_heads}"
        )


def _check_primary(params: Params) -> None:
    primary, layers, names = params.compare.primary, params.latents.layers, params.probe.representations
    if primary.layer not in layers:
        raise ValueError(
            f"compare.primary.layer must be among latents.layers ({', '.join(layers)}); got '{primary.layer}'. "
            f"Add it there, or name another"
        )
    probed = [*names.pixels, *names.latents]
    if primary.over not in probed:
        raise ValueError(
            f"compare.primary.over must be among probe.representations ({', '.join(probed) or 'none'}); "
            f"got '{primary.over}'. Add it there, or name another"
        )
    if KMEANS_PATCHES in names.latents and primary.layer not in PATCH_LAYERS:
        raise ValueError(
            f"compare.primary.layer must be a layer of every encoder in probe.representations.latents; "
            f"'{KMEANS_PATCHES}' has {' and '.join(PATCH_LAYERS)} alone; got '{primary.layer}'. Name one of these, or "
            f"take '{KMEANS_PATCHES}' out"
        )
    subject = first_probed(params.pretext.objectives, names.latents)
    if primary.over == subject:
        raise ValueError(
            f"compare.primary.over must be another than the first probed one of pretext.objectives, which is compared "
            f"with it; got '{subject}' for both"
        )


def _check_finetuning(params: Params) -> None:
    finetuned, probed = params.finetune.representations, params.probe.representations
    for name in finetuned.latents:
        if reason := NOT_FINETUNED.get(name):
            raise ValueError(
                f"finetune.representations.latents must not list '{name}', {reason}; got {finetuned.latents}"
            )
    for kind in ("pixels", "latents"):
        for name in getattr(finetuned, kind):
            if name not in getattr(probed, kind):
                raise ValueError(
                    f"finetune.representations.{kind} must be among probe.representations.{kind} "
                    f"({', '.join(getattr(probed, kind)) or 'none'}); got '{name}'. Add it there, or take it out here"
                )
    if params.finetune.draws > params.probe.draws:
        raise ValueError(
            f"finetune.draws must be at most probe.draws, of which it takes the first: {params.probe.draws}; "
            f"got {params.finetune.draws}"
        )


def _check_classification_stride(params: Params) -> None:
    objectives, stride = params.pretext.objectives, latent_stride(params.model.block_out_channels)
    classifies = "color_classification" in objectives or (
        "split_brain" in objectives and params.split_brain.kind == "classification"
    )
    if classifies and params.classification.stride > stride:
        raise ValueError(
            f"classification.stride must be at most {stride}, the stride of the latents, so that a decoder "
            f"reaches it; got {params.classification.stride}"
        )


def _check_split_brain(params: Params) -> None:
    if "split_brain" not in params.pretext.objectives:
        return
    model, width = params.model, params.split_brain.width
    if any((width * channels) % model.norm_num_groups for channels in model.block_out_channels):
        raise ValueError(
            f"split_brain.width times every entry of model.block_out_channels must be a multiple of "
            f"model.norm_num_groups; got {width:g} x {model.block_out_channels}, {model.norm_num_groups} groups"
        )
    if model.latent_channels % 2:
        raise ValueError(
            f"model.latent_channels must be even, as each half of split_brain has half of them; "
            f"got {model.latent_channels}"
        )
