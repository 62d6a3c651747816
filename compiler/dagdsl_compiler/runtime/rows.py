"""Tensors with rows for some of the samples only.

`run` is a mask `[B]` of these samples, and `n` is their number, which may be zero. The cost of each
function is proportional to the rows that it handles.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def rows(run: Tensor) -> Tensor:
    """The indices of the samples that `run` marks: `[B]` -> `[n]`."""
    return run.nonzero().squeeze(1)


def places(run: Tensor) -> Tensor:
    """For each sample its row among those that `run` marks, or `n`: `[B]` -> `[B]`."""
    # Slicing the last cumulative sum would require the batch size, unknown to torch.compile.
    return torch.where(run, run.long().cumsum(0) - 1, run.long().sum())


def take(x: Tensor, index: Tensor) -> Tensor:
    """The rows `index` of `x`: `[n, ...]`, `[m]` -> `[m, ...]`."""
    return x.index_select(0, index)


def with_zero(x: Tensor) -> Tensor:
    """Append a row of zeros to `x`: `[n, ...]` -> `[n + 1, ...]`.

    It serves all samples without a row of their own, and makes an empty `x` safe to index.
    """
    return F.pad(x, [0, 0] * (x.dim() - 1) + [0, 1])


def zeros(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Zeros for every sample: `[B, *shape]`, of the type of `like`, which is `[B, ...]`."""
    return like.new_zeros((like.shape[0], *shape))
