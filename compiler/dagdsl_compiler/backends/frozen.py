"""The graph compiled by TorchInductor for evaluation: weights are constants of the code."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
from torch import Tensor, fx

from dagdsl_compiler.backends.inductor import ByBatchSize
from dagdsl_compiler.backends.toolchain_warmup import warm_up_toolchain
from dagdsl_compiler.torch_private import can_freeze, inductor_config, mark_batch_unknown


def frozen(module: fx.GraphModule, any_batch: bool) -> Callable[..., Any]:
    """`torch.compile` of the graph as one full graph, called without gradients.

    With `any_batch` it is compiled once, for every batch size there may be, one included: the way
    for graphs in which sizes depend on the data. Without, for each size as `ByBatchSize` does it.

    The weights are laid out as the convolutions want them, for good: a change to them is not seen.
    It is also what makes convolutions right on a batch of a size that the data tell. Without it
    they have failed to compile, and have been silently wrong.
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
    """Which guards to check in each call: those of the inputs and of torch's own switches.

    The graph and its modules are copies that nobody else has. To look at all of them again takes
    half a millisecond for a network of some size.
    """
    return [not guard.name or guard.guard_type == "TENSOR_MATCH" for guard in guards]


class _Freezing:
    """Sets the switch for freezing wherever a call may compile: setting it takes a while itself."""

    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run
        self._seen: set[Hashable] = set()

    def __call__(self, *inputs: Tensor) -> Any:
        kind = tuple((x.shape, x.stride(), x.dtype, x.device) for x in inputs)
        if kind in self._seen:
            return self._run(*inputs)
        # On a CPU, what calls the kernels is C++ as well, in one file with them: half the time to
        # build, and a millisecond less to run.
        in_one_file = inputs[0].device.type == "cpu"
        if in_one_file:
            warm_up_toolchain(wrapper=True)
        with inductor_config(freezing=True, cpp_wrapper=in_one_file):
            result = self._run(*inputs)
        self._seen.add(kind)
        return result


def _with_unknown_batch(x: Tensor) -> Tensor:
    # A view, because the mark stays on the tensor, and that one belongs to the caller. Unknown,
    # not symbolic: else a batch of one would be compiled apart, and other sizes found out about.
    x = x.view_as(x)
    mark_batch_unknown(x)
    return x
