"""No step of a training waits for a GPU: what is read of one, is read at the end of an epoch or for a checkpoint.

The loop runs whole, on a GPU that is none: see `tests.training.fake_gpu`.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from stages.compute.batches import Batch, to_device
from stages.compute.device import autocast, set_deterministic
from stages.controls.reconstruct_input import Reconstruction
from stages.controls.rotation import Rotation
from stages.controls.supervised import Classification
from stages.controls.vicreg import VICReg
from stages.losses.color_classification import ColorClassification
from stages.losses.critic import Critic
from stages.losses.perceptual import open_lpips
from stages.models.offset import Offset
from stages.objectives.colorization import Colorization
from stages.objectives.split_brain import SplitBrainClassification, SplitBrainRegression
from stages.runtime.schema import Control, Objective
from stages.training.checkpoint import Checkpoint
from stages.training.distributed import ALONE
from stages.training.images import Images
from stages.training.loop import train
from stages.training.nonfinite import NonFiniteMonitor
from tests.training.fake_gpu import GPU, backward, fake_gpu, grad
from tests.training.test_loop import L1, MODEL, SETTINGS

with_gpu_build = pytest.mark.skipif(
    not torch.backends.cuda.is_built(), reason="this build of PyTorch has no operations for CUDA, fake or not"
)

SIZE, BATCH = 32, 4


def offset(channels):
    """As in train.json, looked up by lightness."""
    return {"axes": [[0.0, 50.0, 3]], "rows": [[0.0] * channels] * 3}


def colorization():
    """With all that it can have: LPIPS, a critic, an offset."""
    loss = {"pixel": "smooth_l1", "lpips_weight": 1.0, "adversarial_weight": 0.1}
    perceptual = open_lpips("alex", "random", "loss").to(GPU)
    return Colorization(L1.loss.model_copy(update=loss), perceptual, offset=Offset.from_json(offset(2)))


def color_classification(*offsets):
    settings = {
        "bins": [[-50.0, 0.0], [0.0, 50.0], [50.0, 0.0]], "shares": [0.3, 0.3, 0.4], "weights": [1.0, 1.0, 1.0],
        "neighbors": 2, "sigma": 5.0, "stride": 1, "offsets": offsets,
    }  # fmt: skip
    return ColorClassification.from_settings(settings, GPU)


OBJECTIVES = {
    "colorization": colorization,
    "colorization, half the resolution": lambda: replace(colorization(), stride=2),  # upsampled for LPIPS
    "color_classification": color_classification,
    "color_classification, offset": lambda: color_classification(offset(3)),
    "split_brain": lambda: SplitBrainClassification(0.5, color_classification()),
    "split_brain, regression": lambda: SplitBrainRegression(0.5, "l1", 5.0, 1),
    "reconstruction": lambda: Reconstruction("lightness"),
    "autoencoder": lambda: Reconstruction("lab"),
    "rotation": Rotation,
    "vicreg": VICReg,
    "supervised": lambda: Classification(3),
}
# Not trained, computed at once, and trained by an objective of the above.
OTHER_CONTROLS = {"random", "kmeans_patches", "swapped"}


class NeverDue(Checkpoint):
    """A checkpoint reads the state of a training, which no step has to wait for."""

    def due(self):
        return False

    def save(self, state):
        pass


@pytest.fixture
def recorder(monkeypatch):
    """The fake GPU's, with deterministic algorithms as the stages set them."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    set_deterministic(GPU, True)
    with fake_gpu(monkeypatch) as recorder:
        yield recorder
    torch.use_deterministic_algorithms(False)


def epoch(recorder, folder, objective, steps, optimizer="adamw", in_file=False):
    """What the host waits for in a training of one epoch of so many steps."""
    rng, count = np.random.default_rng(0), steps * BATCH
    lab8 = rng.integers(0, 256, (count, 3, SIZE, SIZE), dtype=np.uint8)
    images = Images(lab8, rng.integers(0, 3, count))
    validation = Images(lab8[:1], images.labels[:1])
    if not in_file:
        images = images.to_device(GPU, free=2**40)
    blocks = [8] * getattr(objective, "stride", 1)  # one block cannot leave out a resolution
    model = objective.build(MODEL.model_copy(update={"block_out_channels": blocks})).to(GPU)
    companion = objective.companion(GPU)
    settings = replace(SETTINGS, epochs=1, batch_size=BATCH, precision="bfloat16", crop=0.8, optimizer=optimizer)
    recorder.found.clear()
    train(model, objective, images, validation, settings, 0, NeverDue(folder, "key"), None, companion)
    return recorder.found.copy()


def step_waits(recorder, folder, objective, **arguments):
    """What the host waits for in a step: the waits of an epoch of two steps that one of one step has not."""
    one, two = (epoch(recorder, folder, objective, steps, **arguments) for steps in (1, 2))
    assert any("_local_scalar_dense" in wait for wait in one)  # the losses at its end
    return two - one


def test_every_objective_is_here():
    names = {name.partition(",")[0] for name in OBJECTIVES}
    assert names == {*get_args(Objective), *get_args(Control)} - OTHER_CONTROLS


@with_gpu_build
@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_step_waits_for_nothing(recorder, tmp_path, name):
    assert step_waits(recorder, tmp_path, OBJECTIVES[name]()) == {}


@with_gpu_build
@pytest.mark.parametrize("name", ["supervised", "reconstruction"])
def test_nor_with_muon_and_images_that_do_not_fit_on_the_gpu(recorder, tmp_path, name):
    assert step_waits(recorder, tmp_path, OBJECTIVES[name](), optimizer="muon", in_file=True) == {}


@with_gpu_build
def test_the_loop_takes_the_branches_of_a_gpu(recorder, tmp_path):
    objective = colorization()
    epoch(recorder, tmp_path, objective, 1, in_file=True)
    expected = {"_fused_adamw_.default", "_foreach_norm.Scalar", "_foreach_addcdiv_.ScalarList", "_pin_memory.default"}
    assert {f"aten.{name}" for name in expected} <= recorder.operations
    with autocast(GPU, "bfloat16"):
        latents = objective.build(MODEL).to(GPU).encode(torch.zeros(1, 3, SIZE, SIZE, device=GPU))
    assert latents.dtype == torch.bfloat16


class Reading(Reconstruction):
    """Reads its loss in every step."""

    def losses(self, output, batch):
        losses = super().losses(output, batch)
        self.last = losses["loss"].item()
        return losses


@with_gpu_build
def test_an_objective_that_reads_its_loss_is_found(recorder, tmp_path):
    (wait,) = step_waits(recorder, tmp_path, Reading("lightness")).elements()
    assert wait.startswith("aten._local_scalar_dense.default at tests/training/test_synchronisation.py:")


@with_gpu_build
def test_a_loop_that_checks_every_step_as_on_a_cpu_is_found(recorder, tmp_path, monkeypatch):
    monkeypatch.setattr(NonFiniteMonitor, "sync_is_free", True)
    (wait,) = step_waits(recorder, tmp_path, Reconstruction("lightness")).elements()
    assert "stages/training/nonfinite.py" in wait


def on_gpu():
    return torch.ones(4, 4, device=GPU)


WAITING = {
    "item": lambda: on_gpu().sum().item(),
    "bool": lambda: bool(on_gpu().sum() > 0),
    "int": lambda: int(on_gpu().sum()),
    "tolist": lambda: on_gpu().tolist(),
    "cpu": lambda: on_gpu().cpu(),
    "cpu, asynchronous": lambda: on_gpu().to("cpu", non_blocking=True),
    "copy to the CPU": lambda: torch.empty(4, 4).copy_(on_gpu()),
    "nonzero": lambda: on_gpu().nonzero(),
    "mask": lambda: on_gpu()[on_gpu() > 0],
    "assignment to a mask": lambda: on_gpu().__setitem__(on_gpu() > 0, on_gpu()[0]),
    "masked_select": lambda: on_gpu().masked_select(on_gpu() > 0),
    "unique": lambda: on_gpu().unique(),
    "bincount": lambda: on_gpu()[0].long().bincount(),
    "repeat_interleave": lambda: torch.repeat_interleave(on_gpu()[0].long()),
    "equal": lambda: torch.equal(on_gpu(), on_gpu()),
    "allclose": lambda: torch.allclose(on_gpu(), on_gpu()),
    "one_hot": lambda: F.one_hot(on_gpu()[0].long()),
    "inverse": lambda: torch.linalg.inv(on_gpu()),
    "a number copied to the GPU": lambda: torch.tensor(1.0, device=GPU),
    "where, of a number on the CPU": lambda: torch.where(on_gpu() > 0, torch.tensor(1.0), on_gpu()),
    "memory that is not pinned": lambda: torch.ones(4).to(GPU, non_blocking=True),
    "pinned memory, synchronous": lambda: torch.ones(4).pin_memory().to(GPU),
    "clipping that raises": lambda: torch.nn.utils.clip_grad_norm_(leaf(), 1.0, error_if_nonfinite=True),
}
NOT_WAITING = {
    "pinned memory, asynchronous": lambda: to_device(np.ones(4), GPU),
    "where": lambda: torch.where(on_gpu() > 0, 1.0, on_gpu()),
    "rows": lambda: on_gpu()[on_gpu()[0].long()],
    "slices": lambda: on_gpu()[1:, :2],
    "masked_fill": lambda: on_gpu().masked_fill(on_gpu() > 0, 0.0),
    "a number on the CPU as a factor": lambda: on_gpu() * torch.tensor(2.0),
    "clipping": lambda: torch.nn.utils.clip_grad_norm_(leaf(), 1.0),
    "the CPU's own numbers": lambda: torch.ones(4).sum().item(),
}


def leaf():
    parameter = torch.nn.Parameter(on_gpu())
    parameter.grad = on_gpu()
    return parameter


@with_gpu_build
@pytest.mark.parametrize("name", WAITING)
def test_what_waits_is_counted(recorder, name):
    with suppress(Exception):  # of shapes that depend on values there are no fake tensors
        WAITING[name]()
    assert recorder.found


@with_gpu_build
@pytest.mark.parametrize("name", NOT_WAITING)
def test_what_does_not_wait_is_not_counted(recorder, name):
    NOT_WAITING[name]()
    assert recorder.found == Counter()


def test_gradients_are_those_of_autograd(monkeypatch):
    """Those of a critic's step, whose penalty is the gradient of a gradient, and those of an autoencoder."""
    shard, lab = ALONE.shard(BATCH), torch.rand(BATCH, 3, SIZE, SIZE) * 100
    results = []
    for walked in (False, True):
        torch.manual_seed(0)
        critic, network = Critic(10.0, torch.device("cpu")), Reconstruction("lightness").build(MODEL)
        with monkeypatch.context() as patched:
            if walked:
                patched.setattr(torch.autograd, "backward", backward)
                patched.setattr(torch.autograd, "grad", grad)
            critic.step(lab.flip(0), lab, [0], shard, ALONE)
            Reconstruction("lightness").losses(network(lab), Batch(lab, lab))["loss"].backward()
        results.append([each.grad for part in (critic.network, network) for each in part.parameters()])
    for expected, gradient in zip(*results, strict=True):
        torch.testing.assert_close(gradient, expected)
