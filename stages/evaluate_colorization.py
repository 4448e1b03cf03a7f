"""Stage: how well the trained autoencoder paints, in numbers and in pictures.

Reads data/encoders/colorization/, the Lab arrays `test` and `validation` (for the mean a and b) and the manifest;
writes metrics/colorization.json and data/painted/<domain>_domain.png.
"""

import torch

from stages.color.lab import decode_lab8
from stages.color.scaling import ab_of_output, lightness_input
from stages.food101.manifest import domain_labels, read_manifest, subset_rows
from stages.pretext.autoencoder import load_autoencoder
from stages.pretext.losses import open_lpips
from stages.pretext.pictures import one_of_each_class, picture_grid
from stages.pretext.quality import colorization_quality, mean_ab, summary
from stages.shared.device import device
from stages.shared.interruption import run
from stages.shared.outputs import open_array, whole_folder, write_json
from stages.shared.params import load_params

DOMAINS = {"in": "in_domain", "out": "out_of_domain"}
PICTURES = 8


def main() -> None:
    params = load_params()
    metric = open_lpips(params.evaluate.lpips_net, params.evaluate.lpips_backbone, "evaluate").to(device())
    model = load_autoencoder("data/encoders/colorization").to(device())
    manifest = read_manifest()
    rows = subset_rows(manifest, "test")
    test, validation = open_array("data/lab/test.npy"), open_array("data/lab/validation.npy")
    seen = validation[(subset_rows(manifest, "validation").domain == "in").to_numpy()]
    average = torch.tensor(mean_ab(seen), device=device()).reshape(1, 2, 1, 1)

    painters = {
        "colorization": lambda lab: ab_of_output(model(lightness_input(lab))),
        "grey": lambda lab: torch.zeros_like(lab[:, 1:]),
        "mean_ab": lambda lab: average.expand_as(lab[:, 1:]),
    }
    scores = {name: colorization_quality(paint, test, metric, device()) for name, paint in painters.items()}
    write_json(
        "metrics/colorization.json",
        {
            name: {painter: summary(each, (rows.domain == domain).to_numpy()) for painter, each in scores.items()}
            for domain, name in DOMAINS.items()
        },
    )

    labels = domain_labels(rows)
    with whole_folder("data/painted") as folder, torch.inference_mode():
        for domain, name in DOMAINS.items():
            of_domain = (rows.domain == domain).to_numpy().nonzero()[0]
            picked = of_domain[one_of_each_class(labels[of_domain], PICTURES)]
            lab = decode_lab8(torch.from_numpy(test[picked]).to(device()))
            painted = painters["colorization"](lab)
            picture_grid(lab.cpu().numpy(), painted.cpu().numpy()).save(folder / f"{name}.png")


if __name__ == "__main__":
    run(main)
