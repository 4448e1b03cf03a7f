"""Files that are not what the pipeline wrote: refused by name, never half-loaded, and no pickle is opened."""

import ast
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from stages.formats.npy import open_array
from tests.project import ROOT, Project

ENCODER = "data/encoders/colorization"


def replace(path: Path, content: bytes) -> None:
    """Another file in its place: DVC's hardlinked original is read-only and stays in the cache."""
    path.unlink()
    path.write_bytes(content)


def refused(project: Project, stage: str, *words: str) -> None:
    ended = project.run(sys.executable, "-m", *stage.split(), check=False)
    assert ended.returncode == 1, ended.stdout
    assert "Traceback" not in ended.stdout
    for word in words:
        assert word in ended.stdout


def change_tensors(folder: Path, change: str) -> None:
    tensors = load_file(folder / "model.safetensors")
    name = sorted(tensors)[0]
    match change:
        case "missing":
            del tensors[name]
        case "extra":
            tensors["head.weight"] = torch.zeros(3)
        case "misshapen":
            tensors[name] = torch.zeros(*tensors[name].shape, 2)
    (folder / "model.safetensors").unlink()
    save_file(tensors, folder / "model.safetensors")


@pytest.mark.parametrize("change", ["missing", "extra", "misshapen"])
def test_an_encoder_with_other_tensors_is_refused(project, change):
    change_tensors(project.path / ENCODER, change)
    refused(project, "stages.extract_latents colorization", ENCODER, "does not hold a whole encoder")


def cut(path: Path) -> bytes:
    return path.read_bytes()[:-7]


def torn(path: Path) -> bytes:
    """A table that ends within its last row."""
    return path.read_bytes().rstrip().rpartition(b",")[0]


def columns(path: Path) -> bytes:
    """A table without its last column."""
    return b"\n".join(line.rpartition(b",")[0] for line in path.read_bytes().splitlines())


def rows(number: int):
    def taken(path: Path) -> bytes:
        np.save(path.with_suffix(".tmp.npy"), np.load(path)[:number])
        return path.with_suffix(".tmp.npy").read_bytes()

    return taken


def flat(path: Path) -> bytes:
    np.save(path.with_suffix(".tmp.npy"), np.load(path).reshape(len(np.load(path)), -1))
    return path.with_suffix(".tmp.npy").read_bytes()


def objects(path: Path) -> bytes:
    np.save(path.with_suffix(".tmp.npy"), np.array([{"a": 1}], dtype=object))
    return path.with_suffix(".tmp.npy").read_bytes()


@pytest.mark.parametrize(
    ("file", "damage", "stage", "words"),
    [
        ("data/lab/pretrain.npy", cut, "count_colors", ["not a whole .npy array"]),
        ("data/lab/pretrain.npy", flat, "count_colors", ["must hold (N, 3, S, S) uint8"]),
        ("data/lab/pretrain.npy", objects, "count_colors", ["not a whole .npy array"]),
        ("data/lab/pretrain.npy", rows(3), "train_autoencoder colorization", ["3 rows, the manifest lists"]),
        ("data/lab/validation.npy", rows(3), "train_autoencoder colorization", ["3 rows, the manifest lists"]),
        ("data/lab/test.npy", rows(3), "paint colorization", ["3 rows, the manifest lists"]),
        ("data/lab/probe.npy", rows(3), "train_pixel_probes rgb_small", ["3 rows, the manifest lists"]),
        ("data/latents/colorization/test.npy", rows(3), "train_probes colorization", ["3 rows, the manifest lists"]),
        ("data/latents/colorization/mid/test.npy", cut, "train_probes colorization", ["not a whole .npy array"]),
        (f"{ENCODER}/model.safetensors", cut, "extract_latents colorization", ["does not hold a whole encoder"]),
        (f"{ENCODER}/config.json", cut, "extract_latents colorization", ["does not hold a whole encoder"]),
        ("data/objectives/colorization/train.json", cut, "train_autoencoder colorization", ["train.json"]),
        ("data/colors/mean_ab.csv", torn, "paint_baselines", ["mean_ab.csv"]),
        ("data/probes/rgb_small/conv.json", cut, "paint colorization", ["conv.json"]),
        ("data/probes/rgb_small/predictions.csv", columns, "compare", ["predictions.csv"]),
        ("data/quality/colorization/scores.csv", torn, "evaluate_colorization", ["scores.csv"]),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", ""),
)
def test_a_damaged_file_is_refused_by_name(project, file, damage, stage, words):
    path = project.path / file
    replace(path, damage(path))
    named = ENCODER if file.startswith(ENCODER) else file  # it is whole or it is not: two files make one encoder
    refused(project, f"stages.{stage}", named, *words)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (",in,test", ",in,holiday", "a subset that its domain does not have"),
        (",in,pretrain", ",out,pretrain", "a subset that its domain does not have"),
        (",in,", ",other,", "a subset that its domain does not have"),
        ("image,label", "picture,label", "needs the columns"),
    ],
)
def test_a_manifest_edited_by_hand_is_refused_with_its_line(project, old, new, problem):
    path = project.path / "data/split/manifest.csv"
    replace(path, path.read_text().replace(old, new, 1).encode())
    refused(project, "stages.convert_to_lab", "manifest.csv", problem)


def test_what_was_damaged_is_made_again(project):
    """The advice that the refusals give."""
    lock = project.lock()
    for file in (f"{ENCODER}/model.safetensors", "data/lab/probe.npy"):
        (project.path / file).unlink()
    project.run("dvc", "checkout", "--force")
    assert project.lock() == lock
    assert "up to date" in project.run("dvc", "status").stdout


class Bomb:
    def __reduce__(self):
        return (Path.touch, (Path("pwned"),))


def test_no_pickle_is_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from stages.training.checkpoint import Checkpoint

    torch.save({"bomb": Bomb()}, tmp_path / "key.pt")
    assert Checkpoint(tmp_path, "key").load() is None
    Path("key.pt").write_bytes(pickle.dumps(Bomb()))
    assert Checkpoint(tmp_path, "key").load() is None
    np.save("bomb.npy", np.array([Bomb()], dtype=object))
    with pytest.raises(Exception, match="not a whole"):
        open_array("bomb.npy")
    assert not Path("pwned").exists()


def test_no_pickle_is_opened_in_place_of_lpips_weights(tmp_path, monkeypatch):
    """Torchvision opens what lies under its file's name, whatever it is."""
    from stages.losses.perceptual import open_lpips
    from stages.runtime.errors import StageError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch/hub/checkpoints"
    folder.mkdir(parents=True)
    torch.save({"bomb": Bomb()}, folder / "squeezenet1_1-b8a52dc0.pth")
    with pytest.raises(StageError, match="LPIPS needs torchvision's ImageNet weights"):
        open_lpips("squeeze", "imagenet", "loss")
    assert not Path("pwned").exists()


def test_no_code_opens_a_pickle():
    """torch.load with weights_only, np.load with allow_pickle=False, and neither pickle.load nor read_pickle."""
    for path in (ROOT / "stages").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            call = ast.unparse(node.func)
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert call not in ("pickle.load", "pickle.loads", "pd.read_pickle", "joblib.load", "eval", "exec"), path
            if call == "torch.load":
                assert given.get("weights_only") == "True", path
            if call == "np.load":
                assert given.get("allow_pickle") == "False", path
            assert given.get("shell") is None, path
            assert call != "os.system", path
