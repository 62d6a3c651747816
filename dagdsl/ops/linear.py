"""Fully connected layers."""

from __future__ import annotations

from dagdsl.ir.nodes import Shape
from dagdsl.ops.spec import REQUIRED, Cost, OpSpec, Param, Params, ShapeError, format_shape, whole


def _fc_shape(x: Shape, p: Params) -> Shape:
    if len(x) != 1:
        raise ShapeError(
            f"`fc` needs a flat feature vector, not {format_shape(x)}",
            "insert `gap |>` or `flatten |>` before it",
        )
    return (whole(p, "channels"),)


def _fc_cost(x: Shape, y: Shape, p: Params) -> Cost:
    weights = x[0] * y[0]
    return Cost(weights + (y[0] if p["bias"] else 0), weights)


OPS = (
    OpSpec(
        "fc",
        "Fully connected layer. The last one in a router has one output per edge, and its `init` "
        'defaults to 1.0 (2.0 under `reads("stage")`), so that edges start open.',
        (
            Param("channels", "int", REQUIRED, "output features", low=1),
            Param("bias", "bool", True, "whether to add a learned bias"),
            Param(
                "init",
                "float",
                None,
                "initial bias, with weights near zero; by default the initialisation of torch",
                low=-100.0,
                high=100.0,
            ),
        ),
        _fc_shape,
        _fc_cost,
    ),
)
