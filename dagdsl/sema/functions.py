"""The functions of the language. `choose` evaluates only one of its arms, so it is in
`expressions.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final, Literal

from dagdsl.limits import MAX_LIST
from dagdsl.sema.values import EvalValue, PipeValue

Kind = Literal["number", "list", "value"]


@dataclass(frozen=True, slots=True)
class Function:
    """A function. `compute` takes one argument per kind in `takes`, and raises ValueError.

    `arguments` are the names of the arguments, for the documentation.
    """

    arguments: str
    takes: tuple[Kind, ...]
    compute: Callable[..., EvalValue]
    doc: str


def divisible(value: float, by: float) -> int:
    """Return the multiple of `by` nearest to `value`, at least `by` and at least 0.9 * `value`.

    The rule for numbers of channels in MobileNetV2 (arXiv 1801.04381).
    """
    if by < 1:
        raise ValueError("`divisible` needs a divisor of at least 1")
    result = max(by, int(value + by / 2) // by * by)
    return int(result if result >= 0.9 * value else result + by)


def regnet_stages(
    depth: float, start: float, slope: float, ratio: float, group: float
) -> list[EvalValue]:
    """Return `[widths, depths]` of the stages of a RegNet (arXiv 2003.13678).

    Block `i` of `depth` starts with `start + slope * i` channels, rounded to `start` times a power
    of `ratio`, then to a multiple of 8. Blocks of equal width form a stage. Finally, the width of
    each stage is made divisible by `group`, the group width of its convolutions.
    """
    if not (float(depth).is_integer() and 1 <= depth <= MAX_LIST):
        raise ValueError(f"the depth must be a whole number from 1 to {MAX_LIST:,}")
    if start < 8 or slope < 0 or ratio <= 1 or group < 1:
        raise ValueError("`start` must be at least 8, `slope` 0, `group` 1, and `ratio` above 1")

    def width(block: int) -> int:
        power = round(math.log((start + slope * block) / start) / math.log(ratio))
        return 8 * round(start * ratio**power / 8)

    stages = [(w, len(list(run))) for w, run in groupby(map(width, range(int(depth))))]
    widths: list[EvalValue] = [divisible(w, min(group, w)) for w, _ in stages]
    return [widths, [count for _, count in stages]]


CHOOSE: Final = "choose"
"""The only function that does not evaluate all of its arguments."""

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "divisible": Function(
            "value, by",
            ("number", "number"),
            divisible,
            "The multiple of `by` nearest to `value`, at most 10% below it (MobileNetV2, "
            "arXiv 1801.04381).",
        ),
        "round": Function(
            "x",
            ("number",),
            lambda x: math.floor(x + 0.5),
            "The nearest whole number; halves round up.",
        ),
        "floor": Function("x", ("number",), math.floor, "The largest whole number not above `x`."),
        "ceil": Function("x", ("number",), math.ceil, "The smallest whole number not below `x`."),
        "min": Function("a, b", ("number", "number"), min, "The smaller of two numbers."),
        "max": Function("a, b", ("number", "number"), max, "The larger of two numbers."),
        "len": Function("items", ("list",), len, "The number of items in a list."),
        "equal": Function(
            "a, b",
            ("value", "value"),
            lambda a, b: _equal(a, b),
            "Whether two values are equal.",
        ),
        "has": Function(
            "items, value",
            ("list", "value"),
            lambda items, a: any(_equal(item, a) for item in items),
            "Whether a list contains a value.",
        ),
        "regnet_stages": Function(
            "depth, start, slope, ratio, group",
            ("number",) * 5,
            regnet_stages,
            "`[widths, depths]` of the stages of a RegNet (arXiv 2003.13678).",
        ),
    }
)
"""Name -> function."""


def _equal(a: Any, b: Any) -> bool:
    """Whether two values are equal: 1 equals 1.0, but not `true`."""
    if isinstance(a, PipeValue) or isinstance(b, PipeValue):
        raise ValueError("pipes of ops cannot be compared")
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)
