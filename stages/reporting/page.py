"""The page: results, charts and tables put into the template."""

from pathlib import Path

import jinja2
from markupsafe import Markup

from stages.reporting import figures, tables
from stages.reporting.answer import facts, find_answers, main_head, primary_findings, sentence
from stages.reporting.numbers import percent, percent_range, points
from stages.reporting.pictures import Picture
from stages.reporting.results import StudyResults
from stages.reporting.theme import css_variables
from stages.study import seen_classes
from stages.study.heads import FINETUNED, HEADS
from stages.study.labels_saved import saved_sentence, with_fewest_labels
from stages.study.representations import BY_NAME, COLOR_PIXELS
from stages.study.verdicts import verdict
from stages.study.vocabulary import DOMAINS

ROOM = Path(__file__).parent
VIEWS = ("primary", "best", "latent", figures.FINETUNED_VIEW)  # of the chart of few labels


def render_page(
    results: StudyResults,
    pictures: dict[str, dict[str, list[Picture]]],
    changes: list[tuple[str, str, str]],
    equivalence: float,
) -> str:
    """HTML in one piece: its style, charts and pictures are in it, and nothing is loaded.

    Args:
        pictures: as by `stages.reporting.pictures.embedded_pictures`.
        changes: as by `stages.reporting.parameters.changed_parameters`.
        equivalence: the parameter, in percentage points.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOM),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"percent": percent, "points": points}
    head = main_head(results)
    primary = primary_findings(results)
    from_lightness = find_answers(results, from_color=False)
    from_color = find_answers(results, from_color=True)
    compared = list(dict.fromkeys(results.comparison["representation"]))
    return environment.get_template("report.html.jinja").render(
        style=Markup(css_variables() + (ROOM / "report.css").read_text(encoding="utf-8")),
        findings={
            "The primary endpoint": primary,
            "Secondary: the best layer, from lightness alone": from_lightness,
            "Secondary: the best layer, with colour in sight": from_color,
        },
        sentence=sentence,
        facts=facts,
        percent_range=percent_range,
        heads=HEADS,
        takeaways=list(results.takeaways.itertuples()),
        verdict=verdict,
        head=head and HEADS[head],
        seen_answer=seen_classes.answer(results.seen_classes, equivalence),
        seen_tables=tables.seen_class_tables(results.seen_classes),
        representations=[(name, tables.sees(name), _description(name)) for name in compared],
        representation_tables=_by_domain(tables.representation_table, results),
        accuracy={name: figures.accuracy_figure(results, key) for key, name in (HEADS | FINETUNED).items()},
        lifts=figures.lift_figure(results, head) if head else None,
        lift_tables=_by_domain(tables.lift_table, results),
        class_tables=_by_domain(tables.class_table, results),
        ratio_tables=_by_domain(tables.ratio_table, results),
        primary_layer=next(iter(results.accuracy.query("view == 'primary' and layer != 'pixels'")["layer"]), None),
        efficiency={view: figures.efficiency_figure(results, view) for view in VIEWS},
        efficiency_tables=_by_domain(tables.efficiency_table, results),
        labels_saved=_labels_saved(results),
        labels_saved_tables=_by_domain(tables.labels_saved_table, results),
        few_shot_lift_tables=_by_domain(tables.few_shot_lift_table, results),
        depth=figures.depth_figure(results),
        depth_tables=_by_domain(tables.depth_table, results),
        training=figures.training_figure(results),
        training_table=tables.training_table(results.training),
        online=figures.online_figure(results),
        online_tables=_by_domain(tables.online_table, results),
        probes=figures.probe_figure(results),
        probe_tables=_by_domain(tables.curve_table, results),
        pictures=pictures,
        domains={domain: names.title for domain, names in DOMAINS.items()},
        quality=[
            tables.quality_table(results.quality[names.key], names.title)
            for names in DOMAINS.values()
            if results.quality.get(names.key)
        ],
        collapsed=results.collapsed,
        confused=_confused(results, [finding.objective for finding in [*primary, *from_lightness, *from_color]]),
        changes=tables.Table(
            "Parameters that differ from the default, profiles/sample.yaml.",
            ["parameter", "default", "here"],
            [list(change) for change in changes],
            {"default", "here"},
        ),
        seeds=results.seeds,
    )


def _description(representation: str) -> str:
    return BY_NAME[representation].description if representation in BY_NAME else ""


def _by_domain(make, results: StudyResults) -> list[tables.Table]:
    made = [make(results, domain, names.title) for domain, names in DOMAINS.items()]
    return [table for table in made if table.rows]


def _labels_saved(results: StudyResults) -> dict[str, list[str]]:
    """By domain, a sentence for each pretrained encoder and network from scratch: of the fewest labels."""
    rows = {names.title: with_fewest_labels(results.labels_saved, domain) for domain, names in DOMAINS.items()}
    return {title: [saved_sentence(row) for _, row in few.iterrows()] for title, few in rows.items() if len(few)}


def _confused(results: StudyResults, objectives: list[str]) -> dict[str, dict[str, list[tables.Table]]]:
    """Tables by domain: of what the answer speaks of, and of the rest."""
    by_domain = {}
    for domain, names in DOMAINS.items():
        pairs = results.confused[results.confused["domain"] == domain]
        parts: dict[str, list[tables.Table]] = {"first": [], "others": []}
        for name, rows in pairs.groupby("representation", sort=False):
            first = name in objectives or name == COLOR_PIXELS[0]
            parts["first" if first else "others"].append(tables.confused_table(rows, name, names.title))
        if len(pairs):
            by_domain[names.title] = parts
    return by_domain
