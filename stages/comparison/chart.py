"""The chart of the comparison: accuracy by representation in both domains, the best layer beside the headline."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart with any colour vision, and in grey.
BARS = {"headline": ("#0072B2", "conv probe on latents or pixels"), "best": ("#56B4E9", "conv probe on the best layer")}
MARKS = {
    "linear": ("#E69F00", "o", "linear"),
    "knn": ("#009E73", "s", "nearest neighbours"),
    "ridge": ("#CC79A7", "D", "ridge"),
}
INK = "#222222"
TITLES = {"in": "Classes that the autoencoder saw", "out": "Held-out classes"}
BAR = 0.28
MARKS_LANE = "marks"


def draw_accuracy_chart(path: str | Path, means: pd.DataFrame, chance: dict[str, float]) -> None:
    """Write an SVG; same numbers, same bytes.

    Bars are the conv probe's accuracies with 95 % intervals, marks the other probes' on the headline layer.

    Args:
        path: of the file.
        means: as by `stages.comparison.cells.mean_rows`.
        chance: accuracy of guessing, by domain.
    """
    figure = accuracy_figure(means, chance)
    with matplotlib.rc_context({"svg.hashsalt": "food101-colorization"}):
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def accuracy_figure(means: pd.DataFrame, chance: dict[str, float]) -> Figure:
    """The chart as a figure of matplotlib."""
    names = list(dict.fromkeys(means["representation"]))
    figure = Figure(figsize=(10, 1.8 + 0.6 * len(names)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    lanes = _lanes(means, names)
    for panel, (domain, title) in zip(panels, TITLES.items(), strict=True):
        own = means[means["domain"] == domain]
        right = 100 * max(own["accuracy_high"].max(), chance[domain])
        panel.set_xlim(0, 1.3 * right)
        for view, (colour, label) in BARS.items():
            rows = own[(own["head"] == "conv") & (own["view"] == view)]
            places = [lanes[name, view] for name in rows["representation"]]
            _bars(panel, rows, places, colour, label, right)
        for head, (colour, marker, label) in MARKS.items():
            rows = own[(own["head"] == head) & (own["view"] == "headline")]
            places = [lanes[name, MARKS_LANE] for name in rows["representation"]]
            style = {"marker": marker, "edgecolors": INK, "linewidths": 0.5}
            panel.scatter(100 * rows["accuracy"], places, 26, colour, label=label, **style)
        panel.axvline(100 * chance[domain], color=INK, linestyle="--", linewidth=1, label="chance", zorder=3)
        panel.set_title(f"{title} (chance {100 * chance[domain]:.1f} %)", fontsize=11)
        panel.set_xlabel("test accuracy (%)\nwith 95 % intervals over images and seeds")
        panel.set_yticks(range(len(names)), names)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].invert_yaxis()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _lanes(means: pd.DataFrame, names: list[str]) -> dict[tuple[str, str], float]:
    """Heights of each representation's bars, one a view that it has, and of its marks below them."""
    lanes = {}
    for place, name in enumerate(names):
        views = set(means.loc[means["representation"] == name, "view"])
        own = [*(view for view in BARS if view in views), MARKS_LANE]
        lanes |= {(name, lane): place + (index - (len(own) - 1) / 2) * BAR for index, lane in enumerate(own)}
    return lanes


def _bars(panel, rows: pd.DataFrame, places: list[float], colour: str, label: str, right: float) -> None:
    """Bars of rows with their intervals, numbers and, of best layers, names."""
    shown = 100 * rows[["accuracy", "accuracy_low", "accuracy_high"]]
    reach = [shown["accuracy"] - shown["accuracy_low"], shown["accuracy_high"] - shown["accuracy"]]
    panel.barh(places, shown["accuracy"], BAR, color=colour, label=label)
    panel.errorbar(shown["accuracy"], places, xerr=np.maximum(reach, 0), fmt="none", ecolor=INK, capsize=2)
    for place, accuracy, high, view, layer in zip(
        places, shown["accuracy"], shown["accuracy_high"], rows["view"], rows["layer"], strict=True
    ):
        text = f"{accuracy:.1f}" + (f"  {layer}" if view == "best" else "")
        panel.text(high + 0.015 * right, place, text, va="center", fontsize=8)
