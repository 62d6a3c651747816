"""Masks of the samples in which nodes are alive: `[B]`, or `[1]` if all samples agree.

Each function is self-contained, because its source is also copied into emitted models.
"""

from __future__ import annotations

from torch import Tensor


def both(first: Tensor, second: Tensor) -> Tensor:
    """An edge is open when its gate is open and its source alive."""
    return first & second


def any_open(edges: list[Tensor]) -> Tensor:
    """A node is alive when one of the edges into it is open."""
    alive = edges[0]
    for edge in edges[1:]:
        alive = alive | edge
    return alive


def masked(value: Tensor, alive: Tensor) -> Tensor:
    """Zero in dead samples: of a node's output `[B, ...]`, or of an edge's weight `[B]`."""
    return value * alive.to(value.dtype).view(-1, *(1,) * (value.dim() - 1))
