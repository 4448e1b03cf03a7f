"""Stage: which representation is best to classify from, in and out of domain. `python -m stages.compare`

Reads data/probes/<representation>/predictions.csv for each of probe.representations; writes
metrics/comparison.json (headline scalars), metrics/comparison.csv (every cell), metrics/accuracy.csv and
.svg (the chart), and in data/comparison/ what is only drawn: confusion/<domain>/<representation>.csv (conv probe,
seed 0) and curves.csv (learning curves).
"""

from pathlib import Path

from stages.comparison.cells import comparison_cells, headline, mean_rows
from stages.comparison.chart import draw_accuracy_chart
from stages.comparison.curves import chosen_curves
from stages.comparison.predictions import read_predictions
from stages.comparison.report import comparison_text
from stages.shared.errors import StageError
from stages.shared.interruption import run
from stages.shared.outputs import whole_file, whole_folder, write_json
from stages.shared.params import load_params


def main() -> None:
    params = load_params()
    representations = [*params.probe.representations.pixels, *params.probe.representations.latents]
    if not representations:
        raise StageError("probe.representations lists nothing to compare; name at least one representation.")
    predictions = read_predictions("data/probes", representations)
    curves = chosen_curves("data/probes", representations)
    cells = comparison_cells(predictions, resamples=params.compare.resamples, seed=params.seed)
    means = mean_rows(cells)
    classes = predictions[representations[0]].groupby("domain")["label"].nunique().to_dict()
    chance = {domain: 1 / count for domain, count in classes.items()}

    with whole_folder("data/comparison") as folder:
        for name, table in predictions.items():
            _write_confusion(folder / "confusion", name, table)
        curves.to_csv(folder / "curves.csv", index=False, lineterminator="\n")
    with whole_file("metrics/comparison.csv") as part:
        cells.to_csv(part, index=False, lineterminator="\n")
    with whole_file("metrics/accuracy.csv") as part:
        accuracy = means[["domain", "head", "representation", "accuracy", "accuracy_low", "accuracy_high"]]
        accuracy = accuracy.rename(columns={"accuracy_low": "low", "accuracy_high": "high"})
        accuracy.to_csv(part, index=False, lineterminator="\n")
    with whole_file("metrics/accuracy.svg") as part:
        draw_accuracy_chart(part, means, chance)
    write_json("metrics/comparison.json", headline(cells, chance))
    print(comparison_text(means, classes))


def _write_confusion(folder: Path, name: str, table) -> None:
    """actual,predicted of each test image, in the form of DVC's `confusion` template."""
    shown = table[(table["head"] == "conv") & (table["seed"] == 0)].rename(columns={"label": "actual"})
    for domain, rows in shown.groupby("domain"):
        (folder / domain).mkdir(parents=True, exist_ok=True)
        rows[["actual", "predicted"]].to_csv(folder / domain / f"{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    run(main)
