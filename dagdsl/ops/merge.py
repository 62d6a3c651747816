"""Merges: how several edges into one node become one tensor."""

from __future__ import annotations

from collections.abc import Sequence

from dagdsl.ir.nodes import Merge, Shape
from dagdsl.ops.spec import REQUIRED, OpSpec, Param, Params, ShapeError, format_shape


def _need_logits(x: Shape, p: Params) -> Shape:
    if len(x) != 1:
        raise ShapeError(
            f"`first_confident` needs class logits, not {format_shape(x)}",
            "put `gap |> fc(classes)` into the nodes before it",
        )
    return x


OPS = (
    OpSpec("sum", "Sum of the in-edges, each times its weight. The default.", role="merge"),
    OpSpec(
        "mean",
        "Sum of the in-edges, each times its weight, divided by their number. A closed edge counts "
        "as a zero.",
        role="merge",
    ),
    OpSpec(
        "max",
        "Largest of the in-edges, each times its weight, feature by feature. A closed edge counts "
        "as a zero.",
        role="merge",
    ),
    OpSpec(
        "concat",
        "The in-edges, each times its weight, behind one another along the channels.",
        role="merge",
    ),
    OpSpec(
        "mul",
        "Product of the in-edges, each times its weight. A flat vector scales the channels.",
        role="merge",
    ),
    OpSpec(
        "first_confident",
        "For each sample the first in-edge that is confident, the last if none is. The in-edges "
        "bring class logits, in the order in which they are written; one is confident when the "
        "largest of its softmax probabilities is above `tau`. So do early exits answer (MSDNet, "
        "arXiv 1703.09844).",
        (Param("tau", "float", REQUIRED, "the probability to be exceeded", low=0.0, high=1.0),),
        _need_logits,
        role="merge",
    ),
)


def merge_shape(merge: Merge, shapes: Sequence[Shape]) -> Shape | int:
    """The shape of the merge, or the index of the first input that does not fit the others."""
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
