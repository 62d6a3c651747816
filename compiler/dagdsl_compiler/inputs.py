"""The arguments of a call -> the checked inputs of a net, in the order of declaration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from dagdsl.ir.nodes import Net
from dagdsl_compiler.errors import InputError


def bind(net: Net, inputs: Sequence[Tensor], named: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """Return the inputs of a call, `[B, *shape]` each, given by position or by name.

    Raises InputError if one is missing, unknown, given twice, or does not match its declaration.
    """
    names = [node.name for node in net.inputs]
    if len(inputs) > len(names) or (not named and len(inputs) < len(names)):
        raise InputError(
            f"expected {len(names)} input{'s' * (len(names) != 1)} ({_quoted(names)}), "
            f"got {len(inputs)}"
        )
    values = dict(zip(names, inputs, strict=False))
    for name, value in named.items():
        if name not in names:
            raise InputError(f"there is no input `{name}`; the net has {_quoted(names)}")
        if name in values:
            raise InputError(f"input `{name}` is given twice, by position and by name")
        values[name] = value
    if missing := [name for name in names if name not in values]:
        raise InputError(f"missing input{'s' * (len(missing) != 1)}: {_quoted(missing)}")
    bound = tuple(values[name] for name in names)
    _check(net, bound)
    return bound


def _check(net: Net, inputs: tuple[Tensor, ...]) -> None:
    declared = net.inputs
    for node, x in zip(declared, inputs, strict=True):
        if not isinstance(x, Tensor):
            kind = type(x).__name__
            raise InputError(f"expected a tensor for input `{node.name}`, got a value of `{kind}`")
        if x.dim() != len(node.shape) + 1 or tuple(x.shape[1:]) != node.shape:
            expected = ", ".join(map(str, ("B", *node.shape)))
            got = ", ".join(map(str, x.shape))
            raise InputError(f"expected [{expected}] for input `{node.name}`, got [{got}]")
        if not x.is_floating_point():
            raise InputError(
                f"expected floating-point numbers for input `{node.name}`, got {x.dtype}"
            )
        if x.shape[0] != inputs[0].shape[0]:
            raise InputError(
                f"expected one batch size for all inputs, got {inputs[0].shape[0]} for "
                f"`{declared[0].name}` and {x.shape[0]} for `{node.name}`"
            )


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
