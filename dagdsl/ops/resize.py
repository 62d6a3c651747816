"""Resolution changes without weights."""

from __future__ import annotations

from dagdsl.ir.nodes import Shape
from dagdsl.ops.spec import OpSpec, Param, Params, need_image, whole


def _upsample_shape(x: Shape, p: Params) -> Shape:
    c, h, w = need_image(x, "upsample")
    scale = whole(p, "scale")
    return (c, h * scale, w * scale)


OPS = (
    OpSpec(
        "upsample",
        "Enlarges a feature map by an integer factor.",
        (
            Param("scale", "int", 2, "factor of height and width", low=1, high=64),
            Param(
                "mode",
                "str",
                "nearest",
                "interpolation",
                choices=("nearest", "bilinear"),
            ),
        ),
        _upsample_shape,
    ),
)
