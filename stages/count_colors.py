"""Stage: which colours the pretraining images hold, and how often.

Reads data/lab/pretrain.npy; writes data/colors/prior.csv (every bin of the palette and the share of pixels in it,
unsmoothed), data/colors/mean_ab.csv (the mean a and b at each lightness) and data/colors/joint.npy (how often each
lightness and each colour of the palette occur together, pixel by pixel and averaged over squares).
"""

import numpy as np

from stages.dataset.arrays import open_lab8
from stages.palette.bins import gamut_bins
from stages.palette.counts import COLORS, write_joint, write_mean_ab, write_prior
from stages.palette.prior import ab_histogram, lightness_ab_counts, mean_ab_by_lightness
from stages.runtime.entry_point import run
from stages.runtime.files import whole_folder
from stages.runtime.params import load_params


def main() -> None:
    size = load_params().classification.bin_size
    lab8 = open_lab8("pretrain")
    bins = gamut_bins(size)
    prior = ab_histogram(lab8, bins)
    pixels, ab = mean_ab_by_lightness(lab8)
    joint = lightness_ab_counts(lab8, bins)
    with whole_folder(COLORS) as folder:
        write_prior(folder / "prior.csv", bins, prior)
        write_mean_ab(folder / "mean_ab.csv", pixels, ab)
        write_joint(folder / "joint.npy", joint)
    print(summary(size, bins, prior, len(lab8)))


def summary(size: float, bins: np.ndarray, prior: np.ndarray, images: int) -> str:
    """One line: bins of the palette, how many the images use, and the commonest."""
    a, b = bins[prior.argmax()]
    return (
        f"{len(bins)} bins of size {size:g} hold all colours of sRGB, {np.count_nonzero(prior)} of them those of "
        f"{images} pretraining images; the commonest, a {a:g} and b {b:g}, holds {prior.max():.1%} of the pixels"
    )


if __name__ == "__main__":
    run(main)
