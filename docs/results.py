"""docs/results.md from its template and the tables of a run: no number of the page is typed by hand.

`docs/results.md.jinja` holds the words. A number in it is an expression on the CSV files of `TABLES`, so that page and
tables cannot disagree. Accuracies and lifts are fractions there; the page has them in % and percentage points.
"""

from pathlib import Path

import jinja2
import pandas as pd

DOCS = Path(__file__).parent
TABLES = DOCS / "food101-64px-muon"
DOMAINS = {"in": "in-domain, 81 classes (chance 1.2 %)", "out": "out of domain, 20 classes (chance 5 %)"}
HEADS = ("linear", "knn", "ridge")
# Of the run, which its tables do not hold.
SETTINGS = {"labels": 75, "images": "22,761", "epochs": 6, "views": f"{6 * 22_761:,}"}


class Run:
    """The tables of a run, as the template asks for them. Each value is text, rounded as the page shows it."""

    def __init__(self, folder: Path = TABLES):
        self.comparison, self.lifts, self.depth, self.labels, self.ablation = (
            pd.read_csv(folder / f"{name}.csv", keep_default_na=name != "ablation")
            for name in ("comparison", "lifts", "depth", "label_efficiency", "ablation")
        )
        self.comparison = self.comparison[self.comparison.seed == "mean"]

    def layer(self, representation: str, domain: str) -> str:
        """The best layer that is not the latent, chosen on validation; `pixels` for pixels."""
        layers = self._conv(domain)[lambda rows: rows.representation == representation].layer
        return next(layer for layer in layers if layer != "latent")

    def accuracy(self, representation: str, domain: str, layer: str | None = None, head: str = "conv") -> str:
        return percent(self._accuracy(representation, domain, layer, head).accuracy)

    def ratio(self, representation: str, over: str, domain: str) -> str:
        """How many times the accuracy of the conv probe on the best layer is that on `over`, to one decimal."""
        value, reference = (self._accuracy(name, domain).accuracy for name in (representation, over))
        return f"{value / reference:.1f}"

    def lift(self, representation: str, over: str, domain: str, view: str = "best") -> str:
        row = self._lifts(view, domain)[lambda rows: (rows.representation == representation) & (rows.over == over)]
        return lift(row.iloc[0])

    def accuracies(self, domain: str) -> str:
        """A row for each representation and layer that the conv probe was trained on."""
        lines = [f"| {DOMAINS[domain]} | layer | conv, % (95 % interval) | linear, % | k-NN, % | ridge, % |"]
        lines.append("|---|---|---|---|---|---|")
        for row in self._conv(domain).itertuples():
            interval = f"{percent(row.accuracy)} ({percent(row.accuracy_low)} to {percent(row.accuracy_high)})"
            others = (self.accuracy(row.representation, domain, row.layer, head) for head in HEADS)
            lines.append(f"| `{row.representation}` | {row.layer} | {interval} | {' | '.join(others)} |")
        return "\n".join(lines)

    def lift_table(self, view: str) -> str:
        """The lifts of the conv probe, a column a domain."""
        inside, outside = (self._lifts(view, domain) for domain in DOMAINS)
        lines = ["| lift of the conv probe, points | in-domain | out of domain |", "|---|---|---|"]
        for seen, unseen in zip(inside.itertuples(), outside.itertuples(), strict=True):
            assert (seen.representation, seen.over) == (unseen.representation, unseen.over)
            layers = f" ({seen.layer}/{unseen.layer})" if view == "best" else ""
            lines.append(f"| `{seen.representation}`{layers} over `{seen.over}` | {lift(seen)} | {lift(unseen)} |")
        return "\n".join(lines)

    def depth_table(self) -> str:
        """Ridge accuracy by layer, both domains."""
        layered = self.depth[self.depth.layer != "pixels"]
        return _wide(layered, "layer", "ridge probe by layer, %", list(dict.fromkeys(layered.layer)))

    def label_table(self) -> str:
        """Ridge accuracy on the latent, or on pixels, by labels a class."""
        rows = self.labels[self.labels["view"] == "headline"]
        return _wide(
            rows, "shots", "ridge on the latent or on pixels, % by labels a class", list(dict.fromkeys(rows.shots))
        )

    def ablation_table(self) -> str:
        lines = ["| objective | encoder | optimizer | changed | conv, in / out, % | ridge, in / out, % |"]
        lines.append("|---|---|---|---|---|---|")
        for row in self.ablation.itertuples():
            scores = f"{row.conv_in} / {row.conv_out} | {row.ridge_in} / {row.ridge_out}"
            lines.append(f"| {row.objective} | {row.encoder} | {row.optimizer} | {row.change} | {scores} |")
        return "\n".join(lines)

    def trial(self, column: str, **row: str) -> str:
        """A cell of the ablation, e.g. `trial("conv_in", objective="regression", ..., change="")`."""
        rows = self.ablation
        for name, value in row.items():
            rows = rows[rows[name] == value]
        (value,) = rows[column]
        return str(value)

    def _accuracy(self, representation: str, domain: str, layer: str | None = None, head: str = "conv") -> pd.Series:
        rows = self.comparison.query("domain == @domain and head == @head and representation == @representation")
        return rows[rows.layer == (layer or self.layer(representation, domain))].iloc[0]

    def _conv(self, domain: str) -> pd.DataFrame:
        return self.comparison.query("domain == @domain and head == 'conv'")

    def _lifts(self, view: str, domain: str) -> pd.DataFrame:
        return self.lifts[lambda rows: (rows["view"] == view) & (rows.domain == domain) & (rows["head"] == "conv")]


def render(run: Run | None = None) -> str:
    """The whole page."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    template = environment.from_string((DOCS / "results.md.jinja").read_text(encoding="utf-8"))
    return template.render(run=run or Run(), **SETTINGS)


def percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}"


def lift(row) -> str:
    """+5.0 (+4.3 to +5.6) **win**"""
    value, low, high = (f"{100 * number:+.1f}" for number in (row.lift, row.lift_low, row.lift_high))
    return f"{value} ({low} to {high}){' **win**' if row.win else ''}"


def _wide(rows: pd.DataFrame, column: str, title: str, values: list) -> str:
    """A line a representation; for each domain a cell for each of `values` of `column`."""
    cells = rows.set_index(["representation", "domain", column]).accuracy
    heads = [f"{domain} {value}" for domain in DOMAINS for value in values]
    lines = [f"| {title} | {' | '.join(heads)} |", "|---" * (1 + len(heads)) + "|"]
    for name in dict.fromkeys(rows.representation):
        numbers = (percent(cells[name, domain, value]) for domain in DOMAINS for value in values)
        lines.append(f"| `{name}` | {' | '.join(numbers)} |")
    return "\n".join(lines)
