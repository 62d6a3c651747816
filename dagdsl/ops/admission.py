"""An op of an installed package -> the op with checked parameters, shape rule and cost rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Shape
from dagdsl.ops.spec import (
    REQUIRED,
    SAME_CHANNELS,
    Cost,
    OpSpec,
    Param,
    Params,
    ShapeError,
    format_shape,
    free,
    same_shape,
)

R = TypeVar("R")

_TYPES: Final = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}


def admit(spec: OpSpec, source: str) -> OpSpec:
    """Return the op with checked rules. Raises UsageError, as the rules do, if the op is wrong."""
    what = f"op `{spec.name}` of {source}"
    if spec.role != "tensor":
        raise UsageError(
            f"{what} has the role `{spec.role}`, but packages can only add `tensor` ops"
        )
    if spec.module is None:
        raise UsageError(f"{what} has no `module`")
    if isinstance(spec.module, str) and spec.module.count(":") != 1:
        raise UsageError(f'{what} needs a `module` like "package.layers:Blur", not "{spec.module}"')
    admit_params(spec.params, what)
    return replace(spec, shape=_shape_rule(spec, what), cost=_cost_rule(spec, what))


def admit_params(params: tuple[Param, ...], what: str) -> None:
    """Raise UsageError if two parameters share a name or a default is invalid."""
    for name, count in Counter(param.name for param in params).items():
        if count > 1:
            raise UsageError(f"{what} has two parameters named `{name}`")
    for param in params:
        value = param.default
        if value is REQUIRED or value is SAME_CHANNELS or value is None:
            continue
        right = isinstance(value, _TYPES[param.type])
        if isinstance(value, bool):
            right = param.type == "bool"
        elif isinstance(value, int | float):
            low, high = param.low, param.high
            right = right and (low is None or value >= low) and (high is None or value <= high)
        if not right or (param.choices and value not in param.choices):
            raise UsageError(f"{what} has an invalid default for `{param.name}`")


def _shape_rule(spec: OpSpec, what: str) -> Callable[[Shape, Params], Shape]:
    if spec.shape is same_shape:
        return same_shape

    def shape(x: Shape, p: Params) -> Shape:
        y = _call(f"the shape rule of {what}", x, spec.shape, x, p)
        if not isinstance(y, tuple) or not y or not all(type(d) is int and d > 0 for d in y):
            raise UsageError(
                f"the shape rule of {what} returns {y!r} for {format_shape(x)}, not a shape"
            )
        return y

    return shape


def _cost_rule(spec: OpSpec, what: str) -> Callable[[Shape, Shape, Params], Cost]:
    if spec.cost is free:
        return free

    def cost(x: Shape, y: Shape, p: Params) -> Cost:
        found = _call(f"the cost rule of {what}", x, spec.cost, x, y, p)
        if not isinstance(found, Cost):
            raise UsageError(f"the cost rule of {what} returns {found!r}, not a Cost")
        return found

    return cost


def _call(rule: str, x: Shape, function: Callable[..., R], *args: Any) -> R:
    try:
        return function(*args)
    except ShapeError:
        raise
    except Exception as error:
        # A bug in the package, not a mistake in the `.dg` file.
        raise UsageError(
            f"{rule} fails on {format_shape(x)}: {type(error).__name__}: {error}"
        ) from error
