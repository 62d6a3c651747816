"""The specification of an op: its parameters, shape rule and cost rule. Without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from dagdsl.ir.nodes import Shape, Value

Params = Mapping[str, Value | None]
ParamType = Literal["int", "float", "bool", "str"]


class ShapeError(Exception):
    """The op cannot process this shape. `str(error)` and `help` go into the diagnostic."""

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
    """A parameter of an op: its type, default, documentation, and closed range or choices."""

    name: str
    type: ParamType
    default: Value | _Required | _SameChannels | None
    doc: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters and MACs (multiply-adds of weights with features) of an op, per sample."""

    parameters: int = 0
    macs: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.parameters + other.parameters, self.macs + other.macs)


def free(x: Shape, y: Shape, p: Params) -> Cost:
    """The cost rule of an op without weights."""
    return Cost()


def same_shape(x: Shape, p: Params) -> Shape:
    """The shape rule of an element-wise op."""
    return x


@dataclass(frozen=True, slots=True)
class OpSpec:
    """An op of the language.

    `shape(input, params)` returns the output shape and may raise ShapeError. `cost(input, output,
    params)` returns the cost.

    `role` determines where the op may stand. `tensor` ops: in nodes, edges and routers. `merge`
    ops: first in a node. `reads`: first in a router. `logit` ops: in place of the computation of a
    router; they read nothing. `decision` ops: last in a router.

    Ops of installed packages need `module`, which makes their `nn.Module`: a function or class, or
    a string such as `"package.layers:Blur"`, imported when a net with the op is compiled. It is
    called with the input shape and with the op's parameters as keyword arguments.
    """

    name: str
    doc: str
    params: tuple[Param, ...] = ()
    shape: Callable[[Shape, Params], Shape] = same_shape
    cost: Callable[[Shape, Shape, Params], Cost] = free
    role: Literal["tensor", "merge", "reads", "logit", "decision"] = "tensor"
    module: str | Callable[..., Any] | None = None

    def param(self, name: str) -> Param | None:
        """The parameter named `name`, or None."""
        return next((p for p in self.params if p.name == name), None)


def whole(p: Params, name: str) -> int:
    """The value of an integer parameter."""
    value = p[name]
    assert isinstance(value, int)
    return value


def format_shape(shape: Shape) -> str:
    """Format a shape for messages.

    >>> format_shape((3, 32, 32))
    '3 x 32 x 32'
    """
    return " x ".join(map(str, shape))


def need_image(x: Shape, op: str) -> tuple[int, int, int]:
    """Return channels, height and width of a feature map. Raises ShapeError on a flat input."""
    if len(x) != 3:
        raise ShapeError(
            f"`{op}` needs a feature map of channels x height x width, not {format_shape(x)}",
            f"the input is flat: move `{op}` before `gap`, `flatten` or `fc`, or remove it",
        )
    return x[0], x[1], x[2]
