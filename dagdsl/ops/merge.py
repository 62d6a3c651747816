"""Merges: how several edges into one node become one tensor."""

from __future__ import annotations

from collections.abc import Sequence

from dagdsl.ir.nodes import Merge, Shape
from dagdsl.ops.spec import OpSpec

OPS = (
    OpSpec("sum", "Sum of the in-edges, each times its weight. The default.", role="merge"),
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
