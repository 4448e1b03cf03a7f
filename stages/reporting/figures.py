"""Which numbers go into which chart: a figure has a panel a domain, or an encoder."""

from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from stages.reporting.answer import main_head
from stages.reporting.numbers import fixed, percent, points
from stages.reporting.results import StudyResults
from stages.reporting.theme import COLORS, SUBSETS, with_variables
from stages.reporting.vega import as_file, fill_template, render
from stages.study.heads import FINETUNED, HEADS
from stages.study.representations import OBJECTIVES
from stages.study.vocabulary import DOMAINS

FINETUNED_VIEW = "fine-tuned"  # a row of the chart of few labels, beside those of the views


@dataclass(frozen=True)
class Panel:
    title: str
    drawing: Markup


def accuracy_figure(results: StudyResults, head: str) -> list[Panel]:
    """Bars of a head's accuracies: the layers of every view, each once."""
    panels = []
    for domain, names in DOMAINS.items():
        bars = _of_domain(results.accuracy, domain)
        bars = bars[bars["head"] == head].assign(chance=results.chance.get(domain))
        title = f"{names.title}: test accuracy of the {(HEADS | FINETUNED)[head]}"
        panels += _panel("accuracy", bars, names.title, title, f"Test accuracy: {_spoken(bars)}.", f"{head}-{domain}")
    return panels


def accuracy_file(results: StudyResults) -> str:
    """The bars of the main head in both domains as one standalone SVG."""
    head = main_head(results)
    bars = results.accuracy[results.accuracy["head"] == head]
    spoken = [f"{DOMAINS[domain].title}: {_spoken(rows)}." for domain, rows in bars.groupby("domain", sort=False)]
    titles = {domain: names.title for domain, names in DOMAINS.items()}
    name = HEADS.get(head, "probes")
    bars = bars.assign(domain=bars["domain"].map(titles), chance=bars["domain"].map(results.chance), head=name)
    title = f"Test accuracy of the {name}"
    svg = render(fill_template("accuracy", bars, "representation"), title, " ".join(spoken), headers=True)
    return as_file(svg, COLORS["ground"][0])


def lift_figure(results: StudyResults, head: str) -> list[Panel]:
    """A forest plot of a head's lifts: those of every view, each pair of layers once."""
    panels = []
    for domain, names in DOMAINS.items():
        lifts = _of_domain(results.lifts, domain)
        lifts = lifts[(lifts["head"] == head) & lifts["lift"].notna()]
        lifts = lifts.sort_values("representation", key=lambda column: ~column.isin(OBJECTIVES), kind="stable")
        spoken = [
            f"{name} over {over} {' and '.join(f'{points(row.lift)} ({row.view})' for row in rows.itertuples())}"
            for (name, over), rows in lifts.groupby(["representation", "over"], sort=False)
        ]
        title = f"{names.title}: lifts of the {HEADS[head]}"
        panels += _panel("lifts", lifts, names.title, title, f"Lifts in points: {', '.join(spoken)}.", domain)
    return panels


def efficiency_figure(results: StudyResults, view: str) -> list[Panel]:
    """Accuracy against the number of labels a class, for the layers of a view; pixels are in each.

    Of the ridge probe, but where the view is `FINETUNED_VIEW`.
    """
    panels = []
    for domain, names in DOMAINS.items():
        curves = _of_domain(results.efficiency, domain)
        finetuned = curves["head"].isin(FINETUNED)
        if view == FINETUNED_VIEW:
            curves = curves[finetuned]
        else:
            curves = curves[~finetuned & ((curves["view"] == view) | (curves["layer"] == "pixels"))]
        curves = curves.drop_duplicates(["representation", "shots"]).sort_values("labels", kind="stable")
        most = curves[curves["labels"] == curves["labels"].max()]
        spoken = ", ".join(f"{row.representation} {percent(row.accuracy)} %" for row in most.itertuples())
        description = f"Test accuracy with {most['labels'].max():.3g} labels a class, the most: {spoken}."
        layers = "fine-tuned encoders" if view == FINETUNED_VIEW else f"{view} layers"
        title = f"{names.title}: accuracy against labels a class, {layers}"
        curves = curves.assign(only=view, chance=results.chance.get(domain))
        panels += _panel("label_efficiency", curves, names.title, title, description, f"{view}-{domain}")
    return panels


def depth_figure(results: StudyResults) -> list[Panel]:
    """Accuracy against depth, a row of charts a head; pixels, which have one layer, are a level line."""
    panels = []
    for domain, names in DOMAINS.items():
        layers = _of_domain(results.depth, domain).assign(chance=results.chance.get(domain))
        best = layers[layers["chosen"] == 1]
        spoken = ", ".join(
            f"{row.representation} {row.layer} {percent(row.accuracy)} % ({row.head})" for row in best.itertuples()
        )
        description = f"Test accuracy at the layer that cross-validation chose: {spoken}."
        panels += _panel("depth", layers, names.title, f"{names.title}: accuracy by layer", description, domain)
    return panels


def training_figure(results: StudyResults) -> list[Panel]:
    """The loss of each encoder an epoch; losses of different objectives are not of one scale."""
    panels = []
    for name, losses in results.training.items():
        subsets = [subset for subset in SUBSETS if subset in losses]
        series = losses.melt("step", subsets, var_name="subset", value_name="loss").dropna()
        if series["step"].nunique() < 2:
            continue
        last = losses.iloc[-1]
        spoken = " and ".join(f"{subset} {fixed(last[subset], 4)}" for subset in subsets)
        description = f"Loss after epoch {last['step']:g}: {spoken}."
        panels += _panel("training_loss", series, name, f"Training {name}", description, name, series="subset")
    return panels


def probe_figure(results: StudyResults) -> list[Panel]:
    """Validation accuracy of the conv probes an epoch."""
    return _curve_panels(results, results.curves, "the conv probes' training", "Validation accuracy", "")


def online_figure(results: StudyResults) -> list[Panel]:
    """Validation accuracy of the online probe, an epoch of each encoder's training; nothing where none has two."""
    curves = results.online[results.online.groupby("domain")["epoch"].transform("nunique") > 1]
    title, subject = "the online probe during training", "Validation accuracy of the online probe"
    return _curve_panels(results, curves, title, subject, "online-")


def _curve_panels(results: StudyResults, curves: pd.DataFrame, title: str, subject: str, slug: str) -> list[Panel]:
    """Validation accuracy an epoch, one line a representation."""
    panels = []
    for domain, names in DOMAINS.items():
        rows = _of_domain(curves, domain).assign(chance=results.chance.get(domain))
        last = rows.groupby("representation", sort=False)["validation_accuracy"].last()
        spoken = ", ".join(f"{name} {percent(accuracy)} %" for name, accuracy in last.items())
        description = f"{subject} after the last epoch: {spoken}."
        panels += _panel("probe_curves", rows, names.title, f"{names.title}: {title}", description, f"{slug}{domain}")
    return panels


def _panel(
    template: str, rows: pd.DataFrame, heading: str, title: str, description: str, slug: str, *, series="representation"
) -> list[Panel]:
    """A chart in the page's colours below its heading, or nothing where there are no rows."""
    if rows.empty:
        return []
    svg = render(fill_template(template, rows, series), title, description, slug=f"{template}-{slug}")
    return [Panel(heading, Markup(with_variables(svg)))]


def _of_domain(table: pd.DataFrame, domain: str) -> pd.DataFrame:
    return table[table["domain"] == domain]


def _spoken(bars: pd.DataFrame) -> str:
    """What bars of accuracies show; a layer of several views is one bar."""
    rows = bars.drop_duplicates(["representation", "layer"]).itertuples()
    places = [(row, "" if row.layer == "pixels" else f" {row.layer}") for row in rows]
    return ", ".join(f"{row.representation}{layer} {percent(row.accuracy)} %" for row, layer in places)
