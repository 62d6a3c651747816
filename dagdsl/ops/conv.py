"""Convolutions."""

from __future__ import annotations

from dagdsl.ir.nodes import Shape
from dagdsl.ops.spec import (
    SAME_CHANNELS,
    Cost,
    OpSpec,
    Param,
    Params,
    ShapeError,
    format_shape,
    need_image,
    whole,
)

_WINDOW = (
    Param("kernel", "int", 3, "side of the square kernel", low=1, high=255),
    Param("stride", "int", 1, "step between kernel positions", low=1, high=255),
    Param("dilation", "int", 1, "distance between kernel elements", low=1, high=255),
    Param("bias", "bool", False, "whether to add a learned bias"),
)


def window(size: int, kernel: int, stride: int, dilation: int = 1) -> int:
    """Output size along one axis with padding `dilation * (kernel - 1) // 2` on both sides.

    >>> window(224, kernel=7, stride=2)
    112
    """
    reach = dilation * (kernel - 1)
    return (size + 2 * (reach // 2) - reach - 1) // stride + 1


def _output(x: Shape, p: Params, op: str, channels: int) -> Shape:
    _, h, w = need_image(x, op)
    kernel, stride, dilation = whole(p, "kernel"), whole(p, "stride"), whole(p, "dilation")
    y = (channels, window(h, kernel, stride, dilation), window(w, kernel, stride, dilation))
    if min(y[1:]) < 1:
        raise ShapeError(
            f"`{op}` with kernel {kernel} does not fit into {format_shape(x)}",
            "use a smaller kernel or dilation",
        )
    return y


def _conv_shape(x: Shape, p: Params) -> Shape:
    in_channels, _, _ = need_image(x, "conv")
    channels, groups = whole(p, "channels"), whole(p, "groups")
    for what, count in (("input", in_channels), ("output", channels)):
        if count % groups:
            raise ShapeError(
                f"`conv` cannot split {count} {what} channels into {groups} groups",
                f"`groups` must divide the {what} channels",
            )
    return _output(x, p, "conv", channels)


def _cost(x: Shape, y: Shape, p: Params, groups: int) -> Cost:
    kernel = whole(p, "kernel")
    weights = y[0] * (x[0] // groups) * kernel * kernel
    return Cost(weights + (y[0] if p["bias"] else 0), weights * y[1] * y[2])


def _dwconv_shape(x: Shape, p: Params) -> Shape:
    return _output(x, p, "dwconv", need_image(x, "dwconv")[0])


OPS = (
    OpSpec(
        "conv",
        "2-d convolution, padded by `dilation * (kernel - 1) // 2` on every side.",
        (
            Param("channels", "int", SAME_CHANNELS, "output channels", low=1),
            *_WINDOW[:2],
            Param("groups", "int", 1, "number of channel groups, convolved separately", low=1),
            *_WINDOW[2:],
        ),
        _conv_shape,
        lambda x, y, p: _cost(x, y, p, whole(p, "groups")),
    ),
    OpSpec(
        "dwconv",
        "Depthwise 2-d convolution: one kernel per channel.",
        _WINDOW,
        _dwconv_shape,
        lambda x, y, p: _cost(x, y, p, x[0]),
    ),
)
