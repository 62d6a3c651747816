"""Masks of the samples in which nodes are alive: `[B]`, or `[1]` if all samples agree.

Each function is self-contained, because its source is also copied into emitted models.
"""

from __future__ import annotations

from torch import Tensor


def both(first: Tensor, second: Tensor) -> Tensor:
    """Whether an edge is open: its gate is open and its source alive."""
    return first & second


def any_open(edges: list[Tensor]) -> Tensor:
    """Whether a node is alive: at least one edge into it is open."""
    alive = edges[0]
    for edge in edges[1:]:
        alive = alive | edge
    return alive


def masked(value: Tensor, alive: Tensor) -> Tensor:
    """Zero the dead samples of a node's output `[B, ...]` or an edge's weight `[B]`."""
    return value * alive.to(value.dtype).view(-1, *(1,) * (value.dim() - 1))
