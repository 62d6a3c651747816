"""How an op is computed: by a module with state, or by a call of a pure function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from torch import nn

from dagdsl.ir.nodes import Op, Shape


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """`function(x, **arguments)`."""

    function: Callable[..., Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)


Modules: TypeAlias = Mapping[str, Callable[[Shape, Op], nn.Module]]
"""Op name -> the function that makes its module from the shape of its input and the op."""

Calls: TypeAlias = Mapping[str, Callable[[Op], FunctionCall]]
"""Op name -> the function it calls."""


def integer(op: Op, name: str) -> int:
    """A parameter of type int."""
    value = op.params[name]
    assert isinstance(value, int)
    return value


def real(op: Op, name: str) -> float:
    """A parameter of type float, which the IR may store as an int."""
    value = op.params[name]
    assert isinstance(value, int | float)
    return float(value)
