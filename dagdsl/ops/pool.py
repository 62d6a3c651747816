"""Pooling and flattening."""

from __future__ import annotations

from math import prod

from dagdsl.ir.nodes import Shape
from dagdsl.ops.conv import window
from dagdsl.ops.spec import OpSpec, Param, Params, ShapeError, format_shape, need_image, whole

_PARAMS = (
    Param("kernel", "int", 3, "side of the square window", low=1, high=255),
    Param("stride", "int", 2, "step between window positions", low=1, high=255),
)


def _pool_shape(x: Shape, p: Params) -> Shape:
    c, h, w = need_image(x, "a pooling op")
    kernel, stride = whole(p, "kernel"), whole(p, "stride")
    y = (c, window(h, kernel, stride), window(w, kernel, stride))
    if min(y) < 1:
        raise ShapeError(f"a {kernel} x {kernel} window does not fit into {format_shape(x)}")
    return y


OPS = (
    OpSpec(
        "maxpool", "Maximum over a window, padded by `(kernel - 1) // 2`.", _PARAMS, _pool_shape
    ),
    OpSpec(
        "avgpool",
        "Mean over a window, padded by `(kernel - 1) // 2`; padding is excluded from the mean.",
        _PARAMS,
        _pool_shape,
    ),
    OpSpec(
        "gap",
        "Global average pooling: reduces channels x height x width to channels.",
        shape=lambda x, p: (need_image(x, "gap")[0],),
    ),
    OpSpec("flatten", "Reshapes each sample to a flat vector.", shape=lambda x, p: (prod(x),)),
)
