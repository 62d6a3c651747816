"""Weighted sums whose values go to several nodes, with gradients that need no extra memory.

The gradient of a value is itself a weighted sum: of the gradients of the sums that it entered. To
compute it as one, a value is first fanned out with the weights of its edges. The sums then pass
their gradients back unweighted, and the fan-out weighs all of them at once. Nothing is computed
edge by edge.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dagdsl_compiler.runtime.sums import weight_gradients, weighted_sum


def fan_out(x: Tensor, weights: Tensor, columns: list[int]) -> tuple[Tensor, ...]:
    """Views of `x`, `[B, ...]`, one for each of `columns` of `weights`, `[B, E]` or `[1, E]`.

    Each view must enter exactly one `junction`, with the weight of its column.
    """
    copies: tuple[Tensor, ...] = _FanOut.apply(x, weights, columns)
    return copies


def junction(values: list[Tensor], weights: list[Tensor], columns: list[int]) -> Tensor:
    """`sums.weighted_sum` of values that were fanned out with the same weights.

    A value whose column is -1 has weight one and need not be fanned out.
    """
    total: Tensor = _Junction.apply([w.detach() for w in weights], columns, *values)
    return total


class _FanOut(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weights: Tensor, columns: list[int]) -> tuple[Tensor, ...]:
        ctx.save_for_backward(x, weights)
        ctx.columns = columns
        return tuple([x.view_as(x) for _ in columns])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weights = ctx.saved_tensors
        arrived = list(gradients)
        of_x = weighted_sum(arrived, [weights] * len(arrived), ctx.columns)
        of_weights = weight_gradients(x, arrived, weights, ctx.columns)
        return of_x, of_weights, None


class _Junction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: list[Tensor], columns: list[int], *values: Tensor) -> Tensor:
        ctx.edges = len(values)
        return weighted_sum(list(values), weights, columns)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return (None, None, *([gradient] * ctx.edges))
