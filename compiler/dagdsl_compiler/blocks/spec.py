"""What stands behind an op: a module with state, or a call of a function without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from torch import nn

from dagdsl.ir.nodes import Op, Shape


@dataclass(frozen=True, slots=True)
class Call:
    """`function(x, **arguments)`."""

    function: Callable[..., Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)


Modules: TypeAlias = Mapping[str, Callable[[Shape, Op], nn.Module]]
"""Op name -> what makes its module; takes the shape of the op's input and the op."""

Calls: TypeAlias = Mapping[str, Callable[[Op], Call]]
"""Op name -> the function it calls."""


def integer(op: Op, name: str) -> int:
    """A parameter of type int."""
    value = op.params[name]
    assert isinstance(value, int)
    return value


def real(op: Op, name: str) -> float:
    """A parameter of type float; the IR may hold a whole number."""
    value = op.params[name]
    assert isinstance(value, int | float)
    return float(value)
