"""Activation checkpointing: the backward pass recomputes what was not kept for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor, fx, nn
from torch.utils.checkpoint import checkpoint


class Checkpointed(nn.Module):
    """`body(*inputs)`, keeping only inputs and results for the backward pass.

    The backward pass recomputes the rest with the same random numbers. It uses the running
    statistics and other buffers of the first time, and does not update them again.
    """

    def __init__(self, body: fx.GraphModule) -> None:
        super().__init__()
        self.body = body

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The tuple of tensors that `body` returns."""
        if not torch.is_grad_enabled():
            return cast("tuple[Tensor, ...]", self.body(*inputs))
        # Compiled code does not repeat writes to buffers.
        options: dict[str, Any] = (
            {} if torch.compiler.is_compiling() else {"context_fn": self._contexts}
        )
        results: tuple[Tensor, ...] = checkpoint(self.body, *inputs, use_reentrant=False, **options)
        return results

    def _contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        """The contexts of the body for the first and the second time."""
        return nullcontext(), _with_copies(self)


def _with_copies(module: nn.Module) -> AbstractContextManager[None]:
    """A context in which all buffers are replaced by copies made now."""
    buffers = [
        (owner, name, buffer, buffer.clone())
        for owner in module.modules()
        for name, buffer in owner.named_buffers(recurse=False)
    ]

    @contextmanager
    def swapped() -> Iterator[None]:
        try:
            for owner, name, _, copy in buffers:
                setattr(owner, name, copy)
            yield
        finally:
            for owner, name, buffer, _ in buffers:
                setattr(owner, name, buffer)

    return swapped()
