"""The style of figures: colours safe for colour-blind readers, dashes that survive greyscale."""

from __future__ import annotations

from dataclasses import dataclass

FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
NAME_SIZE = 11.0
TEXT_SIZE = 10.0
SMALL_SIZE = 9.5

PAPER = "#ffffff"
INK = "#1f2933"
GREY = "#5b6670"
LINE = "#3e4c59"
STAGE_FILL = "#f4f6f9"
STAGE_LINE = "#b8c2cc"


@dataclass(frozen=True, slots=True)
class Stroke:
    """The stroke of an edge; `dashes` is an SVG dash array, empty for a solid line."""

    colour: str
    dashes: str = ""


STATIC = Stroke(LINE)
# Adapted from the palette of Okabe and Ito, darkened for contrast on white.
GATED = (
    Stroke("#0072b2", "4 2.5"),
    Stroke("#d55e00", "1.5 2"),
    Stroke("#007f5f", "8 2 1.5 2"),
    Stroke("#9b4f86", "9 3"),
)


def gated(rule: int) -> Stroke:
    """Return the stroke of the edges weighed by the routing rule of this index."""
    return GATED[rule % len(GATED)]
