"""docs/crossover.md from its template and the tables of a run: no result of the page is typed by hand.

`docs/crossover.md.jinja` holds the words. Verdicts and tables are those of the report, from the CSV files of `TABLES`.
"""

from functools import cached_property
from pathlib import Path

import jinja2
import pandas as pd
import yaml

from docs.results import CLASSES, DOCS, DOMAINS, IMAGES, TEST_IMAGES_PER_CLASS, interval, lift
from stages.comparison.tables import SEEN_CLASSES
from stages.reporting.tables import Table, seen_class_tables
from stages.study import seen_classes

TABLES = DOCS / "food101-64px-crossover"


class Crossover:
    """The tables of the run, as the template asks for them. Each value is text, rounded as the page shows it."""

    def __init__(self, folder: Path = TABLES):
        self.folder = folder
        self.params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))

    @cached_property
    def table(self) -> pd.DataFrame:
        return SEEN_CLASSES.read(self.folder / "seen_classes.csv")

    def answer(self) -> str:
        """The verdict and its numbers, in the report's words."""
        return seen_classes.answer(self.table, self.params["compare"]["equivalence"])

    def effect(self) -> str:
        """+0.3 (-0.4 to +1.0): what it is worth to have seen the classes, in points."""
        row = self._effect()
        return f"{100 * row.value:+.1f} ({100 * row.low:+.1f} to {100 * row.high:+.1f})"

    def verdict(self) -> str:
        return self._effect().verdict

    def wins(self, over: str, domain: str) -> bool:
        """Whether the first objective's lift on the primary endpoint's layer is significant."""
        rows = self._lifts(domain)
        return bool(rows.loc[rows["over"] == over, "win"].item())

    def accuracies(self) -> str:
        """Every representation in both tasks."""
        return _markdown(seen_class_tables(self.table)[0])

    def effects(self) -> str:
        """Seen minus not seen, in each task and in both."""
        return _markdown(seen_class_tables(self.table)[1])

    def primary_table(self) -> str:
        """Accuracies of the primary endpoint's head on its layer, and the lifts over each."""
        comparison = pd.read_csv(self.folder / "comparison.csv")
        comparison = comparison[(comparison["head"] == self._primary["head"]) & (comparison["seed"] == "mean")]
        comparison = comparison[comparison["layer"].isin(("pixels", self._primary["layer"]))]
        heads = ["representation"]
        for domain, number in CLASSES.items():
            heads += [f"{DOMAINS[domain]}, % of {number} classes (95 % interval)", "lift over it, points"]
        lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        for name in dict.fromkeys(comparison["representation"]):
            cells = [f"`{name}`"]
            for domain in DOMAINS:
                accuracy = comparison[(comparison["representation"] == name) & (comparison["domain"] == domain)]
                lifts = self._lifts(domain)
                over = lifts[lifts["over"] == name]
                cells.append(interval(accuracy.iloc[0]) if len(accuracy) else "")
                cells.append(f"{lift(over.iloc[0])}{' **win**' if over.iloc[0].win else ''}" if len(over) else "")
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines)

    @property
    def _primary(self) -> dict[str, str]:
        return self.params["compare"]["primary"]

    def _effect(self) -> pd.Series:
        table = self.table
        return table[(table["quantity"] == "effect") & (table["accounts_for"] == seen_classes.IMAGES)].iloc[0]

    def _lifts(self, domain: str) -> pd.DataFrame:
        rows = pd.read_csv(self.folder / "lifts.csv")
        return rows[(rows["domain"] == domain) & (rows["head"] == self._primary["head"]) & (rows["view"] == "primary")]


def render(run: Crossover | None = None) -> str:
    """The whole page."""
    run = run or Crossover()
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    template = environment.from_string((DOCS / "crossover.md.jinja").read_text(encoding="utf-8"))
    settings = {
        "images": f"{IMAGES:,}",
        "views": f"{IMAGES * run.params['train']['epochs']:,}",
        "seeds": run.params["pretext"]["seeds"],
        "margin": f"{run.params['compare']['equivalence']:g}",
        "test_images": {domain: f"{TEST_IMAGES_PER_CLASS * number:,}" for domain, number in CLASSES.items()},
    }
    return template.render(run=run, params=run.params, **settings)


def _markdown(table: Table) -> str:
    lines = [f"| {' | '.join(table.columns)} |", "|---" * len(table.columns) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in table.rows)])
