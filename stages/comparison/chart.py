"""The chart of the comparison: accuracy by representation, both domains, both heads."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart with any colour vision, and in grey.
COLOURS = {"conv": "#0072B2", "linear": "#E69F00"}
TITLES = {"in": "Classes that the autoencoder saw", "out": "Held-out classes"}
BAR = 0.38


def draw_accuracy_chart(path: str | Path, means: pd.DataFrame, chance: dict[str, float]) -> None:
    """Write an SVG; same numbers, same bytes.

    Args:
        means: a row for each domain, head and representation: accuracy, accuracy_low, accuracy_high.
        chance: accuracy of guessing, by domain.
    """
    names = list(dict.fromkeys(means["representation"]))
    figure = Figure(figsize=(10, 1.6 + 0.55 * len(names)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    places = np.arange(len(names))
    for panel, (domain, title) in zip(panels, TITLES.items(), strict=True):
        own = means[means["domain"] == domain].set_index(["head", "representation"])
        right = 100 * max(own["accuracy_high"].max(), chance[domain])
        for shift, (head, colour) in zip((-BAR / 2, BAR / 2), COLOURS.items(), strict=True):
            rows = 100 * own.loc[head].loc[names, ["accuracy", "accuracy_low", "accuracy_high"]]
            reach = [rows["accuracy"] - rows["accuracy_low"], rows["accuracy_high"] - rows["accuracy"]]
            panel.barh(places + shift, rows["accuracy"], BAR, color=colour, label=f"{head} probe")
            panel.errorbar(
                rows["accuracy"],
                places + shift,
                xerr=np.maximum(reach, 0),
                fmt="none",
                ecolor="#222222",
                capsize=2,
            )
            for place, row in zip(places + shift, rows.itertuples(), strict=True):
                panel.text(row.accuracy_high + 0.015 * right, place, f"{row.accuracy:.1f}", va="center", fontsize=8)
        panel.axvline(100 * chance[domain], color="#222222", linestyle="--", linewidth=1, label="chance", zorder=3)
        panel.set_title(f"{title} (chance {100 * chance[domain]:.1f} %)", fontsize=11)
        panel.set_xlabel("test accuracy (%), with 95 % intervals over images")
        panel.set_xlim(0, 1.12 * right)
        panel.set_yticks(places, names)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].invert_yaxis()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    with matplotlib.rc_context({"svg.hashsalt": "food101-colorization"}):
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
