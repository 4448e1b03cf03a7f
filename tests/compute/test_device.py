import os

import pytest
import torch

from stages.compute.device import autocast, computes_bfloat16, device, set_deterministic
from stages.runtime.errors import StageError

CUDA = torch.device("cuda")


@pytest.fixture
def restored(monkeypatch):
    """PyTorch as it was before."""
    cudnn = torch.backends.cudnn
    before = torch.are_deterministic_algorithms_enabled(), cudnn.benchmark, cudnn.deterministic
    filled = torch.utils.deterministic.fill_uninitialized_memory
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    yield
    torch.use_deterministic_algorithms(before[0])
    cudnn.benchmark, cudnn.deterministic = before[1:]
    torch.utils.deterministic.fill_uninitialized_memory = filled


def test_a_gpu_is_deterministic_or_fast(restored, monkeypatch):
    set_deterministic(CUDA, deterministic=True)
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    assert (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark) == (True, False)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    set_deterministic(CUDA, deterministic=False)
    assert not torch.are_deterministic_algorithms_enabled()
    assert (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark) == (False, True)


@pytest.mark.parametrize("deterministic", [True, False])
def test_a_cpu_is_left_alone(restored, deterministic):
    before = torch.backends.cudnn.benchmark
    set_deterministic(torch.device("cpu"), deterministic)
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.backends.cudnn.benchmark == before
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ


def test_each_of_several_processes_takes_the_gpu_of_its_number(monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "empty", lambda *_, device: asked.append(str(device)))
    monkeypatch.setenv("STAGES_DEVICE", "cuda")
    device()
    monkeypatch.setenv("LOCAL_RANK", "3")
    device()  # of a process that was started alone
    monkeypatch.setenv("WORLD_SIZE", "1")
    device()
    monkeypatch.setenv("WORLD_SIZE", "8")
    device()  # of a scheduler whose processes do not know each other
    for name, value in {"RANK": "3", "MASTER_ADDR": "first", "MASTER_PORT": "29500"}.items():
        monkeypatch.setenv(name, value)
    device()
    monkeypatch.setenv("STAGES_DEVICE", "cpu")
    device()
    assert asked == ["cuda", "cuda", "cuda", "cuda", "cuda:3", "cpu"]


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setenv("STAGES_DEVICE", "tpu:0")
    with pytest.raises(StageError, match="STAGES_DEVICE must be auto, cpu or a CUDA device that is there; got 'tpu:0'"):
        device()


@pytest.mark.parametrize("native", [True, False])
def test_a_cpu_without_bfloat16_computes_in_float32_and_says_so_once(monkeypatch, capsys, native):
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: native)
    computes_bfloat16.cache_clear()
    cpu = torch.device("cpu")
    matrix = torch.ones(2, 2)
    for _ in range(2):
        with autocast(cpu, "bfloat16"):
            assert (matrix @ matrix).dtype == (torch.bfloat16 if native else torch.float32)
        with autocast(cpu, "float32"):
            assert (matrix @ matrix).dtype == torch.float32
    assert capsys.readouterr().out.count("no bfloat16 instructions") == (not native)
    computes_bfloat16.cache_clear()
    assert computes_bfloat16("cuda")
