"""The pages: generated parts are up to date, links and names lead somewhere, commands are accepted."""

import itertools
import re
import shlex
from importlib.util import find_spec

import pytest
from dvc.utils.hydra import apply_overrides, get_hydra_sweeps

from docs.generate import pages
from docs.reruns import STAGES, leaves, matrix_key, parameter_reruns
from stages.runtime.errors import StageError
from stages.runtime.params import load_params
from stages.runtime.schema import Params
from tests.project import ROOT
from tests.test_pipeline import test_a_parameter_can_rerun_what_depends_on_it_and_nothing_else as reruns_by_dvc

DOCS = {path.relative_to(ROOT).as_posix(): path.read_text() for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")]}
PROFILES = sorted(ROOT.glob("profiles/*.yaml"))
LISTS = {matrix_key(stage) for stage in STAGES}
OUTPUTS = [
    output if isinstance(output, str) else next(iter(output))
    for stage in STAGES.values()
    for output in [*stage.get("outs", []), *stage.get("metrics", [])]
]
# Names that extending.md invents.
INVENTED = {"blurred_lightness", "charbonnier"}


def test_the_generated_parts_are_up_to_date():
    outdated = [path.name for path, text in pages().items() if path.read_text() != text]
    assert outdated == [], "run `make docs`"


def test_what_a_change_reruns_is_what_dvc_reruns():
    """For every case of tests/test_pipeline.py, whose small study has fewer items."""
    reruns = parameter_reruns()
    (_, cases) = reruns_by_dvc.pytestmark[0].args
    cases = {_key(change): expected for change, expected in cases}
    cases = {
        key: expected for key, expected in cases.items() if key not in LISTS
    }  # of these another name is added here
    assert len(cases) > 10
    items = set().union(*cases.values())
    for key, expected in cases.items():
        told = {f"{stage}@{item}".rstrip("@") for stage, own in reruns[key].items() for item in own}
        assert told & items == expected, key


def _key(change: dict) -> str:
    ((name, value),) = change.items()
    return f"{name}.{_key(value)}" if isinstance(value, dict) else name


def test_every_parameter_has_a_meaning():
    for key in leaves():
        assert f"| `{key}` |" in DOCS["docs/parameters.md"]
    assert "| None |" not in DOCS["docs/parameters.md"]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_a_comment_of_a_profile_is_the_first_sentence_of_the_meaning(profile):
    meanings = {key: _description(key) for key in leaves()}
    place: list[str] = []
    compared = 0
    for line in profile.read_text().splitlines():
        if not (match := re.match(r"( *)(\w+):[^#]*(?:# (.*))?", line)):
            continue
        place = [*place[: len(match[1]) // 2], match[2]]
        if match[3] and ".".join(place) in meanings:
            sentence = re.split(r"\.(?= |$)", meanings[".".join(place)])[0].replace("`", "")
            comment = re.sub(r" \(the study: .*\)$", "", match[3])  # what one profile alone has to say
            assert comment.lower() == sentence.lower()
            compared += 1
    assert compared > 40


def _description(key: str) -> str:
    group = Params
    *groups, name = key.split(".")
    for part in groups:
        group = group.model_fields[part].annotation
    return group.model_fields[name].description


@pytest.mark.parametrize("page", DOCS)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", DOCS[page]):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        if anchor:
            assert anchor in _anchors(target.read_text()), link


def _anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", DOCS)
def test_modules_and_files_that_it_names_exist(page):
    text = re.sub(r"```.*?```", "", DOCS[page], flags=re.DOTALL)
    for name in re.findall(r"\bstages(?:\.\w+)+", text):
        parts = name.split(".")
        assert any(_module_exists(parts[:depth]) for depth in (len(parts), len(parts) - 1)), name
    for name in re.findall(
        r"(?<![\w./-])(?:stages|tests|docs|profiles|benchmarks|\.ci|\.dvc/config)/[\w./<>*-]*", text
    ):
        if not INVENTED & set(re.findall(r"\w+", name)):
            assert _exists(name.rstrip(".")), name
    for name in re.findall(r"(?<![\w./-])(?:data|metrics)/[\w./<>*-]*\w", text):
        assert any(_within(name, output) for output in OUTPUTS), name


def _module_exists(parts: list[str]) -> bool:
    try:
        return find_spec(".".join(parts)) is not None
    except ModuleNotFoundError:
        return False


def _exists(name: str) -> bool:
    """Whether a path, with <placeholders> and stars, matches something in the repository."""
    return any(True for _ in ROOT.glob(re.sub(r"<\w+>", "*", name).rstrip("/")))


def _within(name: str, output: str) -> bool:
    """Whether a path is an output, lies in one, or holds one; <placeholders>, stars and items match anything."""
    wild = re.compile(r"<\w+>|\*|\$\{[^}]*\}")
    given, made = ([part for part in path.split("/")] for path in (wild.sub("*", name), wild.sub("*", output)))
    return all("*" in (a, b) or "*" in a or a == b for a, b in zip(given, made, strict=False))


def test_environment_variables_are_those_of_the_code():
    code = "".join(path.read_text() for path in (ROOT / "stages").rglob("*.py"))
    internal = {"STAGES_ERROR_FILE"}  # between a stage and the processes that it starts
    named = set(re.findall(r"\| `(STAGES_\w+)` \|", DOCS["docs/parameters.md"]))
    assert named == set(re.findall(r"\bSTAGES_[A-Z_]+", code)) - internal


@pytest.mark.parametrize(
    "message",
    [
        "is refused",
        "LPIPS needs torchvision's ImageNet weights",
        "has the MD5",
        "this CPU has no bfloat16 instructions: float32 is used",
    ],
)
def test_messages_in_the_troubleshooting_table_are_those_of_the_code(message):
    assert message in DOCS["docs/troubleshooting.md"]
    assert any(message in path.read_text() for path in (ROOT / "stages").rglob("*.py"))


COMMANDS = [
    command
    for text in DOCS.values()
    for command in [
        *re.findall(r"^\$ ((?:OMP_NUM_THREADS=1 )?dvc exp run (?:.*\\\n)*.*)", text, re.MULTILINE),
        *re.findall(r"`(-S [^`]*)`", text),
    ]
    if not any(name in command for name in INVENTED)  # tests/test_extending.py runs these
]


@pytest.mark.parametrize("command", dict.fromkeys(COMMANDS))
@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_what_it_says_to_set_is_accepted(tmp_path, command, profile):
    """By DVC, which applies it, and by the stages, which read it; the one that is there to be refused is refused."""
    words = shlex.split(command.replace("\\\n", " "), comments=True)
    given = [value for flag, value in itertools.pairwise(words) if flag == "-S"]
    assert given
    for overrides in get_hydra_sweeps({"params.yaml": given}):
        path = tmp_path / "params.yaml"
        path.write_text(profile.read_text())
        apply_overrides(path, overrides["params.yaml"])
        refusal = None
        if given == ["loss.lpips_weight=-1"]:
            refusal = r"loss\.lpips_weight must be at least 0.0; got -1"
        elif given == ["loss.pixel_weight=0"] and profile.stem == "food101-64px":  # it has no LPIPS that could remain
            refusal = r"loss\.pixel_weight and loss\.lpips_weight must not both be 0"
        if refusal:
            with pytest.raises(StageError, match=refusal):
                load_params(path)
        else:
            load_params(path)


def test_an_experiments_name_is_in_every_table_that_the_pages_show(finished):
    """DVC drops its own columns, too, unless --keep names them."""
    commands = {
        command for text in DOCS.values() for command in re.findall(r"^\$ (dvc exp show .*)", text, re.MULTILINE)
    }
    assert commands
    for command in commands:
        header = finished.run(*shlex.split(command), "--csv").stdout.splitlines()[0].split(",")
        assert header[0] == "Experiment"
        assert len(header) > 3


def test_undoing_an_experiment_keeps_edits_of_code(project):
    (command,) = {
        line for text in DOCS.values() for line in re.findall(r"^\$ (git checkout params.*)$", text, re.MULTILINE)
    }
    before = {path: path.read_bytes() for path in (project.path / "metrics").iterdir()}
    project.change({"compare": {"resamples": 150}})
    project.run("dvc", "repro")
    module = project.path / "stages/colorize.py"
    module.write_text(module.read_text() + "# an edit\n")
    project.run("bash", "-c", command)
    assert {path: path.read_bytes() for path in before} == before
    assert module.read_text().endswith("# an edit\n")
    assert "up to date" in project.run("dvc", "status").stdout
