import json
import re
from pathlib import Path

import pandas as pd
import pytest

from stages import report
from stages.runtime.errors import StageError
from tests.reporting.html import Page
from tests.reporting.study import write_study

PAGE, CHART = Path("metrics/report.html"), Path("metrics/accuracy.svg")


def made(**options) -> Page:
    write_study(Path("."), **options)
    report.main()
    return Page(PAGE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, Page]:
    """The root of a study with every part, not to be changed, and its report."""
    root = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return root, made()


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_another_run_elsewhere_writes_the_same_bytes_over_a_read_only_output(whole):
    write_study(Path("."))
    for path in (PAGE, CHART):
        path.touch(mode=0o444)
    report.main()
    for path in (PAGE, CHART):
        assert path.read_bytes() == (whole[0] / path).read_bytes()


def test_nothing_is_loaded_and_nothing_of_this_machine_is_told(whole):
    root, page = whole
    source = (root / PAGE).read_text()
    loads = [
        a.get("src") or a.get("href") for tag in ("img", "script", "link", "a", "use") for a in page.attributes(tag)
    ]
    assert loads and all(re.match(r"data:image/(png|jpeg);base64,|#[a-z]+$", address) for address in loads)
    assert not re.search(r"url\(|@import|<script|http", source)
    assert str(root) not in source


def test_it_is_a_page_that_a_phone_and_a_screen_reader_can_use(whole):
    root, page = whole
    assert page.attributes("html") == [{"lang": "en"}]
    assert any(a.get("name") == "viewport" for a in page.attributes("meta"))
    assert len(set(page.ids)) == len(page.ids)
    assert all(a["href"][1:] in page.ids for a in page.attributes("a"))
    assert len(page.attributes("img")) == 24
    assert all(len(a["alt"]) > 40 for a in page.attributes("img"))
    charts = [a for a in page.attributes("svg") if a.get("role") == "img"]
    assert len(charts) == len(page.attributes("svg")) - sum("aria-hidden" in a for a in page.attributes("svg"))
    assert all(part in page.ids for a in charts for part in a["aria-labelledby"].split())
    assert all(a.get("scope") in ("col", "row") for a in page.attributes("th"))
    assert len(page.attributes("caption")) == len(page.attributes("table"))
    assert "prefers-color-scheme: dark" in (root / PAGE).read_text()


def test_everything_asked_for_is_there_in_its_order(whole):
    text = whole[1].text
    order = [
        "from lightness alone",
        "with colour in sight",
        "Accuracy of every",
        "Lifts:",
        "With fewer labels",
        "Where in",
    ]
    order += [
        "Training",
        "Painted pictures",
        "Quality of the colours",
        "Most confused",
        "Parameters that",
        "How to read it",
    ]
    places = [text.index(f"{words}") for words in order[:2]] + [text.rindex(f" {words}") for words in order[2:]]
    assert places == sorted(places)


def test_class_names_are_words_not_markup(whole):
    page = whole[1]
    assert "beef <b>tartare</b>" in page.text and "pho & ramen" in page.text
    assert page.attributes("b") == []


def test_it_speaks_of_no_win_where_there_is_none(whole):
    assert "beats" in whole[1].text
    write_study(Path("."))
    for path in ("metrics/lifts.csv", "metrics/few_shot_lifts.csv"):
        pd.read_csv(path).assign(win=0).to_csv(path, index=False)
    report.main()
    assert "beats" not in PAGE.read_text() and "a win" not in Page(PAGE.read_text()).text.split("How to read it")[0]


def test_the_sample_as_it_is_differs_in_nothing():
    page = made(
        objectives=["colorization"],
        controls=["random", "reconstruction", "swapped"],
        pixels=["rgb_small", "lightness_small"],
        finetuned=["random", "colorization"],
    )
    assert "None: this is profiles/sample.yaml" in page.text


def test_changed_parameters_are_listed(whole):
    assert "pretext.objectives [colorization] [colorization, color_classification, split_brain]" in whole[1].text


@pytest.mark.parametrize(
    "options",
    [
        {"objectives": ["split_brain"]},
        {"objectives": ["colorization"], "controls": [], "pixels": ["rgb"]},
        {"objectives": ["colorization"], "controls": ["random"], "probed": ["random"]},
        {"objectives": ["colorization"], "probed": [], "controls": []},
        {"heads": ["ridge"]},
        {"heads": ["conv"], "painted": False},
        {"epochs": 1},
        {"epochs": 100},
    ],
    ids=str,
)
def test_parts_may_be_absent(options):
    page = made(**options)
    assert "How to read it" in page.text
    assert not re.search(r"NaN|None\b(?!:)|Undefined", page.text)


def test_without_an_objective_among_the_probed_it_says_how_to_get_an_answer():
    page = made(objectives=["colorization"], controls=["random"], probed=["random"])
    assert "No objective that learned colour was probed" in page.text


def test_fine_tuning_has_charts_and_says_how_many_labels_pretraining_saves(whole):
    assert "Fine-tuned" not in whole[1].text and "from scratch" not in whole[1].text
    page = made(objectives=["colorization"], controls=["random"], finetuned=["rgb", "random", "colorization"])
    text = " ".join(page.text.split())
    assert "The same with the fine-tuned encoder" in text and "Fine-tuned: the encoder and a linear layer" in text
    assert (
        "Fine-tuned on 5 labels a class, colorization is right on 50.0 % of test images; rgb from scratch takes 12.5 "
        "labels a class for that (95 % interval 8 to 20): pretraining saves 7.5 labels a class."
    ) in text
    assert "more than 75.0" in text and "75 or more" in text


def test_numbers_without_intervals_are_shown_without():
    write_study(Path("."), objectives=["colorization"])
    for name in ("comparison", "depth", "label_efficiency", "accuracy"):
        table = pd.read_csv(f"metrics/{name}.csv")
        ends = ("low", "high") if name == "accuracy" else ("accuracy_low", "accuracy_high")
        table.assign(**dict.fromkeys(ends)).to_csv(f"metrics/{name}.csv", index=False)
    confused = Path("data/comparison/confused.csv")
    confused.write_text(re.sub(r"\bnan\b", "naan", confused.read_text()))  # a dish of that name is no number
    report.main()
    assert not re.search(r"\bnan\b", PAGE.read_text())


def test_empty_tables_make_an_empty_report_not_an_error():
    write_study(Path("."))
    for path in [*Path("metrics").glob("*.csv"), *Path("data/comparison").glob("*.csv")]:
        path.write_text(path.read_text().splitlines()[0] + "\n")
    report.main()
    assert "No objective that learned colour was probed" in Page(PAGE.read_text()).text


def test_an_encoder_that_the_code_does_not_know_is_shown_like_any_other():
    write_study(Path("."), objectives=["colorization"], controls=["random", "reconstruction"], epochs=2)
    for path in [*Path("metrics").glob("*.csv"), *Path("data/comparison").glob("*.csv")]:
        path.write_text(path.read_text().replace("reconstruction", "blurred_lightness"))
    report.main()
    source = PAGE.read_text()
    page = Page(source)
    for chart in re.findall(r"<svg .*?</svg>", source, re.S):
        # Of the trainings, which params.yaml names, are the losses and the online probe.
        of_training = re.search('aria-labelledby="(training_loss|probe_curves-online)', chart)
        assert "blurred_lightness" in chart or of_training
    assert "beats the best lightness-only control, blurred_lightness" in page.text
    assert ">blurred_lightness</text>" in CHART.read_text()


def test_one_colour_everywhere_is_told():
    write_study(Path("."))
    path = Path("metrics/colorization.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"collapsed": {"colorization": 1, "split_brain": 0}}))
    report.main()
    text = Page(PAGE.read_text()).text
    assert "colorization painted one colour everywhere" in text and "split_brain painted one" not in text


def test_pictures_of_many_objectives_leave_it_below_two_megabytes():
    made(size=80)
    assert PAGE.stat().st_size < 2_000_000


@pytest.mark.parametrize("name", ["metrics/lifts.csv", "metrics/comparison.json", "data/comparison/confused.csv"])
def test_a_missing_file_is_named_and_nothing_is_written(name):
    write_study(Path("."))
    Path(name).unlink()
    with pytest.raises(StageError, match=f"{name} is missing"):
        report.main()
    assert not PAGE.exists()


def test_a_table_of_another_form_is_refused():
    write_study(Path("."))
    Path("metrics/depth.csv").write_text("domain,layer\nin,mid\n")
    with pytest.raises(StageError, match=r"metrics/depth.csv is not the table"):
        report.main()
