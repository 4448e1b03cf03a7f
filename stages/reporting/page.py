"""The page: evidence, figures and tables put into the template."""

from pathlib import Path

import jinja2
from markupsafe import Markup

from stages.reporting import figures, tables
from stages.reporting.answer import find_answers, main_head, sentence, verdict
from stages.reporting.evidence import Evidence
from stages.reporting.names import COLOR_PIXELS, DESCRIPTIONS, DOMAINS, HEADS, sees
from stages.reporting.numbers import percent, points
from stages.reporting.pictures import Picture

ROOM = Path(__file__).parent


def render_page(
    evidence: Evidence,
    pictures: dict[str, dict[str, list[Picture]]],
    changes: list[tuple[str, str, str]],
) -> str:
    """HTML in one piece: its style, charts and pictures are in it, and nothing is loaded.

    Args:
        pictures: as by `stages.reporting.pictures.embedded_pictures`.
        changes: as by `stages.reporting.parameters.changed_parameters`.
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
    head = main_head(evidence)
    from_lightness = find_answers(evidence, sees_color=False)
    from_color = find_answers(evidence, sees_color=True)
    compared = list(dict.fromkeys(evidence.comparison["representation"]))
    return environment.get_template("report.html.jinja").render(
        style=Markup((ROOM / "report.css").read_text(encoding="utf-8")),
        findings={"From lightness alone": from_lightness, "With colour in sight": from_color},
        sentence=sentence,
        verdict=verdict,
        head=head and HEADS[head],
        representations=[(name, sees(name), DESCRIPTIONS.get(name, "")) for name in compared],
        representation_tables=_by_domain(tables.representation_table, evidence),
        accuracy={name: figures.accuracy_figure(evidence, key) for key, name in HEADS.items()},
        lifts=figures.lift_figure(evidence, head) if head else None,
        lift_tables=_by_domain(tables.lift_table, evidence),
        other_best=figures.has_other_best_layers(evidence),
        efficiency={view: figures.efficiency_figure(evidence, view) for view in ("best", "headline")},
        efficiency_tables=_by_domain(tables.efficiency_table, evidence),
        depth=figures.depth_figure(evidence),
        depth_tables=_by_domain(tables.depth_table, evidence),
        training=figures.training_figure(evidence),
        training_table=tables.training_table(evidence.training),
        probes=figures.probe_figure(evidence),
        probe_tables=_by_domain(tables.curve_table, evidence),
        pictures=pictures,
        domains={domain: title for domain, (_, title, _) in DOMAINS.items()},
        quality=[
            tables.quality_table(evidence.quality[key], title)
            for key, title, _ in DOMAINS.values()
            if evidence.quality.get(key)
        ],
        collapsed=evidence.collapsed,
        confused=_confused(evidence, [finding.objective for finding in [*from_lightness, *from_color]]),
        changes=tables.Table(
            "Parameters that differ from the default, profiles/sample.yaml.",
            ["parameter", "default", "here"],
            [list(change) for change in changes],
            {"default", "here"},
        ),
        seeds=evidence.seeds,
    )


def _by_domain(make, evidence: Evidence) -> list[tables.Table]:
    made = [make(evidence, domain, title) for domain, (_, title, _) in DOMAINS.items()]
    return [table for table in made if table.rows]


def _confused(evidence: Evidence, objectives: list[str]) -> dict[str, dict[str, list[tables.Table]]]:
    """Tables by domain: of what the answer speaks of, and of the rest."""
    found = {}
    for domain, (_, title, _) in DOMAINS.items():
        own = evidence.confused[evidence.confused["domain"] == domain]
        parts: dict[str, list[tables.Table]] = {"first": [], "others": []}
        for name, rows in own.groupby("representation", sort=False):
            first = name in objectives or name == COLOR_PIXELS[0]
            parts["first" if first else "others"].append(tables.confused_table(rows, name, title))
        if len(own):
            found[title] = parts
    return found
