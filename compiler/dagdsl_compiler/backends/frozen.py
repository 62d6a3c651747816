"""The graph compiled by TorchInductor for evaluation, with its weights as constants."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
from torch import Tensor, fx

from dagdsl_compiler.backends.inductor import ByBatchSize
from dagdsl_compiler.backends.toolchain_warmup import warm_up_toolchain
from dagdsl_compiler.torch_private import can_freeze, inductor_config, mark_batch_unknown


def frozen(module: fx.GraphModule, any_batch: bool) -> Callable[..., Any]:
    """Compile the graph with `torch.compile` as one full graph, to be called without gradients.

    With `any_batch` it is compiled once for every batch size, including one, as graphs with
    data-dependent sizes require. Otherwise `ByBatchSize` chooses.

    Weights are converted to the layout of the kernels once, so later changes to them have no
    effect. Freezing is also what makes convolutions correct on data-dependent batch sizes: without
    it they have failed to compile or been silently wrong. A torch that cannot freeze runs such
    graphs uncompiled.
    """
    if not any_batch:
        return ByBatchSize(module, _compile)
    if not can_freeze():
        return module
    run = _compile(module.forward)
    return lambda *inputs: run(*map(_with_unknown_batch, inputs))


def _compile(forward: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    options = {"fullgraph": True, "options": {"guard_filter_fn": _of_calls}, **options}
    return _Freezing(torch.compile(forward, **options))


def _of_calls(guards: Sequence[Any]) -> list[bool]:
    """The guards to check in each call: those of the inputs and of torch's global state.

    The graph owns its modules, so nothing else changes them. Checking them in each call would take
    half a millisecond for a network of medium size.
    """
    return [not guard.name or guard.guard_type == "TENSOR_MATCH" for guard in guards]


class _Freezing:
    """Turns freezing on only in calls that may compile, because setting options is slow itself."""

    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run
        self._seen: set[Hashable] = set()

    def __call__(self, *inputs: Tensor) -> Any:
        kind = tuple((x.shape, x.stride(), x.dtype, x.device) for x in inputs)
        if kind in self._seen:
            return self._run(*inputs)
        # On a CPU, the code that calls the kernels is C++ in the same file. That halves the time
        # to build and saves a millisecond per call.
        in_one_file = inputs[0].device.type == "cpu"
        if in_one_file:
            warm_up_toolchain(wrapper=True)
        with inductor_config(freezing=True, cpp_wrapper=in_one_file):
            result = self._run(*inputs)
        self._seen.add(kind)
        return result


def _with_unknown_batch(x: Tensor) -> Tensor:
    # A view, because the mark stays on the tensor, which belongs to the caller. Unknown, not
    # symbolic: otherwise torch compiles a batch of one separately and specialises other sizes.
    x = x.view_as(x)
    mark_batch_unknown(x)
    return x
