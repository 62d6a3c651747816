"""The code of each op's module; the counterpart of `blocks/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from dagdsl.ir.nodes import Op, Shape
from dagdsl_compiler.emit.added import added_code, is_added
from dagdsl_compiler.emit.code import ArgCode, CallCode, Code, Hole, literal

Emitter: TypeAlias = Callable[[Shape, Op], Code]


def op_code(op: Op, x: Shape) -> Code:
    """The call that makes the module of `op` for an input of shape `x`, without the batch.

    Raises ValueError if the op is not in the catalogue, or if a number among its parameters is
    not a number.
    """
    emitter = _EMITTERS.get(op.op)
    if emitter is None and is_added(op.op):
        return added_code(op, x)
    if emitter is None:
        raise ValueError(f"unknown op {op.op!r}")
    return emitter(x, op)


def _number(op: Op, name: str) -> Hole:
    value = op.params[name]
    if isinstance(value, str) or value is None:
        raise ValueError(f"{name!r} of op {op.op!r} is not a number")
    return Hole(name, value)


def _optional(op: Op, name: str, default: object, prefix: str | None = None) -> ArgCode:
    return ArgCode(_number(op, name), prefix or f"{name}=", literal(default))


def _flag(op: Op, default: bool) -> ArgCode:
    return ArgCode(literal(bool(op.params["bias"])), "bias=", literal(default))


def _plain(text: str) -> Emitter:
    return lambda x, op: text


def _conv(x: Shape, op: Op) -> Code:
    inputs = Hole("channels", x[0])
    depthwise = op.op == "dwconv"
    groups = ArgCode(inputs, "groups=") if depthwise else _optional(op, "groups", 1)
    return CallCode(
        "conv",
        (
            ArgCode(inputs),
            ArgCode(inputs if depthwise else Hole("channels", op.shape[0])),
            ArgCode(_number(op, "kernel")),
            _optional(op, "stride", 1),
            groups,
            _optional(op, "dilation", 1),
            _flag(op, False),
        ),
    )


def _fc(x: Shape, op: Op) -> Code:
    inputs, bias = ArgCode(Hole("channels", x[0])), _flag(op, True)
    if op.params["init"] is None:
        return CallCode("nn.Linear", (inputs, ArgCode(Hole("channels", op.shape[0])), bias))
    edges, init = ArgCode(Hole("edges", op.shape[0])), ArgCode(_number(op, "init"), "init=")
    return CallCode("router_fc", (inputs, edges, init, bias))


def _bn(x: Shape, op: Op) -> Code:
    name = "nn.BatchNorm2d" if len(x) == 3 else "nn.BatchNorm1d"
    size = ArgCode(Hole("channels", x[0]))
    return CallCode(name, (size, _optional(op, "eps", 1e-5), _optional(op, "momentum", 0.1)))


def _gn(x: Shape, op: Op) -> Code:
    size = ArgCode(Hole("channels", x[0]))
    return CallCode(
        "nn.GroupNorm", (ArgCode(_number(op, "groups")), size, _optional(op, "eps", 1e-5))
    )


def _dropout(x: Shape, op: Op) -> Code:
    return CallCode("nn.Dropout", (ArgCode(_number(op, "p")),))


def _noise(x: Shape, op: Op) -> Code:
    temperature = _optional(op, "temperature", 1.0)
    return CallCode(
        "Noise", (ArgCode(literal(op.params["kind"])), ArgCode(_number(op, "scale")), temperature)
    )


def _pool(name: str, *more: ArgCode) -> Emitter:
    def emit(x: Shape, op: Op) -> Code:
        kernel = _number(op, "kernel")
        padding = Hole("padding", (int(kernel.value) - 1) // 2)
        window = (
            ArgCode(kernel),
            ArgCode(_number(op, "stride")),
            ArgCode(padding, "padding=", "0"),
        )
        return CallCode(name, (*window, *more))

    return emit


def _upsample(x: Shape, op: Op) -> Code:
    scale = ArgCode(Hole("scale", float(_number(op, "scale").value)), "scale_factor=")
    if op.params["mode"] == "nearest":
        return CallCode("nn.Upsample", (scale,))
    mode = ArgCode(literal(op.params["mode"]), "mode=")
    return CallCode("nn.Upsample", (scale, mode, ArgCode("False", "align_corners=")))


def _logit(name: str, param: str) -> Emitter:
    return lambda x, op: CallCode(
        name, (ArgCode(Hole("edges", op.shape[0])), ArgCode(_number(op, param)))
    )


_EMITTERS: Final[Mapping[str, Emitter]] = MappingProxyType(
    {
        "conv": _conv,
        "dwconv": _conv,
        "fc": _fc,
        "bn": _bn,
        "gn": _gn,
        "dropout": _dropout,
        "noise": _noise,
        "relu": _plain("nn.ReLU()"),
        "relu6": _plain("nn.ReLU6()"),
        "silu": _plain("nn.SiLU()"),
        "gelu": _plain("nn.GELU()"),
        "hardswish": _plain("nn.Hardswish()"),
        "hardsigmoid": _plain("nn.Hardsigmoid()"),
        "sigmoid": _plain("nn.Sigmoid()"),
        "tanh": _plain("nn.Tanh()"),
        "identity": _plain("nn.Identity()"),
        "zero": _plain("Zero()"),
        "maxpool": _pool("nn.MaxPool2d"),
        "avgpool": _pool("nn.AvgPool2d", ArgCode("False", "count_include_pad=")),
        "gap": _plain("GlobalAvgPool()"),
        "flatten": _plain("nn.Flatten()"),
        "upsample": _upsample,
        "learned": _logit("Learned", "init"),
        "constant": _logit("Constant", "value"),
    }
)
