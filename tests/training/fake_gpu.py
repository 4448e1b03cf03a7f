"""A GPU for tests that have none: tensors without values that say they are on one, and what would wait for it.

PyTorch's fake tensors have a shape, a type and a device, and no values. They take the branches that a GPU takes: fused
AdamW, autocast to bfloat16, deterministic algorithms, copies from pinned memory. What a CUDA kernel does on the host
within one operation they cannot show: the operations that are known to wait there are named in `_waits`.
"""

import itertools
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

GPU = torch.device("cuda:0")
ROOT = Path(__file__).parents[2]
aten = torch.ops.aten
# What a fake tensor says when it is asked for its value: finite losses, and no number of a step that was not.
VALUES = {torch.bool: False, torch.int64: -1}
OTHER_VALUE = 1.0
# Operations whose results or shapes depend on values, which the host therefore reads.
READS_VALUES = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
INDEXING = (aten.index.Tensor, aten._unsafe_index.Tensor, aten.index_put.default, aten.index_put_.default)


class Synchronisations(TorchDispatchMode):
    """Counts operations in which the host waits for a GPU. It works above a `FakeTensorMode`.

    Attributes:
        found: how often, by "operation at file:line", of the innermost line that is this repository's.
        operations: the names of all operations.
    """

    def __init__(self):
        super().__init__()
        self.found, self.operations = Counter(), set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        self.operations.add(str(func))
        if func is aten._pin_memory.default:  # which fake tensors lack
            pinned = args[0].clone()
            pinned.is_in_pinned_memory = True
            return pinned
        result = None
        try:
            result = func(*args, **kwargs)
        except DataDependentOutputException:
            result = VALUES.get(args[0].dtype, OTHER_VALUE)
        finally:  # shapes that depend on values are an error of fake tensors: the line is noted before
            if func.namespace == "aten" and _waits(func, args, kwargs, result):
                self.found[f"{func} at {_line()}"] += 1
        return result


def _waits(func, args: tuple, kwargs: dict, result) -> bool:
    """Whether the host waits for the GPU in an operation, by `torch.cuda.set_sync_debug_mode`'s notion of it.

    Copies to the GPU count unless they are asynchronous and from pinned memory.
    """
    inputs, outputs = (
        [leaf for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor)] for values in ((args, kwargs), result)
    )
    on_gpu = [tensor for tensor in inputs if tensor.is_cuda]
    if func in (aten._to_copy.default, aten.copy_.default):
        target, source = (outputs[0], inputs[0]) if func is aten._to_copy.default else inputs
        non_blocking = kwargs.get("non_blocking", func is aten.copy_.default and len(args) > 2 and args[2])
        if non_blocking and target.is_cuda and getattr(source, "is_in_pinned_memory", False):
            return False
        return source.is_cuda != target.is_cuda
    if not on_gpu:
        return False
    if any(not tensor.is_cuda for tensor in outputs):
        return True
    if func in INDEXING:  # whose shape depends on values where an index is a mask
        return any(index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1])
    name = func.name().removeprefix("aten::").removeprefix("_")
    if READS_VALUES & set(func.tags) or (name.startswith("linalg_") and "vector_norm" not in name):
        return True
    # A number on the host is an argument of an elementwise kernel. `where` and other kernels copy it to the GPU first.
    elementwise = torch.Tag.pointwise in func.tags and func is not aten.where.self
    return len(on_gpu) < len(inputs) and not elementwise


def _line() -> str:
    for frame in reversed(traceback.extract_stack()):
        path = Path(frame.filename)
        if path.is_relative_to(ROOT) and path != Path(__file__) and ".venv" not in path.parts:
            return f"{path.relative_to(ROOT)}:{frame.lineno}"
    return "?"


@contextmanager
def fake_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Synchronisations]:
    """A process that takes `GPU` for a GPU."""
    # Autocast and foreach kernels are chosen by what PyTorch finds on this machine, or by a tensor's exact class.
    monkeypatch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_, **__: True)
    for name in ("torch.optim.optimizer", "torch.utils._foreach_utils"):
        module = import_module(name)
        monkeypatch.setattr(module, "_foreach_supported_types", [*module._foreach_supported_types, FakeTensor])
    monkeypatch.setattr(torch.nn.Module, "to", _to)
    # Autograd's engine asks the driver for streams. They wait for one another on the GPU, and the host for none.
    monkeypatch.setattr(torch.autograd, "backward", backward)
    monkeypatch.setattr(torch.autograd, "grad", grad)
    with FakeTensorMode(allow_non_fake_inputs=True), Synchronisations() as recorder:
        yield recorder


def _to(module: torch.nn.Module, device: torch.device) -> torch.nn.Module:
    """`Module.to`, which cannot change a fake parameter in place: it gets others."""
    for part in module.modules():
        for name, parameter in part.named_parameters(recurse=False):
            moved = torch.nn.Parameter(parameter.detach().to(device), requires_grad=parameter.requires_grad)
            part.register_parameter(name, moved)
        for name, buffer in part.named_buffers(recurse=False):
            setattr(part, name, buffer.to(device))
    return module


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, *_, **__) -> None:
    """`torch.autograd.backward` of a scalar."""
    _walk(tensors, create_graph, None)


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, *_, **__):
    """`torch.autograd.grad` of a scalar by one tensor."""
    return (_walk(outputs, create_graph, torch.autograd.graph.get_gradient_edge(inputs).node),)


def _walk(scalar: torch.Tensor, create_graph: bool, wanted) -> torch.Tensor | None:
    """Call the nodes of a graph as autograd's engine does: each one after all that give it a gradient.

    Args:
        wanted: the node whose gradient is returned, and to which alone the way is followed; None: all are called, and
            those of the leaves add to their `grad`.
    """
    waiting, pending, seen = Counter(), [scalar.grad_fn], {scalar.grad_fn}
    while pending:
        for node, _ in pending.pop().next_functions:
            if node is not None:
                waiting[node] += 1
                if node not in seen:
                    seen.add(node)
                    pending.append(node)
    gradients = defaultdict(dict, {scalar.grad_fn: {0: torch.ones_like(scalar)}})
    ready = [scalar.grad_fn]
    with torch.set_grad_enabled(create_graph):
        while ready:
            node = ready.pop()
            given = gradients.pop(node, {})
            if node is wanted:
                return given[0]
            leaf = node.name() == "torch::autograd::AccumulateGrad"
            results = ()
            if given and not (leaf and wanted is not None):
                results = node(*(given.get(number) for number in range(len(node._input_metadata))))
            results = results if isinstance(results, tuple) else (results,)
            for (following, number), result in itertools.zip_longest(node.next_functions, results):
                if following is None:
                    continue
                if result is not None:
                    wanted_form = following._input_metadata[number]
                    result = result.sum_to_size(wanted_form.shape).to(wanted_form.dtype)
                    sums = gradients[following]
                    sums[number] = result if number not in sums else sums[number] + result
                waiting[following] -= 1
                if not waiting[following]:
                    ready.append(following)
    return None
