"""Stages import what they use: starting one is not to cost more than its work on little data."""

import subprocess
import sys

import pytest

# What a stage may not import before it knows that it needs it.
WITHOUT_TORCH = ("torch", "torchvision", "diffusers", "lpips", "sklearn", "vl_convert", "accelerate", "dvc", "pandas")
STAGES = (
    *("check_params", "download", "split", "convert_to_lab", "count_colors", "prepare_objectives"),
    *("train_autoencoder", "train_control", "extract_latents", "train_probes", "train_pixel_probes"),
    *("paint", "paint_baselines"),
)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_nothing_that_it_may_not_need(stage):
    code = f"import sys, stages.{stage}; print(*sorted(set({WITHOUT_TORCH!r}) & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == []
