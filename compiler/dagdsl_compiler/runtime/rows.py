"""Tensors that have rows for some of the samples only.

`run` is a mask `[B]` of these samples, `n` their number; an index says which rows of a tensor to
take. Nothing here costs more than the rows it is about, and `n` may be zero.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def rows(run: Tensor) -> Tensor:
    """The samples that `run` marks, in order: `[B]` -> `[n]`."""
    return run.nonzero().squeeze(1)


def places(run: Tensor) -> Tensor:
    """For each sample its row among those that `run` marks, `n` if it has none: `[B]` -> `[B]`."""
    # A slice of the last sum would ask torch.compile for its size, of a batch it knows nothing of.
    return torch.where(run, run.long().cumsum(0) - 1, run.long().sum())


def take(x: Tensor, index: Tensor) -> Tensor:
    """The rows of `x` that `index` names: `[n, ...]`, `[m]` -> `[m, ...]`."""
    return x.index_select(0, index)


def with_zero(x: Tensor) -> Tensor:
    """A row of zeros behind those of `x`: `[n, ...]` -> `[n + 1, ...]`.

    It is the row of all samples that have none, and keeps an empty `x` from being indexed.
    """
    return F.pad(x, [0, 0] * (x.dim() - 1) + [0, 1])


def zeros(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Zeros for every sample: `[B, *shape]`, of the type of `like`, which is `[B, ...]`."""
    return like.new_zeros((like.shape[0], *shape))
