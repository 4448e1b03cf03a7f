"""The `count_colors` stage: from the pretraining images to the palette's prior and the mean colours."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from stages import count_colors
from stages.palette.counts import read_joint, read_mean_ab, read_prior
from stages.runtime.errors import StageError
from tests.project import ROOT, environment


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A project's root with a parameter file and two images: three quarters grey, one quarter red."""
    monkeypatch.chdir(tmp_path)
    params = yaml.safe_load((ROOT / "profiles/sample.yaml").read_text())
    params["classification"]["bin_size"] = 20.0
    Path("params.yaml").write_text(yaml.safe_dump(params))
    images = np.full((2, 3, 4, 4), 128, dtype=np.uint8)
    images[:, 1:, :2, :2] = np.array([128 + 61, 128 + 42]).reshape(1, 2, 1, 1)
    Path("data/lab").mkdir(parents=True)
    np.save("data/lab/pretrain.npy", images)
    return tmp_path


def written():
    return {path.name: path.read_bytes() for path in Path("data/colors").iterdir()}


def test_writes_the_shares_and_means_and_says_what_it_found(root, capsys):
    count_colors.main()
    bins, prior = read_prior()
    assert {tuple(row): share for row, share in zip(bins.tolist(), prior, strict=True) if share} == {
        (0, 0): 0.75,
        (60, 40): 0.25,
    }
    pixels, ab = read_mean_ab()
    assert pixels[128] == pixels.sum() == 32
    assert ab[128].tolist() == [61 / 4, 42 / 4]
    # A quarter of each image is red, a square of 2 x 2 pixels; the mean of the whole image is nearest to (20, 20).
    for stride, colors in ((1, {(0, 0): 24, (60, 40): 8}), (2, {(0, 0): 6, (60, 40): 2}), (4, {(20, 20): 2})):
        counts = read_joint(stride)
        assert {tuple(row): count for row, count in zip(bins.tolist(), counts[128], strict=True) if count} == colors
        assert counts.sum() == counts[128].sum()
    with pytest.raises(StageError, match=r"joint\.npy must hold .* with a stride of 8 pixels; got \(3, 256, 77\)"):
        read_joint(8)
    assert capsys.readouterr().out == (
        "77 bins of size 20 hold all colours of sRGB, 2 of them those of 2 pretraining images; "
        "the commonest, a 0 and b 0, holds 75.0% of the pixels\n"
    )


def test_twice_the_same_bytes(root):
    count_colors.main()
    before = written()
    assert before.keys() == {"prior.csv", "mean_ab.csv", "joint.npy"}
    count_colors.main()
    assert written() == before


def test_missing_images_leave_what_was_there(root):
    count_colors.main()
    before = written()
    Path("data/lab/pretrain.npy").unlink()
    with pytest.raises(StageError, match=r"data/lab/pretrain\.npy is missing"):
        count_colors.main()
    assert written() == before


def test_starts_without_torch_or_pandas():
    code = "import sys, stages.count_colors; print(sorted({'torch', 'pandas'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(), text=True, capture_output=True)
    assert result.stdout.strip() == "[]", result.stderr
