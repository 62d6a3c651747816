"""Which nodes are alive, sample by sample: masks `[B]`, or `[1]` when all samples agree.

Each function is complete in itself: it is also copied as text into the models that are written
out as source.
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
