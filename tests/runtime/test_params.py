import copy
import math
from pathlib import Path

import pytest
import yaml

from stages.runtime.errors import StageError
from stages.runtime.params import load_params
from tests.project import merged

ROOT = Path(__file__).parents[2]
PARAMS = yaml.safe_load((ROOT / "profiles/sample.yaml").read_text())


def keys(group=PARAMS, prefix=()):
    for name, value in group.items():
        if isinstance(value, dict):
            yield from keys(value, (*prefix, name))
        else:
            yield (*prefix, name)


def write(tmp_path, key, value):
    params = copy.deepcopy(PARAMS)
    *groups, name = key
    group = params
    for each in groups:
        group = group[each]
    if value is ...:
        del group[name]
    else:
        group[name] = value
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(params))
    return path


@pytest.mark.parametrize("path", [ROOT / "params.yaml", *sorted((ROOT / "profiles").glob("*.yaml"))], ids=str)
def test_committed_parameters_are_accepted(path):
    load_params(path)


def test_the_default_is_the_sample_profile():
    assert (ROOT / "params.yaml").read_bytes() == (ROOT / "profiles/sample.yaml").read_bytes()


@pytest.mark.parametrize("key", list(keys()), ids=".".join)
@pytest.mark.parametrize("value", [..., "x y", {"a": 1}, math.nan, -1, -math.inf], ids=str)
def test_every_key_refuses_what_it_cannot_be(tmp_path, key, value):
    if value == "x y" and key == ("data", "url"):
        pytest.skip("any string may be a path")
    with pytest.raises(StageError) as refusal:
        load_params(write(tmp_path, key, value))
    assert ".".join(key) in str(refusal.value)


@pytest.mark.parametrize("key", [key for key in keys() if key[-1] not in ("md5", "images_per_class")], ids=".".join)
def test_null_is_refused_where_it_means_nothing(tmp_path, key):
    with pytest.raises(StageError, match="null"):
        load_params(write(tmp_path, key, None))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("loss.pixel", "huber", "loss.pixel must be one of 'smooth_l1', 'l1', 'l2'; got 'huber'"),
        ("loss.lpips_weight", -1, "loss.lpips_weight must be at least 0.0; got -1"),
        ("loss.lpips_wieght", 1, "loss.lpips_wieght is not a parameter; did you mean loss.lpips_weight?"),
        ("train.epochs", True, "train.epochs must be a whole number; got True"),
        ("train.epochs", 1.5, "train.epochs must be a whole number; got 1.5"),
        ("split.probe_fraction", 0.95, "split.probe_fraction + split.validation_fraction must be below 1"),
        ("model.norm_num_groups", 7, "model.norm_num_groups must divide every entry"),
        ("model.chroma_stride", 3, "model.chroma_stride must be a power of 2 and at most 4"),
        ("model.chroma_stride", 8, "model.chroma_stride must be a power of 2 and at most 4, the stride of the latents"),
        ("train.processes", 17, "train.batch_size must be at least train.processes, which share each batch; got 16"),
        ("train.deterministic", 1, "train.deterministic must be true or false; got 1"),
        ("lab.image_size", 34, "lab.image_size must be a multiple of 4"),
        ("pretext.controls", ["random"], "probe.representations.latents must name encoders that are trained"),
        ("probe.representations.pixels", ["rgb", "rgb"], "must not list anything twice"),
        (
            "latents.layers",
            ["down_3", "latent"],
            "latents.layers must name layers of the encoder (down_0, down_1, down_2, mid",
        ),
        ("latents.layers", ["mid"], "latents.layers must list 'latent', the encoder's output; got ['mid']"),
        ("probe.depth_heads", ["conv"], "probe.depth_heads must list 'ridge', which few-shot probes share"),
        ("probe.depth_heads", ["ridge", "knn"], "probe.depth_heads[1] must be one of 'ridge', 'conv'; got 'knn'"),
        (
            "compare.primary.layer",
            "down_3",
            "compare.primary.layer must be among latents.layers (down_0, down_1",
        ),
        ("compare.primary.over", "supervised", "compare.primary.over must be among probe.representations (rgb_small, "),
        ("compare.primary.over", "colorization", "must be another than the first probed one of pretext.objectives"),
        ("compare.primary.over", "swapped", "compare.primary.over must be one of"),
        ("compare.equivalence", 0, "compare.equivalence must be above 0.0; got 0"),
        (
            "probe.representations.latents",
            ["random", "swapped"],
            "lists 'swapped', which is compared with the first of pretext.objectives, 'colorization': list that, too",
        ),
        ("compare.primary.head", "svm", "compare.primary.head must be one of 'conv', 'linear', 'knn', 'ridge'; got"),
        ("evaluate.probe", "lightness", "evaluate.probe must be one of 'rgb', 'rgb_small'; got 'lightness'"),
        (
            "probe.representations.pixels",
            ["lightness_small"],
            "evaluate.probe must be one of probe.representations.pixels",
        ),
        ("classification.stride", 3, "classification.stride must be a power of 2; got 3"),
        (
            "finetune.representations.pixels",
            ["lightness"],
            "finetune.representations.pixels[0] must be one of 'rgb'",
        ),
        (
            "finetune.representations.latents",
            ["swapped"],
            "finetune.representations.latents must not list 'swapped', which is compared in its frozen features alone",
        ),
        (
            "finetune.representations.latents",
            ["random", "supervised"],
            "finetune.representations.latents must be among probe.representations.latents (random, reconstruction, "
            "swapped, colorization); got 'supervised'",
        ),
        (
            "finetune.representations.latents",
            ["kmeans_patches"],
            "finetune.representations.latents must not list 'kmeans_patches', a fixed filter bank without layers to",
        ),
        ("finetune.representations.latents", ["random", "random"], "must not list anything twice"),
        ("finetune.shots", [5, 5], "finetune.shots must not list anything twice"),
        ("finetune.draws", 6, "finetune.draws must be at most probe.draws, of which it takes the first: 5; got 6"),
        ("pretext.objectives", ["colorisation"], "pretext.objectives[0] must be one of 'colorization'"),
        ("data.md5", "abc", "data.md5 must be 32 lower-case hexadecimal digits, or null; got 'abc'"),
    ],
)
def test_refusals_name_key_value_and_what_is_accepted(tmp_path, key, value, message):
    with pytest.raises(StageError) as refusal:
        load_params(write(tmp_path, key.split("."), value))
    assert message in str(refusal.value)


SPLIT_BRAIN_WIDTH = (
    "split_brain.width times every entry of model.block_out_channels must be a multiple of model.norm_num_groups; "
    "got 0.5 x [32, 64, 64], 32 groups"
)


@pytest.mark.parametrize(
    ("objective", "changes", "message"),
    [
        ("color_classification", {"classification": {"stride": 8}}, "classification.stride must be at most 4"),
        ("split_brain", {"classification": {"stride": 8}}, "classification.stride must be at most 4"),
        ("split_brain", {"model": {"norm_num_groups": 32, "block_out_channels": [32, 64, 64]}}, SPLIT_BRAIN_WIDTH),
        ("split_brain", {"split_brain": {"width": 0.6}}, "got 0.6 x [32, 64, 64], 8 groups"),
        ("split_brain", {"model": {"latent_channels": 3}}, "model.latent_channels must be even"),
    ],
)
def test_what_an_objective_cannot_be_built_with_is_refused_where_it_is_trained(tmp_path, objective, changes, message):
    values = merged(PARAMS, changes)
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(values))
    load_params(path)
    path.write_text(yaml.safe_dump(merged(values, {"pretext": {"objectives": ["colorization", objective]}})))
    with pytest.raises(StageError) as refusal:
        load_params(path)
    assert message in str(refusal.value)


def test_no_loss_at_all_is_refused(tmp_path):
    path = write(tmp_path, ("loss", "lpips_weight"), 0)
    path.write_text(path.read_text().replace("pixel_weight: 1.0", "pixel_weight: 0.0"))
    with pytest.raises(StageError, match="must not both be 0"):
        load_params(path)


def test_exponents_without_a_point_are_numbers_as_for_dvc(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(PARAMS).replace("weight_decay: 2.0e-05", "weight_decay: 2e-5"))
    assert "weight_decay: 2e-5" in path.read_text()
    assert load_params(path).train.weight_decay == 2e-5


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(StageError, match=r"params\.yaml is missing"):
        load_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("a: [")
    with pytest.raises(StageError, match="not valid YAML"):
        load_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("- 1")
    with pytest.raises(StageError, match="must hold groups"):
        load_params(tmp_path / "params.yaml")


def test_a_primary_layer_that_kmeans_patches_lacks_is_refused_where_it_is_probed(tmp_path):
    path = tmp_path / "params.yaml"
    probed = {
        "pretext": {"controls": ["kmeans_patches"]},
        "probe": {"representations": {"latents": ["kmeans_patches"]}},
        "finetune": {"representations": {"latents": []}},
    }
    path.write_text(yaml.safe_dump(merged(PARAMS, probed)))
    load_params(path)
    path.write_text(yaml.safe_dump(merged(PARAMS, probed | {"compare": {"primary": {"layer": "down_1"}}})))
    with pytest.raises(StageError, match=r"'kmeans_patches' has mid and latent alone; got 'down_1'"):
        load_params(path)
