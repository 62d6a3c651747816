"""The graph compiled by TorchInductor."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx


def inductor(module: fx.GraphModule) -> Callable[..., Any]:
    """`torch.compile` of the graph as one full graph: a graph break is an error.

    Batch sizes: the first one seen is compiled for exactly; all others share one compilation with
    a symbolic batch size. (Torch's own automatic mode would, after the first smaller batch of an
    epoch, prefer the symbolic code for full batches too, which is slower; a compilation for each
    size would be costly, and an error from the ninth on.) With and without gradients are counted
    apart: training and evaluation mostly have batch sizes of their own.
    """
    return _ByBatchSize(module)


class _ByBatchSize:
    def __init__(self, module: fx.GraphModule) -> None:
        self._exact = torch.compile(module, fullgraph=True, dynamic=False)
        # Torch keeps compiled code by code object: a copy of the graph (of the same modules) has
        # one of its own.
        twin = fx.GraphModule(module, copy.deepcopy(module.graph))
        self._any = torch.compile(twin, fullgraph=True)
        self._sizes: dict[bool, int] = {}

    def __call__(self, *inputs: Tensor) -> Any:
        size = inputs[0].shape[0]
        if self._sizes.setdefault(torch.is_grad_enabled(), size) == size:
            return self._exact(*inputs)
        return self._any(*map(_with_symbolic_batch, inputs))


def _with_symbolic_batch(x: Tensor) -> Tensor:
    # A view, because the mark is left on the tensor, and that one belongs to the caller.
    x = x.view_as(x)
    torch._dynamo.maybe_mark_dynamic(x, 0)
    return x
