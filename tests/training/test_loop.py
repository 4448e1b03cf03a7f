import ast
import inspect
import json
import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from dvclive import Live

from stages.controls.reconstruct_input import Reconstruction
from stages.controls.rotation import Rotation
from stages.controls.supervised import Classification
from stages.controls.vicreg import VICReg
from stages.losses.color_classification import ColorClassification
from stages.objectives.colorization import Colorization
from stages.objectives.split_brain import SplitBrainClassification, SplitBrainRegression
from stages.runtime import interrupts
from stages.runtime.errors import StageError
from stages.runtime.schema import Loss, Model
from stages.training import batches, loop
from stages.training.batches import epoch_order
from stages.training.checkpoint import Checkpoint
from stages.training.evaluation import evaluate
from stages.training.images import Images
from stages.training.loop import train
from stages.training.nonfinite import NonFiniteMonitor
from stages.training.settings import Settings

MODEL = Model(block_out_channels=[8], layers_per_block=1, latent_channels=4, norm_num_groups=4, chroma_stride=1)
SETTINGS = Settings(
    epochs=3, batch_size=4, optimizer="adamw", learning_rate=1e-2, weight_decay=1e-5, warmup_fraction=0.1,
    gradient_clip=1.0, lightness_jitter=0.1, crop=1.0, precision="float32", deterministic=True,
)  # fmt: skip
L1 = Colorization(
    Loss(
        pixel="l1", pixel_weight=1.0, smooth_l1_beta=5.0, lpips_weight=0.0, lpips_net="alex", lpips_backbone="random",
        adversarial_weight=0.0, gradient_penalty=10.0,
    ),
    None,
)  # fmt: skip
ADVERSARIAL = Colorization(L1.loss.model_copy(update={"adversarial_weight": 0.1}), None)
CLASSES = ColorClassification(
    torch.tensor([[-50.0, 0], [0, 50], [50, 0]]), torch.full((3,), 1 / 3), torch.ones(3), 2, 20.0, 1
)
OBJECTIVES = {
    "colorization": L1,
    "color_classification": CLASSES,
    "split_brain": SplitBrainClassification(0.5, CLASSES),
    "split_brain_regression": SplitBrainRegression(0.5, "l1", 5.0, 1),
    "reconstruction": Reconstruction("lightness"),
    "autoencoder": Reconstruction("lab"),
    "supervised": Classification(3),
}
VIEWS = {"rotation": Rotation(), "vicreg": VICReg()}  # of noise there is nothing to learn for them


def images(count, seed=0):
    """Lab whose a and b follow from L, as does the label: what every objective can learn."""
    lightness = np.random.default_rng(seed).integers(0, 256, (count, 1, 4, 4), dtype=np.uint8)
    lightness = lightness.repeat(2, axis=-1).repeat(2, axis=-2)
    lab8 = np.concatenate((lightness, 255 - lightness, lightness // 2 + 64), axis=1)
    return Images(lab8, lightness[:, 0].mean(axis=(1, 2)).astype(np.int64) // 86)


def small_model(objective=L1):
    torch.manual_seed(0)
    return objective.build(MODEL)


def run(folder, objective=L1, settings=SETTINGS, seed=0, key="key", model=None, companion=None, probe=None):
    checkpoint = Checkpoint(folder / "checkpoints", key)
    with Live(dir=str(folder / "live"), dvcyaml=None, save_dvc_exp=False, report=None) as live:
        model = train(
            model or small_model(objective),
            objective,
            images(10),
            images(5, 1),
            settings,
            seed,
            checkpoint,
            live,
            companion,
            probe,
        )
    series = {str(p.relative_to(folder)): p.read_bytes() for p in sorted((folder / "live").rglob("*")) if p.is_file()}
    return model, series


def equal(first, second):
    return all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_it_learns(tmp_path):
    settings = Settings(**(vars(SETTINGS) | {"epochs": 25}))
    before = evaluate(small_model(), L1, images(5, 1), settings)["loss"]
    model, series = run(tmp_path, settings=settings)
    after = evaluate(model, L1, images(5, 1), settings)["loss"]
    assert after < before / 2
    assert json.loads(series["live/metrics.json"])["step"] == 25


def test_the_best_epoch_is_kept_by_validation_loss(tmp_path):
    # A learning rate that ruins what was learnt: some epoch before the last is better than the last.
    settings = Settings(**(vars(SETTINGS) | {"epochs": 6, "learning_rate": 0.3, "warmup_fraction": 0.9}))
    model, series = run(tmp_path, settings=settings)
    losses = [
        float(line.split("\t")[1])
        for line in series["live/plots/metrics/validation/loss.tsv"].decode().splitlines()[1:]
    ]
    assert min(losses) < losses[-1]
    assert evaluate(model, L1, images(5, 1), settings)["loss"] == pytest.approx(min(losses), rel=1e-5)


def test_same_seed_same_bytes_other_seed_other(tmp_path):
    first, series = run(tmp_path / "a")
    again, same = run(tmp_path / "b")
    other, _ = run(tmp_path / "c", seed=1)
    assert equal(first, again)
    assert series == same
    assert not equal(first, other)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_can_be_learned(tmp_path, name, optimizer):
    objective = OBJECTIVES[name]
    settings = Settings(**(vars(SETTINGS) | {"epochs": 25, "optimizer": optimizer}))
    before = evaluate(small_model(objective), objective, images(5, 1), settings)["loss"]
    model, _ = run(tmp_path, objective, settings)
    assert evaluate(model, objective, images(5, 1), settings)["loss"] < 0.95 * before


def test_a_critic_changes_what_is_learned_and_is_reported(tmp_path):
    plain, _ = run(tmp_path / "plain")
    torch.manual_seed(1)
    judged, series = run(tmp_path / "judged", companion=ADVERSARIAL.companion(torch.device("cpu")))
    assert not equal(plain, judged)
    assert {"critic", "adversarial"} <= {
        name.split("/")[-1].removesuffix(".tsv") for name in series if "/train/" in name
    }
    assert not [name for name in series if "validation/adversarial" in name]


@pytest.mark.parametrize(
    ("name", "stop_after"),
    [("colorization", stop) for stop in (1, 3, 4, 8)]
    + [(name, 4) for name in (*OBJECTIVES, *VIEWS, "adversarial", "muon")],
)
def test_an_interrupted_run_ends_in_the_same_bytes(tmp_path, monkeypatch, name, stop_after):
    objective = (OBJECTIVES | VIEWS).get(name, L1)
    settings = Settings(**(vars(SETTINGS) | {"optimizer": "muon" if name == "muon" else "adamw"}))

    def critic(seed):
        torch.manual_seed(seed)
        return ADVERSARIAL.companion(torch.device("cpu")) if name == "adversarial" else None

    whole, series = run(tmp_path / "whole", objective, settings, companion=critic(0))

    monkeypatch.setenv("STAGES_CHECKPOINT_SECONDS", "0")
    save, saved = Checkpoint.save, []

    def save_and_stop(self, state):
        save(self, state)
        saved.append(state["step"])
        if len(saved) == stop_after:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", save_and_stop)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", objective, settings, companion=critic(0))
    monkeypatch.setattr(Checkpoint, "save", save)

    # Other weights at the start: if the checkpoint were not used, the end would differ.
    torch.manual_seed(99)
    other = objective.build(MODEL)
    resumed, resumed_series = run(tmp_path / "cut", objective, settings, model=other, companion=critic(7))
    assert equal(whole, resumed)
    assert series == resumed_series


@pytest.mark.parametrize("name", ["plain", "adversarial", "muon"])
@pytest.mark.parametrize("moment", ["first step", "mid-epoch", "last step of an epoch", "validation", "save"])
def test_ctrl_c_at_any_moment_saves_a_whole_step_and_the_next_run_ends_in_the_same_bytes(
    tmp_path, monkeypatch, name, moment
):
    """A real SIGINT, in the middle of what is named; a checkpoint is due every two minutes: never, here."""
    settings = Settings(**(vars(SETTINGS) | {"optimizer": "muon" if name == "muon" else "adamw"}))

    def critic(seed):
        torch.manual_seed(seed)
        return ADVERSARIAL.companion(torch.device("cpu")) if name == "adversarial" else None

    def signalling(function, call):
        calls = []

        def wrapper(*arguments, **keywords):
            calls.append(1)
            if len(calls) == call:
                os.kill(os.getpid(), signal.SIGINT)
            return function(*arguments, **keywords)

        return wrapper

    whole, series = run(tmp_path / "whole", settings=settings, companion=critic(0))
    augmented = {"first step": 1, "mid-epoch": 5, "last step of an epoch": 6}  # of three steps an epoch
    with monkeypatch.context() as patch:
        patch.setattr(interrupts, "received", [])
        before = signal.signal(signal.SIGINT, interrupts.raise_interrupted)
        if moment in augmented:
            patch.setattr(batches, "augment", signalling(batches.augment, augmented[moment]))
        elif moment == "validation":
            patch.setattr(loop, "evaluate", signalling(loop.evaluate, 2))
        else:
            patch.setattr(torch, "save", signalling(torch.save, 2))
        try:
            with pytest.raises(interrupts.Interrupted):
                run(tmp_path / "cut", settings=settings, companion=critic(0))
        finally:
            signal.signal(signal.SIGINT, before)
    state = torch.load(tmp_path / "cut/checkpoints/key.pt", weights_only=True)
    assert state["step"] == {**augmented, "validation": 6, "save": 6}[moment]
    torch.manual_seed(99)
    resumed, resumed_series = run(tmp_path / "cut", settings=settings, model=L1.build(MODEL), companion=critic(7))
    assert equal(whole, resumed)
    assert series == resumed_series


def test_a_checkpoint_of_another_key_or_cut_short_is_not_used(tmp_path, capsys):
    whole, _ = run(tmp_path / "a")
    other = Checkpoint(tmp_path / "b/checkpoints", "other")
    other.save({"nonsense": 1})
    (tmp_path / "b/checkpoints/.key.pt.123.part").write_bytes(b"killed while it was saved")
    (tmp_path / "b/checkpoints/key.pt").write_bytes(b"PK\x03\x04 half a file")
    model, _ = run(tmp_path / "b")
    assert equal(whole, model)
    assert "starts over" in capsys.readouterr().out
    Checkpoint(tmp_path / "b/checkpoints", "key").remove()
    assert {path.name for path in (tmp_path / "b/checkpoints").iterdir()} == {"other.pt", "other.0.lock"}
    other.remove()
    assert not list((tmp_path / "b/checkpoints").iterdir())


def test_a_loss_that_is_not_finite_stops_with_what_to_do(tmp_path):
    settings = Settings(**(vars(SETTINGS) | {"learning_rate": 1e30, "gradient_clip": 1e30}))
    with pytest.raises(StageError, match=r"not finite .*train\.learning_rate"):
        run(tmp_path, settings=settings)


class Breaks:
    """Colorization whose loss, or whose gradient alone, is not finite at one step."""

    build, views, call = L1.build, L1.views, 0

    def __init__(self, step, what):
        self.step, self.what = step, what

    def losses(self, output, batch):
        losses = L1.losses(output, batch)
        if torch.is_grad_enabled():
            self.call += 1
            if self.call == self.step:
                if self.what == "loss":
                    losses["loss"] = losses["loss"] * torch.nan
                else:
                    losses["loss"] = losses["loss"] + output.abs().sum().mul(0).sqrt().sum()
        return losses


@pytest.mark.parametrize("what", ["loss", "gradient"])
@pytest.mark.parametrize("immediately", [True, False])
def test_the_step_and_its_images_are_reported_and_the_last_good_state_is_kept(tmp_path, monkeypatch, what, immediately):
    """10 images in batches of 4: step 8 of 9 is the second of epoch 3. On a GPU it is noticed at the epoch's end."""
    monkeypatch.setattr(NonFiniteMonitor, "sync_is_free", immediately)
    with pytest.raises(StageError, match=r"not finite at step 8 of 9, in epoch 3, on 4 images \(row ") as raised:
        run(tmp_path, Breaks(8, what))
    rows = np.sort(epoch_order(10, 0, 2)[4:8])
    record = json.loads((tmp_path / "checkpoints/key.diverged.json").read_text())
    assert record == {"step": 8, "steps": 9, "epoch": 3, "images": [f"row {row}" for row in rows]}
    assert str(tmp_path / "checkpoints/key.pt") in str(raised.value)
    state = torch.load(tmp_path / "checkpoints/key.pt", weights_only=True)
    assert state["step"] == 6
    assert all(tensor.isfinite().all() for tensor in state["model"].values())
    resumed, series = run(tmp_path)  # with what was wrong mended
    whole, whole_series = run(tmp_path / "whole")
    assert equal(resumed, whole)
    assert series == whole_series


def test_training_knows_no_objective():
    for path in Path(loop.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in modules if re.match(r"stages\.(objectives|controls|losses)\b", name)], path


def test_the_loop_is_read_on_one_screen():
    (train,) = [node for node in ast.parse(inspect.getsource(loop.train)).body]
    (step,) = [node for node in ast.walk(train) if isinstance(node, ast.With) and len(node.body) > 5]
    assert train.end_lineno - train.lineno < 70
    assert step.end_lineno - step.lineno <= 25
    below = [node for statement in train.body for node in ast.walk(statement)]
    assert not [node for node in below if isinstance(node, ast.FunctionDef | ast.Lambda | ast.Continue)]
