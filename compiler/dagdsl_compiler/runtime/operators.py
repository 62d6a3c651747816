"""How operators of ours are made known to PyTorch."""

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
    """An operator `dagdsl::name`: what it runs, and `like`, which gives results of the same shape.

    It takes tensors in any layout: with that of the trace prescribed, generated code would write
    what enters several operators once for each. It is not differentiable.
    """
    LIBRARY.define(schema, tags=(torch.Tag.flexible_layout,))
    name = schema.partition("(")[0]
    # Compiled code calls these, and what it calls would be compiled too.
    untraced: Any = torch.compiler.disable
    LIBRARY.impl(name, untraced(run), "CompositeExplicitAutograd")
    if on_cpu is not None:
        LIBRARY.impl(name, untraced(on_cpu), "CPU")
    torch.library.register_fake(f"dagdsl::{name}", like, lib=LIBRARY)
    operator: Callable[..., Any] = getattr(torch.ops.dagdsl, name)
    return operator
