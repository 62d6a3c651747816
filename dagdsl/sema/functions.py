"""The functions of the language: what each takes, and what it computes. `choose` is not here: it
evaluates only the arm it takes, so `expressions.py` does it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final, Literal

from dagdsl.limits import MAX_LIST
from dagdsl.sema.values import PipeValue, Worth

Kind = Literal["number", "list", "value"]


@dataclass(frozen=True, slots=True)
class Function:
    """`compute` takes one argument of each kind, and raises ValueError where it has no result.

    `arguments` are what people call them.
    """

    arguments: str
    takes: tuple[Kind, ...]
    compute: Callable[..., Worth]
    doc: str


def divisible(value: float, by: float) -> int:
    """The multiple of `by` nearest to `value`, at least `by`, at most a tenth below `value`.

    The rule for channel counts of MobileNetV2 (arXiv 1801.04381).
    """
    if by < 1:
        raise ValueError("`divisible` needs a divisor of at least 1")
    result = max(by, int(value + by / 2) // by * by)
    return int(result if result >= 0.9 * value else result + by)


def regnet_stages(
    depth: float, start: float, slope: float, ratio: float, group: float
) -> list[Worth]:
    """`[widths, depths]` of the stages of a RegNet (arXiv 2003.13678).

    Block `i` of `depth` wants `start + slope * i` channels. That is rounded to `start` times a
    power of `ratio`, then to a multiple of 8; blocks of one width are a stage, whose width is last
    made divisible by `group`, the width of a group of its convolutions.
    """
    if not (float(depth).is_integer() and 1 <= depth <= MAX_LIST):
        raise ValueError(f"the depth must be a whole number from 1 to {MAX_LIST:,}")
    if start < 8 or slope < 0 or ratio <= 1 or group < 1:
        raise ValueError("`start` must be at least 8, `slope` 0, `group` 1, and `ratio` above 1")

    def width(block: int) -> int:
        power = round(math.log((start + slope * block) / start) / math.log(ratio))
        return 8 * round(start * ratio**power / 8)

    stages = [(w, len(list(run))) for w, run in groupby(map(width, range(int(depth))))]
    widths: list[Worth] = [divisible(w, min(group, w)) for w, _ in stages]
    return [widths, [count for _, count in stages]]


CHOOSE: Final = "choose"
"""The one function that does not evaluate all of its arguments."""

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "divisible": Function(
            "value, by",
            ("number", "number"),
            divisible,
            "The multiple of `by` nearest to `value`, at most a tenth below it (MobileNetV2, "
            "arXiv 1801.04381).",
        ),
        "round": Function(
            "x",
            ("number",),
            lambda x: math.floor(x + 0.5),
            "The nearest whole number; halves go up.",
        ),
        "floor": Function("x", ("number",), math.floor, "The next whole number below."),
        "ceil": Function("x", ("number",), math.ceil, "The next whole number above."),
        "min": Function("a, b", ("number", "number"), min, "The smaller of two numbers."),
        "max": Function("a, b", ("number", "number"), max, "The larger of two numbers."),
        "len": Function("items", ("list",), len, "How many items a list has."),
        "equal": Function(
            "a, b",
            ("value", "value"),
            lambda a, b: _equal(a, b),
            "Whether two values are the same.",
        ),
        "has": Function(
            "items, value",
            ("list", "value"),
            lambda items, a: any(_equal(item, a) for item in items),
            "Whether a value is among the items of a list.",
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
    """Whether two values are the same; 1 and 1.0 are, 1 and `true` are not."""
    if isinstance(a, PipeValue) or isinstance(b, PipeValue):
        raise ValueError("pipes of ops cannot be compared")
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)
