"""Merges: how a node combines its incoming edges into one tensor."""

from __future__ import annotations

from collections.abc import Sequence

from dagdsl.ir.nodes import Merge, Shape
from dagdsl.ops.spec import REQUIRED, OpSpec, Param, Params, ShapeError, format_shape


def _need_logits(x: Shape, p: Params) -> Shape:
    if len(x) != 1:
        raise ShapeError(
            f"`first_confident` needs class logits, not {format_shape(x)}",
            "end the nodes before it in `gap |> fc(classes)`",
        )
    return x


OPS = (
    OpSpec("sum", "Sum of the incoming edges, each times its weight. The default.", role="merge"),
    OpSpec(
        "mean",
        "Mean of the incoming edges, each times its weight. A closed edge counts as zero.",
        role="merge",
    ),
    OpSpec(
        "max",
        "Element-wise maximum of the incoming edges, each times its weight. A closed edge counts "
        "as zero.",
        role="merge",
    ),
    OpSpec(
        "concat",
        "Concatenation of the incoming edges along the channels, each times its weight.",
        role="merge",
    ),
    OpSpec(
        "mul",
        "Product of the incoming edges, each times its weight. A flat vector scales the channels.",
        role="merge",
    ),
    OpSpec(
        "first_confident",
        "For each sample, the first confident incoming edge, or the last one if none is "
        "confident. The edges carry class logits and are tried in source order. An edge is "
        "confident if its largest softmax probability exceeds `tau`: an early exit (MSDNet, arXiv "
        "1703.09844).",
        (Param("tau", "float", REQUIRED, "probability to exceed", low=0.0, high=1.0),),
        _need_logits,
        role="merge",
    ),
)


def merge_shape(merge: Merge, shapes: Sequence[Shape]) -> Shape | int:
    """Return the merged shape, or the index of the first input that does not fit the others."""
    if merge == "concat":
        for i, shape in enumerate(shapes):
            if shape[1:] != shapes[0][1:]:
                return i
        return (sum(shape[0] for shape in shapes), *shapes[0][1:])
    result = max(shapes, key=len) if merge == "mul" else shapes[0]
    for i, shape in enumerate(shapes):
        scales_channels = merge == "mul" and shape == result[:1]
        if shape != result and not scales_channels:
            return i
    return result
