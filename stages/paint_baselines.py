"""Stage: score the baselines of colorization, which use a pixel's lightness at most.

Reads data/colors/, data/lab/test.npy, the manifest and the probe of data/probes/<evaluate.probe>/; writes
data/quality/baselines/{grey,mean_ab,mean_ab_by_lightness}/.
"""

from stages.runtime.entry_point import run
from stages.runtime.files import whole_folder
from stages.runtime.params import load_params


def main() -> None:
    params = load_params()
    # Torch takes seconds to import: first the parameters and the arguments must be sound.
    from stages.compute.device import device
    from stages.painting.baselines import baseline_painters
    from stages.painting.evaluation import evaluate_painters, open_test_images
    from stages.painting.files import write_quality
    from stages.palette.counts import read_mean_ab

    painters = baseline_painters(*read_mean_ab(), device())
    tables = evaluate_painters(painters, open_test_images(), params.evaluate, device())
    with whole_folder("data/quality/baselines") as folder:
        for name, quality in tables.items():
            write_quality(folder / name, quality)


if __name__ == "__main__":
    run(main)
