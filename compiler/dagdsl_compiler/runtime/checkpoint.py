"""Activation checkpointing: what is not kept for the backward pass is computed again in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor, fx, nn
from torch.utils.checkpoint import checkpoint


class Checkpointed(nn.Module):
    """`body(*inputs)`, of which only inputs and results are kept for the backward pass.

    That computes the rest again, with the random numbers of the first time. Running statistics and
    other buffers are those of the first time too, and change once only.
    """

    def __init__(self, body: fx.GraphModule) -> None:
        super().__init__()
        self.body = body

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """A tuple of tensors, as `body` gives it."""
        if not torch.is_grad_enabled():
            return cast("tuple[Tensor, ...]", self.body(*inputs))
        # Compiled, writing to buffers is no part of what is computed again.
        options: dict[str, Any] = (
            {} if torch.compiler.is_compiling() else {"context_fn": self._contexts}
        )
        results: tuple[Tensor, ...] = checkpoint(self.body, *inputs, use_reentrant=False, **options)
        return results

    def _contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        """What surrounds the body the first time, and the second."""
        return nullcontext(), _with_copies(self)


def _with_copies(module: nn.Module) -> AbstractContextManager[None]:
    """Puts copies, made now, in the place of all buffers for a while, and then drops them."""
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
