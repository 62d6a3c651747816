"""Logits of a router -> weights of edges, and which of these edges are open.

Weights are `[B, E]`, or `[1, E]` if they are the same for every sample. Each function is
self-contained, because its source is also copied into emitted models.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn


def softmax(logits: Tensor, groups: tuple[int, ...]) -> Tensor:
    """Softmax in each group. `[B, E]` -> `[B, E]`."""
    parts = [part.softmax(1) for part in torch.split_with_sizes(logits, groups, 1)]
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def relu_tanh(logits: Tensor) -> Tensor:
    """`max(tanh(x), 0)`. `[B, E]` -> `[B, E]`."""
    return torch.tanh(logits).relu()


def hard_concrete(logits: Tensor) -> Tensor:
    """`sigmoid(x)` stretched to -0.1 .. 1.1 and clamped to 0 .. 1. `[B, E]` -> `[B, E]`."""
    return (1.2 * torch.sigmoid(logits) - 0.1).clamp(0, 1)


def strongest(weights: Tensor, groups: tuple[int, ...], k: int) -> Tensor:
    """A mask of the `k` edges with the largest weights in each group, shaped like `weights`."""
    parts = []
    for part in torch.split_with_sizes(weights, groups, 1):
        chosen = part.topk(min(k, part.shape[1]), 1).indices
        parts.append(torch.zeros_like(part, dtype=torch.bool).scatter(1, chosen, True))
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def normalise(weights: Tensor, groups: tuple[int, ...]) -> Tensor:
    """Divide the weights of each group by their sum. A group of zeros stays zero."""
    parts = []
    for part in torch.split_with_sizes(weights, groups, 1):
        total = part.sum(1, keepdim=True)
        parts.append(part / torch.where(total == 0, 1, total))
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def above(weights: Tensor, tau: float) -> Tensor:
    """A mask of the edges above a threshold, shaped like `weights`."""
    return weights > tau


class SoftThreshold(nn.Module):
    """A threshold that closes no edge in training."""

    def __init__(self, tau: float) -> None:
        super().__init__()
        self.tau = tau

    def forward(self, weights: Tensor) -> Tensor:
        """A mask of the open edges, shaped like `weights`."""
        if self.training:
            return torch.ones_like(weights, dtype=torch.bool)
        return weights > self.tau

    def extra_repr(self) -> str:
        """The threshold."""
        return str(self.tau)


def binary(weights: Tensor) -> Tensor:
    """Ones, with the gradients of the weights."""
    return weights + (1 - weights).detach()


def close(weights: Tensor, is_open: Tensor) -> Tensor:
    """Zero the weights of closed edges. They get no gradient."""
    return torch.where(is_open, weights, 0)


def close_straight_through(weights: Tensor, is_open: Tensor) -> Tensor:
    """The values of `close`, with gradients as if no edge had been closed."""
    return weights + (torch.where(is_open, weights, 0) - weights).detach()


def keep_strongest(
    weights: list[Tensor], is_open: list[Tensor], alive: list[Tensor | None], others: list[Tensor]
) -> list[Tensor]:
    """Reopen the strongest edge into a node in samples in which all edges into it are closed.

    The first three lists have an entry `[B]` or `[1]` for each edge that may be reopened: its
    weight, whether its gate is open, and whether its source is alive (None: always). `others` has
    an entry for each other incoming edge: whether it is open and its source alive. Returns the new
    `is_open`, each `[B]`. Among equal weights, the first wins.
    """
    ranks, opened = [], list(others)
    for weight, gate, source in zip(weights, is_open, alive, strict=True):
        ranks.append(weight if source is None else torch.where(source, weight, -float("inf")))
        opened.append(gate if source is None else gate & source)
    closed = ~opened[0]
    for edge in opened[1:]:
        closed = closed & ~edge
    top = ranks[0]
    for rank in ranks[1:]:
        top = torch.maximum(top, rank)
    kept = []
    for rank, gate, source in zip(ranks, is_open, alive, strict=True):
        strongest = closed & (rank == top)
        if source is not None:
            strongest = strongest & source
        closed = closed & ~strongest
        kept.append(gate | strongest)
    return kept


BY_SAMPLE: Final[frozenset[Callable[..., Tensor]]] = frozenset(
    {
        above,
        binary,
        close,
        close_straight_through,
        hard_concrete,
        normalise,
        relu_tanh,
        softmax,
        strongest,
    }
)
"""From logits to weights and masks. Excludes `keep_strongest`, which also reads liveness."""
