"""Ops of routers without input: the same weights, `[1, edges]`, for every sample."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dagdsl.ir.nodes import Op, Shape
from dagdsl_compiler.blocks.spec import Modules, real


class Learned(nn.Module):
    """One learned weight per edge."""

    def __init__(self, edges: int, init: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((edges,), init))

    def forward(self) -> Tensor:
        """The weights, `[1, edges]`."""
        return self.weight.unsqueeze(0)


class Constant(nn.Module):
    """One fixed weight for all edges."""

    weight: Tensor

    def __init__(self, edges: int, value: float) -> None:
        super().__init__()
        self.value = value
        # Not in checkpoints, because the net states the value.
        self.register_buffer("weight", torch.full((edges,), value), persistent=False)

    def forward(self) -> Tensor:
        """The weights, `[1, edges]`."""
        return self.weight.unsqueeze(0)


def learned(x: Shape, op: Op) -> nn.Module:
    """Nothing -> `(edges,)`."""
    return Learned(op.shape[0], real(op, "init"))


def constant(x: Shape, op: Op) -> nn.Module:
    """Nothing -> `(edges,)`."""
    return Constant(op.shape[0], real(op, "value"))


MODULES: Modules = {"learned": learned, "constant": constant}
