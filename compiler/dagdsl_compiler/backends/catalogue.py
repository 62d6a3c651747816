"""The backends by name."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, TypeAlias

from torch import fx

from dagdsl_compiler.backends.eager import eager
from dagdsl_compiler.backends.frozen import frozen
from dagdsl_compiler.backends.inductor import inductor

Backend: TypeAlias = Callable[[fx.GraphModule], Callable[..., Any]]
"""Graph -> a callable with the same inputs and outputs."""

BACKENDS: MappingProxyType[str, Backend] = MappingProxyType({"eager": eager, "inductor": inductor})
"""Name -> backend."""

Evaluator: TypeAlias = Callable[[fx.GraphModule, bool], Callable[..., Any]]
"""Like `Backend`, for graphs that are only evaluated. The flag: compile once for any batch size."""

EVALUATORS: MappingProxyType[str, Evaluator] = MappingProxyType(
    {"eager": lambda module, any_batch: eager(module), "inductor": frozen}
)
"""The backends for evaluation, by the same names."""
