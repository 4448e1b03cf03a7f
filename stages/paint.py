"""Stage: colorize the test images by an objective's network, score and show them. `python -m stages.paint NAME`

Reads data/encoders/<objective>/, data/objectives/<objective>/paint.json, data/lab/test.npy, the manifest, data/colors/
and the probe of data/probes/<evaluate.probe>/; writes data/quality/<objective>/ and data/painted/<objective>/*.png.
"""

import argparse
from typing import get_args

from stages.dataset.manifest import DOMAIN_NAMES
from stages.runtime.entry_point import run
from stages.runtime.files import whole_folder
from stages.runtime.params import load_params
from stages.runtime.schema import Objective

PICTURES = 8


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("objective", choices=get_args(Objective))
    objective = parser.parse_args().objective
    # Torch takes seconds to import: first the parameters and the arguments must be sound.
    import torch

    from stages.compute.batches import load_batch
    from stages.compute.device import device
    from stages.formats.encoder import load_encoder
    from stages.formats.json import read_json
    from stages.painting.evaluation import evaluate_painters, open_test_images
    from stages.painting.files import write_quality
    from stages.painting.pictures import by_score, one_of_each_class, picture_grid

    model = load_encoder(f"data/encoders/{objective}").to(device())
    # Regression has no temperature.
    temperature = read_json(f"data/objectives/{objective}/paint.json").get("temperature", 1.0)

    def predict_ab(lab):
        return model.predict_ab(lab, temperature)

    test = open_test_images()
    tables = evaluate_painters({objective: predict_ab}, test, params.evaluate, device())[objective]
    with whole_folder(f"data/quality/{objective}") as folder:
        write_quality(folder, tables)

    with whole_folder(f"data/painted/{objective}") as folder, torch.inference_mode():
        for name, domain in test.domains.items():
            images = domain.images["test"]
            lpips = tables.scores.lpips[images.positions].to_numpy()
            grids = {f"_{kind}": rows for kind, rows in by_score(lpips, PICTURES).items()}
            grids[""] = one_of_each_class(images.labels, PICTURES)
            for suffix, rows in grids.items():
                lab = load_batch(test.lab8, images.positions[rows], device())
                grid = picture_grid(lab.cpu().numpy(), predict_ab(lab).cpu().numpy())
                grid.save(folder / f"{DOMAIN_NAMES[name]}{suffix}.png")


if __name__ == "__main__":
    run(main)
