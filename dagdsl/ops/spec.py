"""What an operator is, torch left aside: its parameters, its shape rule, its cost rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from dagdsl.ir.nodes import Shape, Value

Params = Mapping[str, Value | None]
ParamType = Literal["int", "float", "bool", "str"]


class ShapeError(Exception):
    """The op cannot take this input. `str(error)` is a diagnostic's message, `help` its help."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


class _SameChannels:
    def __repr__(self) -> str:
        return "in.channels"


REQUIRED: Final = _Required()
SAME_CHANNELS: Final = _SameChannels()
"""Default of a parameter: the number of channels of the op's input."""


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter: its type, default, closed range or choices, and a line of documentation."""

    name: str
    type: ParamType
    default: Value | _Required | _SameChannels | None
    doc: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """Per sample. A MAC is one multiply-add; only products of weights and features are counted."""

    parameters: int = 0
    macs: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.parameters + other.parameters, self.macs + other.macs)


def free(x: Shape, y: Shape, p: Params) -> Cost:
    """The cost rule of an op without weights."""
    return Cost()


def same_shape(x: Shape, p: Params) -> Shape:
    """The shape rule of an op that works element by element."""
    return x


@dataclass(frozen=True, slots=True)
class OpSpec:
    """An operator. `shape(input, params)` may raise ShapeError; `cost(input, output, params)`.

    `role` says where it may stand: `tensor` ops in nodes, edges and routers; `merge` ops first in
    a node; in a router `reads` first of all, `logit` ops before the decision (they read nothing),
    `decision` ops last.

    `module` is for ops that a package adds: what makes their `nn.Module`, as the text
    `"package.layers:Blur"`, which is imported when a net with the op is compiled, or as the
    function or class itself. It is called with the input's shape and the op's parameters by name.
    """

    name: str
    doc: str
    params: tuple[Param, ...] = ()
    shape: Callable[[Shape, Params], Shape] = same_shape
    cost: Callable[[Shape, Shape, Params], Cost] = free
    role: Literal["tensor", "merge", "reads", "logit", "decision"] = "tensor"
    module: str | Callable[..., Any] | None = None

    def param(self, name: str) -> Param | None:
        """The parameter of that name, if there is one."""
        return next((p for p in self.params if p.name == name), None)


def whole(p: Params, name: str) -> int:
    """The value of a parameter that is a whole number."""
    value = p[name]
    assert isinstance(value, int)
    return value


def format_shape(shape: Shape) -> str:
    """`3 x 32 x 32`: how shapes are written for people."""
    return " x ".join(map(str, shape))


def need_image(x: Shape, op: str) -> tuple[int, int, int]:
    """The channels, height and width of a feature map. Raises ShapeError on a flat input."""
    if len(x) != 3:
        raise ShapeError(
            f"`{op}` needs a feature map of channels x height x width, not {format_shape(x)}",
            f"the input is flat: put `{op}` before `gap`, `flatten` or `fc`, or leave it out",
        )
    return x[0], x[1], x[2]
