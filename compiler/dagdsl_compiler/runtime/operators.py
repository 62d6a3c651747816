"""Registers dagdsl's operators with PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

LIBRARY: Any = torch.library.Library("dagdsl", "FRAGMENT")  # type: ignore[no-untyped-call]


def define(
    schema: str,
    run: Callable[..., Any],
    like: Callable[..., Any],
    on_cpu: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    """Define the operator `dagdsl::name`; `like` returns results of the same shapes for tracing.

    It accepts tensors in any layout. If the layout of the trace were required, generated code would
    write a value that enters several operators once for each. It is not differentiable.
    """
    LIBRARY.define(schema, tags=(torch.Tag.flexible_layout,))
    name = schema.partition("(")[0]
    # Compiled code calls these functions, which would otherwise be compiled too.
    untraced: Any = torch.compiler.disable
    LIBRARY.impl(name, untraced(run), "CompositeExplicitAutograd")
    if on_cpu is not None:
        LIBRARY.impl(name, untraced(on_cpu), "CPU")
    torch.library.register_fake(f"dagdsl::{name}", like, lib=LIBRARY)
    operator: Callable[..., Any] = getattr(torch.ops.dagdsl, name)
    return operator
