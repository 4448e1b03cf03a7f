"""The comparison as text, for whoever watches the stage."""

import textwrap

import pandas as pd

from stages.comparison.lifts import typical_detectable
from stages.comparison.primary import Endpoint, primary_results
from stages.probing.tables import FINETUNE
from stages.study.heads import HEADS
from stages.study.labels_saved import saved_sentence, with_fewest_labels
from stages.study.verdicts import ALPHA, WIN, verdict
from stages.study.vocabulary import with_layer

WIDTH = 120
TITLES = {"in": "In-domain (classes that the autoencoder saw)", "out": "Out of domain (held-out classes)"}


def comparison_text(
    means: pd.DataFrame, lifts: pd.DataFrame, labels_saved: pd.DataFrame, classes: dict[str, int], endpoint: Endpoint
) -> str:
    """The primary endpoint; then a block a domain: accuracies in percent, the subject's lifts, what each encoder beats.

    Args:
        means: as by `stages.comparison.cells.mean_rows`.
        lifts: as by `stages.comparison.lifts.lift_table`.
        labels_saved: as by `stages.comparison.labels_saved.labels_saved_table`.
        classes: how many classes each domain has.
        endpoint: the primary endpoint.
    """
    lines = _primary(primary_results(means, lifts), classes)
    for domain, title in TITLES.items():
        rows = means[means["domain"] == domain]
        probed = [head for head in HEADS if (rows["head"] == head).any() and head != endpoint.head]
        lifted = f"   {endpoint.subject}'s lift ({endpoint.head})" if endpoint.subject else ""
        lines += [
            f"{title}: test accuracy in % ± half the 95 % interval.",
            f"Chance: {100 / classes[domain]:.1f} % ({classes[domain]} classes).",
            f"  {'representation':<21}{endpoint.head:>11}  {'best layer':<19}{'latent':>11}"
            f"{''.join(f'{head:>7}' for head in probed)}{lifted}",
        ]
        for name in dict.fromkeys(rows["representation"]):
            cells = rows[rows["representation"] == name].set_index(["view", "head"])
            shown = {view: _percent(cells, view, endpoint.head) for view in ("primary", "latent", "best")}
            best = f"{shown['best']} {cells.loc[('best', endpoint.head), 'layer']}" if shown["best"] else ""
            others = "".join(f"{100 * cells.loc[('primary', head), 'accuracy']:>7.1f}" for head in probed)
            line = f"  {name:<21}{shown['primary']:>11}  {best:<19}{shown['latent']:>11}{others}"
            lines.append(f"{line}   {_lift(cells.loc[('primary', endpoint.head)])}".rstrip())
        lines += [*_wins(lifts, domain, endpoint.head), *_finetuned(rows, labels_saved, domain), ""]
    return "\n".join(lines)


def _primary(results: pd.DataFrame, classes: dict[str, int]) -> list[str]:
    """The answer of the primary endpoint, a line a domain."""
    if results.empty:
        return []
    first = results.iloc[0]
    lines = [
        f"Primary endpoint: {with_layer(first['representation'], first['layer'])} minus "
        f"{with_layer(first['over'], first['over_layer'])}, {HEADS[first['head']]}."
    ]
    for _, row in results.iterrows():
        title = TITLES[row["domain"]].partition(" (")[0]
        p = f"p {row['p']:.2g}"
        if row["p_adjusted"] > row["p"]:
            p += f", {row['p_adjusted']:.2g} in sequence"
        words = "a win" if verdict(row) == WIN else verdict(row)
        lines.append(
            f"  {title + ':':<15}{100 * row['accuracy']:.1f} % against {100 * row['over_accuracy']:.1f} % "
            f"(chance {100 / classes[row['domain']]:.1f} %), {_lift(row)} points, {p}: {words}."
        )
    note = (
        f"Declared in compare.primary, tested without correction at {ALPHA:g} in a fixed sequence: out of domain "
        f"counts only if in domain a difference is shown. All that follows is secondary."
    )
    return [*lines, *textwrap.wrap(note, WIDTH, initial_indent="  ", subsequent_indent="  "), ""]


def _wins(lifts: pd.DataFrame, domain: str, head: str) -> list[str]:
    """Which secondary lifts of a head are wins, and the minimum detectable lift."""
    if lifts.empty:
        return []
    secondary = lifts[(lifts["head"] == head) & (lifts["primary"] == 0)]
    tests = secondary.drop_duplicates(["domain", "representation", "layer", "over", "over_layer"])
    lines = [f"  Wins ({head}; interval above zero, p < {ALPHA:g} after Holm's correction for {len(tests)} tests):"]
    for (name, view), group in secondary[secondary["domain"] == domain].groupby(["representation", "view"], sort=False):
        place = {"primary": "", "latent": " (latents)", "best": " (best layers)"}[view]
        beaten, others = (", ".join(group.loc[group["win"] == win, "over"]) for win in (1, 0))
        text = f"{name}{place} over {beaten or 'none'}" + (f" (not {others})" if beaten and others else "")
        lines += textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="      ")
    detectable = typical_detectable(lifts, domain, head)
    lines.append(f"  Minimum detectable lift at 80 % power (median, uncorrected): {100 * detectable:.1f} points.")
    return lines


def _finetuned(rows: pd.DataFrame, labels_saved: pd.DataFrame, domain: str) -> list[str]:
    """Accuracies of fine-tuning, and the labels that pretraining saves with the fewest; else nothing."""
    tuned = rows[rows["head"] == FINETUNE]
    if tuned.empty:
        return []
    shown = [f"{row['representation']} {_percent_of(row)}" for _, row in tuned.iterrows()]
    lines = [f"Fine-tuned end to end on all labels: {', '.join(shown)}."]
    lines += [saved_sentence(row) for _, row in with_fewest_labels(labels_saved, domain).iterrows()]
    return [
        line for text in lines for line in textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
    ]


def _percent(cells: pd.DataFrame, view: str, head: str) -> str:
    """`52.7 ± 6.6`; empty where a representation has no such view."""
    if (view, head) not in cells.index:
        return ""
    return _percent_of(cells.loc[(view, head)])


def _percent_of(row: pd.Series) -> str:
    half = (row["accuracy_high"] - row["accuracy_low"]) / 2
    return f"{100 * row['accuracy']:.1f} ± {100 * half:.1f}"


def _lift(row: pd.Series) -> str:
    if pd.isna(row["lift"]):
        return ""
    return f"{100 * row['lift']:+.1f} ({100 * row['lift_low']:+.1f} to {100 * row['lift_high']:+.1f})"
