"""Computes something only if it is needed, for a batch of one sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


class Branch(nn.Module):
    """`body(*inputs)` where `run` is true, zeros where it is not.

    `shapes` are those of what `body` returns, a tuple of tensors `[1, *shape]`.
    """

    def __init__(
        self, body: Callable[..., tuple[Tensor, ...]], shapes: Sequence[tuple[int, ...]]
    ) -> None:
        super().__init__()
        self.body = body
        self.shapes = tuple(shapes)

    def forward(self, run: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
        """`run` is `[1]`; at least one input, whose type the zeros take."""
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
    """The same values; torch.cond wants equal strides from both sides, and no aliases of inputs."""
    layout = torch.channels_last if y.dim() == 4 else torch.contiguous_format
    return y.clone(memory_format=layout)
