"""docs/results.md from its template and the tables of a run: no result of the page is typed by hand.

`docs/results.md.jinja` holds the words. A result in it is an expression on the CSV files of `TABLES`, so that page and
tables cannot disagree. Accuracies and lifts are fractions there; the page has them in % and percentage points.
"""

from functools import cached_property
from pathlib import Path

import jinja2
import pandas as pd

from stages.study.representations import REPRESENTATIONS

DOCS = Path(__file__).parent
TABLES = DOCS / "food101-64px-muon"
EARLIER = DOCS / "food101-64px-adamw"  # of history.md
DOMAINS = {"in": "in domain", "out": "out of domain"}
HEADS = ("linear", "knn", "ridge")
PIXELS = "rgb"  # what every representation of the main table is set against
SEES = {row.name: row.sees for row in REPRESENTATIONS}
ABLATION_EPOCHS = 2  # runs of equal length are compared; the others are named in the text
# Of the run, which its tables do not hold.
CLASSES = {"in": 81, "out": 20}
IMAGES, EPOCHS, TEST_IMAGES_PER_CLASS = 22_761, 6, 125
SETTINGS = {
    "classes": CLASSES,
    "chance": {domain: f"{100 / number:.1f}" for domain, number in CLASSES.items()},
    "test_images": {domain: f"{TEST_IMAGES_PER_CLASS * number:,}" for domain, number in CLASSES.items()},
    "labels": 75,
    "images": f"{IMAGES:,}",
    "epochs": EPOCHS,
    "views": f"{IMAGES * EPOCHS:,}",
}


class Run:
    """The tables of a run, as the template asks for them. Each value is text, rounded as the page shows it.

    Accuracies and lifts are those of the conv probe on the best layer, where nothing else is said.
    """

    def __init__(self, folder: Path = TABLES):
        self.folder = folder

    @cached_property
    def comparison(self) -> pd.DataFrame:
        return self._table("comparison").query("seed == 'mean'")

    @cached_property
    def lifts(self) -> pd.DataFrame:
        return self._table("lifts").query("head == 'conv'")

    @cached_property
    def depth(self) -> pd.DataFrame:
        return self._table("depth")

    @cached_property
    def label_efficiency(self) -> pd.DataFrame:
        return self._table("label_efficiency")

    @cached_property
    def ablation(self) -> pd.DataFrame:
        """As text, by name: its numbers are rounded already."""
        return pd.read_csv(self.folder / "ablation.csv", dtype=str, keep_default_na=False).set_index("name")

    def layer(self, representation: str, domain: str) -> str:
        """The best layer, chosen on validation; `pixels` for pixels. Its rows are left out where it is the latent."""
        layers = self._conv(domain).query("representation == @representation").layer
        return next((layer for layer in layers if layer != "latent"), "latent")

    def accuracy(self, representation: str, domain: str, layer: str | None = None, head: str = "conv") -> str:
        return percent(self._accuracy(representation, domain, layer, head).accuracy)

    def ratio(self, representation: str, over: str, domain: str) -> str:
        """How many times the accuracy on `over` that on `representation` is."""
        value, reference = (self._accuracy(name, domain).accuracy for name in (representation, over))
        return f"{value / reference:.1f}"

    def lift(self, representation: str, over: str, domain: str, view: str = "best") -> str:
        return lift(self._lift(representation, over, domain, view))

    def wins(self, representation: str, over: str, domain: str) -> bool:
        """Whether the lift is above zero after Holm's correction."""
        return bool(self._lift(representation, over, domain, "best").win)

    def tests(self) -> int:
        """The size of the family that Holm's correction is for."""
        return len(self.lifts)

    def few_labels(self, representation: str, domain: str, labels: str) -> str:
        """Accuracy of the ridge probe on the best layer, or on pixels, with so many labels a class, or `all`."""
        rows = self.label_efficiency.query(
            "representation == @representation and domain == @domain and shots == @labels"
        )
        return percent(rows.iloc[-1].accuracy)  # the best layer's row stands after the latent's

    def trial(self, name: str) -> str:
        """Accuracies of a row of the ablation: 9.0 and 22.3"""
        return f"{self.ablation.conv_in[name]} and {self.ablation.conv_out[name]}"

    def main_table(self) -> str:
        """A row for each representation: the conv probe on its best layer, in both domains."""
        lines = ["| representation | sees | best layer, in / out |", "|---|---|---|"]
        for domain, number in CLASSES.items():
            lines[0] += f" {DOMAINS[domain]}, % of {number} classes (95 % interval) | times `{PIXELS}` |"
            lines[1] += "---|---|"
        for name in dict.fromkeys(self.comparison.representation):
            layers = list(dict.fromkeys(self.layer(name, domain) for domain in DOMAINS))
            cells = [f"`{name}`", SEES[name], " / ".join(layers)]
            for domain in DOMAINS:
                bold = "**" if self._is_win_over_pixels(name, domain) else ""
                cells.append(f"{bold}{interval(self._accuracy(name, domain))}{bold}")
                cells.append(self.ratio(name, PIXELS, domain))
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines)

    def accuracies(self, domain: str) -> str:
        """A row for each representation and layer that the conv probe was trained on."""
        title = f"{DOMAINS[domain]}, {CLASSES[domain]} classes (chance {SETTINGS['chance'][domain]} %)"
        lines = [f"| {title} | layer | conv, % (95 % interval) | linear, % | k-NN, % | ridge, % |"]
        lines.append("|---|---|---|---|---|---|")
        for row in self._conv(domain).itertuples():
            others = (self.accuracy(row.representation, domain, row.layer, head) for head in HEADS)
            lines.append(f"| `{row.representation}` | {row.layer} | {interval(row)} | {' | '.join(others)} |")
        return "\n".join(lines)

    def lift_table(self, view: str, title: str) -> str:
        """The lifts of the conv probe, a column a domain."""
        inside, outside = (self.lifts[(self.lifts["view"] == view) & (self.lifts.domain == name)] for name in DOMAINS)
        lines = [f"| {title} | {' | '.join(DOMAINS.values())} |", "|---|---|---|"]
        for seen, unseen in zip(inside.itertuples(), outside.itertuples(), strict=True):
            assert (seen.representation, seen.over) == (unseen.representation, unseen.over)
            lifts = (f"{lift(row)}{' **win**' if row.win else ''}" for row in (seen, unseen))
            lines.append(f"| `{seen.representation}` over `{seen.over}` | {' | '.join(lifts)} |")
        return "\n".join(lines)

    def depth_table(self) -> str:
        """Ridge accuracy by layer, both domains."""
        return _wide(self.depth.query("layer != 'pixels'"), "layer", "ridge probe by layer, %")

    def label_table(self, view: str, title: str) -> str:
        """Ridge accuracy by labels a class: on the latent (view `headline`, with the pixels), or on best layers."""
        return _wide(self.label_efficiency[self.label_efficiency["view"] == view], "shots", title)

    def ablation_table(self) -> str:
        """A row for each run of equal length, and what it gained against another row."""
        rows = self.ablation[self.ablation.epochs.isin(["", "0", str(ABLATION_EPOCHS)])]
        numbers = {name: number for number, name in enumerate(rows.index, 1)}
        heads = ["row", "objective", "encoder", "optimizer", "changed"]
        heads += ["conv, in / out, %", "ridge, in / out, %", "gain of the conv probe, points"]
        lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        for name, row in rows.iterrows():
            gain = ""
            if row.against:
                gains = (float(row[key]) - float(rows[key][row.against]) for key in ("conv_in", "conv_out"))
                gain = f"{' / '.join(f'{value:+.1f}' for value in gains)} over row {numbers[row.against]}"
            scores = [f"{row.conv_in} / {row.conv_out}", f"{row.ridge_in} / {row.ridge_out}", gain]
            cells = [str(numbers[name]), row.objective, row.encoder, row.optimizer, row.change, *scores]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines)

    def _table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.folder / f"{name}.csv")

    def _conv(self, domain: str) -> pd.DataFrame:
        return self.comparison.query("domain == @domain and head == 'conv'")

    def _accuracy(self, representation: str, domain: str, layer: str | None = None, head: str = "conv") -> pd.Series:
        layer = layer or self.layer(representation, domain)
        (index,) = self.comparison.query(
            "domain == @domain and head == @head and representation == @representation and layer == @layer"
        ).index
        return self.comparison.loc[index]

    def _lift(self, representation: str, over: str, domain: str, view: str) -> pd.Series:
        rows = self.lifts[(self.lifts["view"] == view) & (self.lifts.domain == domain)]
        (index,) = rows.query("representation == @representation and over == @over").index
        return rows.loc[index]

    def _is_win_over_pixels(self, representation: str, domain: str) -> bool:
        """Controls and pixels are not tested against pixels."""
        tested = set(self.lifts.query("over == @PIXELS").representation)
        return representation in tested and self.wins(representation, PIXELS, domain)


def render(run: Run | None = None) -> str:
    """The whole page."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    template = environment.from_string((DOCS / "results.md.jinja").read_text(encoding="utf-8"))
    return template.render(run=run or Run(), **SETTINGS)


def percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}"


def interval(row) -> str:
    """13.7 (13.1 to 14.3)"""
    return f"{percent(row.accuracy)} ({percent(row.accuracy_low)} to {percent(row.accuracy_high)})"


def lift(row) -> str:
    """+5.0 (+4.3 to +5.6)"""
    value, low, high = (f"{100 * number:+.1f}" for number in (row.lift, row.lift_low, row.lift_high))
    return f"{value} ({low} to {high})"


def _wide(rows: pd.DataFrame, column: str, title: str) -> str:
    """A line for each representation; for each domain a cell for each value of `column`."""
    cells = rows.set_index(["representation", "domain", column]).accuracy
    values = list(dict.fromkeys(rows[column]))
    heads = [f"{domain} {value}" for domain in DOMAINS for value in values]
    lines = [f"| {title} | {' | '.join(heads)} |", "|---" * (1 + len(heads)) + "|"]
    for name in dict.fromkeys(rows.representation):
        numbers = (percent(cells[name, domain, value]) for domain in DOMAINS for value in values)
        lines.append(f"| `{name}` | {' | '.join(numbers)} |")
    return "\n".join(lines)
