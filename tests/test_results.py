"""The pages of results say what their tables say."""

import re
import shutil

import jinja2
import pandas as pd
import pytest

from docs import crossover
from docs.crossover import Crossover
from docs.results import DOCS, DOMAINS, TABLES, Run, render
from stages.study.seen_classes import UNDECIDED

PAGE = (DOCS / "results.md").read_text()
TEMPLATES = {page: (DOCS / f"{page}.md.jinja").read_text() for page in ("results", "crossover")}
TEMPLATE = TEMPLATES["results"]
RUN = Run()
UNITS = r"%|percent\b|points?\b|times\b"
RESULTS = re.findall(r"{{ (run\.(?:accuracy|ratio|lift|few_labels|trial)\(.*?\)) }}", TEMPLATE)


def test_the_page_is_its_template_with_the_numbers_of_the_tables():
    assert render() == PAGE, "run `make docs`"


def test_what_comes_before_the_tables_is_short():
    before, heading, _ = PAGE.partition("## Every layer and probe")
    assert heading
    assert len(before.split()) <= 1200


@pytest.mark.parametrize("page", TEMPLATES)
def test_no_result_is_typed_into_the_template(page):
    """A result has a unit or decimals. The level of the intervals and of the tests, and code, are none."""
    no_results = r"{{.*?}}|{%.*?%}|```.*?```|`[^`]*`|95 % interval|p < 0\.05"
    words = re.sub(no_results, "", TEMPLATES[page], flags=re.DOTALL)
    assert re.findall(rf"\d+(?: (?:and|to) [-+]?[\d.]+)? ?(?:{UNITS})", words) == []
    assert re.findall(r"(?<![\w.])\d+\.\d+(?![\w.])", words) == []


@pytest.fixture(scope="module")
def other_run(tmp_path_factory):
    """The run with another value in every row, and another ratio of any two rows."""
    folder = shutil.copytree(TABLES, tmp_path_factory.mktemp("run") / "tables")
    for path in folder.glob("*.csv"):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        for column in frame.columns[frame.columns.str.match(r"accuracy|lift|conv_|ridge_")]:
            frame[column] = pd.to_numeric(frame[column]) * (2 + frame.index)
        frame.to_csv(path, index=False)
    return Run(folder)


@pytest.mark.parametrize("expression", dict.fromkeys(RESULTS))
def test_a_result_in_the_text_follows_its_table(other_run, expression):
    assert len(RESULTS) > 30
    value = jinja2.Environment().compile_expression(expression)
    assert value(run=other_run) != value(run=RUN)


@pytest.mark.parametrize(
    ("table", "column", "row"),
    [
        ("comparison", "accuracy", "domain == 'in' and representation == 'colorization' and seed == 'mean'"),
        ("lifts", "lift_high", "domain == 'out' and view == 'best' and representation == 'split_brain'"),
        ("depth", "accuracy", "representation == 'random' and layer == 'mid'"),
        ("label_efficiency", "accuracy", "representation == 'rgb' and shots == '5'"),
        ("ablation", "conv_in", "optimizer == 'Muon'"),
    ],
)
def test_another_number_in_a_table_is_another_page(tmp_path, table, column, row):
    folder = shutil.copytree(TABLES, tmp_path / "tables")
    path = folder / f"{table}.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows = frame.query(row).index
    assert len(rows)
    frame.loc[rows, column] = "0.987"
    frame.to_csv(path, index=False)
    assert render(Run(folder)) != PAGE


def test_the_words_between_the_numbers_are_true():
    """What the page says of them: better, 25 labels, behind, no win."""
    for domain in DOMAINS:
        assert all(RUN.wins("colorization", over, domain) for over in ("rgb", "random", "reconstruction"))
        few, pixels = (RUN.few_labels(*arm) for arm in (("colorization", domain, "25"), ("rgb", domain, "all")))
        assert float(few) > float(pixels)
        low, high = re.findall(r"[-+][\d.]+", RUN.lift("color_classification", "colorization", domain))[1:]
        assert float(low) < float(high) < 0
        accuracies = {name: float(RUN.accuracy(name, domain)) for name in RUN.comparison.representation}
        assert max(accuracies, key=accuracies.get) == "split_brain"
        assert RUN.wins("split_brain", "reconstruction", domain)
        low, _ = re.findall(r"[-+][\d.]+", RUN.lift("colorization", "rgb", domain, "headline"))[1:]
        assert float(low) <= 0
    assert RUN.wins("split_brain", "colorization", "in")
    assert not RUN.wins("split_brain", "colorization", "out")
    assert float(RUN.ratio("colorization", "rgb", "in")) >= 1.5 > float(RUN.ratio("colorization", "rgb", "out"))


def test_the_optimizer_is_worth_more_than_any_other_change():
    trials = RUN.ablation
    for column in ("conv_in", "conv_out"):
        score = trials[column].astype(float)
        gains = {name: score[name] - score[against] for name, against in trials.against.items() if against}
        assert max(gains, key=lambda name: abs(gains[name])) == "regression"
    for muon, adamw in (
        ("classification", "classification_adamw_four_epochs"),
        ("classification_four_blocks", "classification_adamw_eight_epochs"),
    ):
        assert int(trials.epochs[muon]) < int(trials.epochs[adamw])
        assert trials.encoder[muon] == trials.encoder[adamw]
        assert all(float(trials[key][muon]) > float(trials[key][adamw]) for key in ("conv_in", "conv_out"))
    rows = [line for line in RUN.ablation_table().splitlines() if "LPIPS" in line or "| classification |" in line]
    assert [line.split(" | ")[0] for line in rows[:3]] == ["| 8", "| 9", "| 10"]  # as the text calls them


def test_the_page_of_the_crossover_is_its_template_with_the_numbers_of_the_tables():
    assert crossover.render() == (DOCS / "crossover.md").read_text(), "run `make docs`"


@pytest.mark.parametrize(
    ("table", "column", "row"),
    [
        ("seen_classes", "value", "quantity == 'effect'"),
        ("seen_classes", "high", "quantity == 'difference' and task == 'out'"),
        ("seen_classes", "value", "quantity == 'accuracy' and representation == 'swapped'"),
        ("comparison", "accuracy", "domain == 'in' and head == 'conv' and layer == 'mid' and seed == 'mean'"),
        ("lifts", "lift", "domain == 'out' and head == 'conv' and view == 'primary'"),
    ],
)
def test_another_number_in_a_table_is_another_page_of_the_crossover(tmp_path, table, column, row):
    folder = shutil.copytree(crossover.TABLES, tmp_path / "tables")
    path = folder / f"{table}.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows = frame.query(row).index
    assert len(rows)
    frame.loc[rows, column] = "0.987"
    frame.to_csv(path, index=False)
    assert crossover.render(Crossover(folder)) != crossover.render()


def test_what_the_pages_say_of_the_crossover_is_true():
    """Undecided, three pretrainings of one epoch, one learning rate."""
    run = Crossover()
    assert run.verdict() == UNDECIDED
    assert all("undecided" in text for text in (PAGE, run.answer()))
    low, high = (float(number) for number in re.findall(r"[-+][\d.]+", run.effect())[1:])
    margin = run.params["compare"]["equivalence"]
    assert low < 0 < high and (low < -margin or high > margin)
    assert run.params["pretext"]["seeds"] == 3
    assert run.params["train"]["epochs"] == 1
    assert run.params["probe"]["learning_rates"] == [3e-3]
    assert [run.wins("rgb_small", domain) for domain in DOMAINS] == [True, False]
