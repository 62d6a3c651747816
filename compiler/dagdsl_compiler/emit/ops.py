"""Op -> the code of the module that computes it; the counterpart of `blocks/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from dagdsl.ir.nodes import Op, Shape
from dagdsl_compiler.emit.added import added_code, is_added
from dagdsl_compiler.emit.code import Arg, Call, Code, Hole, literal

Emitter: TypeAlias = Callable[[Shape, Op], Code]


def op_code(op: Op, x: Shape) -> Code:
    """The constructor call of the module that applies `op` to an input of shape `x`.

    Raises ValueError for an op that the catalogue does not have.
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
        raise ValueError(f"{name!r} of op {op.op!r} is no number")
    return Hole(name, value)


def _optional(op: Op, name: str, default: object, prefix: str | None = None) -> Arg:
    return Arg(_number(op, name), prefix or f"{name}=", literal(default))


def _flag(op: Op, default: bool) -> Arg:
    return Arg(literal(bool(op.params["bias"])), "bias=", literal(default))


def _plain(text: str) -> Emitter:
    return lambda x, op: text


def _conv(x: Shape, op: Op) -> Code:
    inputs = Hole("channels", x[0])
    depthwise = op.op == "dwconv"
    groups = Arg(inputs, "groups=") if depthwise else _optional(op, "groups", 1)
    return Call(
        "conv",
        (
            Arg(inputs),
            Arg(inputs if depthwise else Hole("channels", op.shape[0])),
            Arg(_number(op, "kernel")),
            _optional(op, "stride", 1),
            groups,
            _optional(op, "dilation", 1),
            _flag(op, False),
        ),
    )


def _fc(x: Shape, op: Op) -> Code:
    inputs, bias = Arg(Hole("channels", x[0])), _flag(op, True)
    if op.params["init"] is None:
        return Call("nn.Linear", (inputs, Arg(Hole("channels", op.shape[0])), bias))
    edges, init = Arg(Hole("edges", op.shape[0])), Arg(_number(op, "init"), "init=")
    return Call("router_fc", (inputs, edges, init, bias))


def _bn(x: Shape, op: Op) -> Code:
    name = "nn.BatchNorm2d" if len(x) == 3 else "nn.BatchNorm1d"
    size = Arg(Hole("channels", x[0]))
    return Call(name, (size, _optional(op, "eps", 1e-5), _optional(op, "momentum", 0.1)))


def _gn(x: Shape, op: Op) -> Code:
    size = Arg(Hole("channels", x[0]))
    return Call("nn.GroupNorm", (Arg(_number(op, "groups")), size, _optional(op, "eps", 1e-5)))


def _dropout(x: Shape, op: Op) -> Code:
    return Call("nn.Dropout", (Arg(_number(op, "p")),))


def _noise(x: Shape, op: Op) -> Code:
    temperature = _optional(op, "temperature", 1.0)
    return Call("Noise", (Arg(literal(op.params["kind"])), Arg(_number(op, "scale")), temperature))


def _pool(name: str, *more: Arg) -> Emitter:
    def emit(x: Shape, op: Op) -> Code:
        kernel = _number(op, "kernel")
        padding = Hole("padding", (int(kernel.value) - 1) // 2)
        window = (Arg(kernel), Arg(_number(op, "stride")), Arg(padding, "padding=", "0"))
        return Call(name, (*window, *more))

    return emit


def _upsample(x: Shape, op: Op) -> Code:
    scale = Arg(Hole("scale", float(_number(op, "scale").value)), "scale_factor=")
    if op.params["mode"] == "nearest":
        return Call("nn.Upsample", (scale,))
    mode = Arg(literal(op.params["mode"]), "mode=")
    return Call("nn.Upsample", (scale, mode, Arg("False", "align_corners=")))


def _logit(name: str, param: str) -> Emitter:
    return lambda x, op: Call(name, (Arg(Hole("edges", op.shape[0])), Arg(_number(op, param))))


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
        "avgpool": _pool("nn.AvgPool2d", Arg("False", "count_include_pad=")),
        "gap": _plain("GlobalAvgPool()"),
        "flatten": _plain("nn.Flatten()"),
        "upsample": _upsample,
        "learned": _logit("Learned", "init"),
        "constant": _logit("Constant", "value"),
    }
)
