"""The weights of edges -> the adjacency of a graph."""

from __future__ import annotations

import torch
from torch import Tensor


def adjacency(
    like: Tensor, size: int, places: list[tuple[int, int]], weights: list[Tensor | None]
) -> Tensor:
    """`[B, size, size]`: the weight of the edge from node `i` to node `j`, or zero, at `[b, i, j]`.

    `places` are the `(i, j)` of `weights`, each `[B]`, `[1]`, or None for one. `like` is any
    `[B, ...]` tensor of the graph.
    """
    ones = torch.ones_like(like.flatten(1)[:, 0])
    columns = [ones if w is None else w.to(like.dtype).expand(like.shape[0]) for w in weights]
    # An index lookup instead of in-place writes: gradients reach the weights without copies.
    table = [len(places)] * (size * size)
    for column, (i, j) in enumerate(places):
        table[i * size + j] = column
    flat = torch.stack([*columns, torch.zeros_like(ones)], 1)
    index = torch.tensor(table, device=like.device)
    return flat.index_select(1, index).view(-1, size, size)
