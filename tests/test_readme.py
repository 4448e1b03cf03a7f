"""The README is short, and what it says to paste can be pasted."""

import re

import numpy as np
import pytest
from PIL import Image

from tests.project import ROOT

README = (ROOT / "README.md").read_text()


def test_it_is_short():
    assert len(README.split()) < 1500


@pytest.mark.parametrize("command", ["make repro", "make test"])
def test_the_two_commands_are_the_makefiles(command):
    assert f"    {command} " in README
    assert f"\n{command.split()[1]}:" in (ROOT / "Makefile").read_text()


def test_every_make_target_that_it_names_is_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make (\S+)`", README):
        assert f"\n{target}:" in makefile


def test_the_python_example_runs_on_a_folder_of_pictures(tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    pictures = np.random.default_rng(0).integers(0, 256, (8, 40, 60, 3), dtype=np.uint8)
    for number, picture in enumerate(pictures):
        path = tmp_path / "photos" / ("soup", "salad")[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    (tmp_path / "pretrained").symlink_to(ROOT / "pretrained")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(example, names)
    assert names["latents"].shape == (8, 4, 16, 16)
    assert names["features"].shape[0] == 8
    assert re.fullmatch(r"\[0\.\d*|\[1\.", capsys.readouterr().out.split()[0])
