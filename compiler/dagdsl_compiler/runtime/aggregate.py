"""The merges of a node: the values of its incoming edges -> one tensor.

Values are `[B, C, H, W]` or `[B, C]`; a weight is `[B]` or `[1]`, and None stands for one. Each
function is self-contained, because its source is also copied into emitted models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor

from dagdsl.ir.nodes import Merge


def weighted_sum(values: list[Tensor], weights: list[Tensor | None]) -> Tensor:
    """Sum of the values, each times its weight. All values have the same shape."""
    total: Tensor | None = None
    for value, weight in zip(values, weights, strict=True):
        if weight is not None:
            scale = weight.to(value.dtype).view(-1, *(1,) * (value.dim() - 1))
        if total is None:
            total = value if weight is None else value * scale
        else:
            # One pass over memory; in eager mode, `total + value * scale` takes two.
            total = total + value if weight is None else torch.addcmul(total, value, scale)
    assert total is not None
    return total


def concat(values: list[Tensor], weights: list[Tensor | None]) -> Tensor:
    """The values, each times its weight, concatenated along the channels."""
    parts = []
    for value, weight in zip(values, weights, strict=True):
        if weight is not None:
            value = value * weight.to(value.dtype).view(-1, *(1,) * (value.dim() - 1))
        parts.append(value)
    return torch.cat(parts, 1)


def product(values: list[Tensor], weights: list[Tensor | None]) -> Tensor:
    """Product of the values, each times its weight. A flat `[B, C]` scales the channels."""
    rank = max(value.dim() for value in values)
    total: Tensor | None = None
    for value, weight in zip(values, weights, strict=True):
        if weight is not None:
            value = value * weight.to(value.dtype).view(-1, *(1,) * (value.dim() - 1))
        if value.dim() < rank:
            value = value.view(*value.shape, *(1,) * (rank - value.dim()))
        total = value if total is None else total * value
    assert total is not None
    return total


def mean(values: list[Tensor], weights: list[Tensor | None]) -> Tensor:
    """Mean of the values, each times its weight. Closed edges count as zeros."""
    return weighted_sum(values, weights) / len(values)


def maximum(values: list[Tensor], weights: list[Tensor | None]) -> Tensor:
    """Element-wise maximum of the values, each times its weight."""
    result: Tensor | None = None
    for value, weight in zip(values, weights, strict=True):
        if weight is not None:
            value = value * weight.to(value.dtype).view(-1, *(1,) * (value.dim() - 1))
        result = value if result is None else torch.maximum(result, value)
    assert result is not None
    return result


def first_confident(values: list[Tensor], weights: list[Tensor | None], tau: float) -> Tensor:
    """For each sample, the first logits `[B, C]` with a probability above `tau`.

    If there are none, the last logits.
    """
    result: Tensor | None = None
    for value, weight in zip(reversed(values), reversed(weights), strict=True):
        if weight is not None:
            value = value * weight.to(value.dtype).view(-1, 1)
        if result is None:
            result = value
        else:
            is_sure = value.softmax(1).amax(1, keepdim=True) > tau
            result = torch.where(is_sure, value, result)
    assert result is not None
    return result


def unsure(values: list[Tensor], weights: list[Tensor | None], tau: float) -> Tensor:
    """Whether none of the logits `[B, C]` gives a class a probability above `tau`: `[B]`."""
    found: Tensor | None = None
    for value, weight in zip(values, weights, strict=True):
        if weight is not None:
            value = value * weight.to(value.dtype).view(-1, 1)
        is_sure = value.softmax(1).amax(1) > tau
        found = is_sure if found is None else found | is_sure
    assert found is not None
    return ~found


MERGES: Final[Mapping[Merge, Callable[..., Tensor]]] = MappingProxyType(
    {
        "sum": weighted_sum,
        "mean": mean,
        "max": maximum,
        "concat": concat,
        "mul": product,
        "first_confident": first_confident,
    }
)
"""Merge -> its function. Parameters of the merge are keyword arguments."""
