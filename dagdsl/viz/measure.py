"""Estimated widths of texts in a common sans-serif font."""

from __future__ import annotations

import unicodedata

_NARROW = frozenset("ijltf.,:;'|!()[]{}/\\ Ir-\"`")
_WIDE = frozenset("mwMW@%&")
# Covers the fonts wider than Helvetica that renderers fall back to.
_SLACK = 1.06
_LONGEST = 500


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Return the estimated width of a text, in pixels; `size` is the font size in pixels."""
    return sum(map(_em, text)) * size * _SLACK * (1.06 if bold else 1.0)


def clip(text: str, size: float, limit: float, bold: bool = False) -> str:
    """Return the text, shortened with `…` to at most `limit` pixels."""
    text = " ".join(text[:_LONGEST].split())
    if text_width(text, size, bold) <= limit:
        return text
    while text and text_width(text + "…", size, bold) > limit:
        text = text[:-1]
    return text.rstrip() + "…"


def _em(char: str) -> float:
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.0
    if char in _NARROW:
        return 0.32
    if char in _WIDE:
        return 0.87
    return 0.7 if char.isupper() or not char.isascii() else 0.556
