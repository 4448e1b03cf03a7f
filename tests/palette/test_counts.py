import numpy as np
import pytest

from stages.palette.counts import read_mean_ab, read_prior, write_mean_ab, write_prior
from stages.runtime.errors import StageError


def test_what_is_written_is_read_back(tmp_path):
    bins, prior = np.array([[-10, 0], [0, 7.5]], dtype=np.float32), np.array([1 / 3, 2 / 3])
    write_prior(tmp_path / "prior.csv", bins, prior)
    assert (tmp_path / "prior.csv").read_text().splitlines()[:2] == ["a,b,prior", "-10,0,0.333333333"]
    again, shares = read_prior(tmp_path / "prior.csv")
    assert again.dtype == np.float32
    assert (again == bins).all()
    np.testing.assert_allclose(shares, prior, rtol=1e-8)

    pixels, ab = np.arange(256) * 10**9, np.linspace(-128, 127, 512).reshape(256, 2)
    write_mean_ab(tmp_path / "mean_ab.csv", pixels, ab)
    assert (tmp_path / "mean_ab.csv").read_text().startswith("lightness,pixels,a,b\n0,0,-128,-127.5")
    again, means = read_mean_ab(tmp_path / "mean_ab.csv")
    assert again.dtype == np.int64
    assert (again == pixels).all()
    np.testing.assert_allclose(means, ab, atol=1e-6)


@pytest.mark.parametrize("read", [read_prior, read_mean_ab])
def test_a_missing_file_is_named_with_its_remedy(read, tmp_path):
    with pytest.raises(StageError, match=r"colors\.csv is missing.*dvc repro"):
        read(tmp_path / "colors.csv")
