"""Conditional execution for a batch of one sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


class Branch(nn.Module):
    """`body(*inputs)` if `run` is true, otherwise zeros.

    `body` returns a tuple of tensors `[1, *shape]`, one for each of `shapes`.
    """

    def __init__(
        self, body: Callable[..., tuple[Tensor, ...]], shapes: Sequence[tuple[int, ...]]
    ) -> None:
        super().__init__()
        self.body = body
        self.shapes = tuple(shapes)

    def forward(self, run: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
        """`run` is `[1]`. There is at least one input, which determines the type of the zeros."""
        if torch.compiler.is_compiling():
            results: tuple[Tensor, ...] = torch.cond(
                run.any(), self._compute, self._skip, tuple(inputs)
            )
            return results
        return self._compute(*inputs) if bool(run) else self._skip(*inputs)

    def _compute(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(_in_one_layout(y) for y in self.body(*inputs))

    def _skip(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(_in_one_layout(inputs[0].new_zeros(1, *shape)) for shape in self.shapes)


def _in_one_layout(y: Tensor) -> Tensor:
    """A copy: `torch.cond` requires equal strides on both sides, and no aliases of inputs."""
    layout = torch.channels_last if y.dim() == 4 else torch.contiguous_format
    return y.clone(memory_format=layout)
