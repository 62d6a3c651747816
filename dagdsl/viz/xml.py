"""A tree of elements -> SVG text. All escaping happens here: no string is taken as markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

# Characters that XML 1.0 forbids, even escaped.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class SvgElement:
    """A tag with attributes, and child elements or a text."""

    tag: str
    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple[SvgElement, ...] = ()
    text: str = ""

    def render(self) -> str:
        """Return the element and its descendants as text, one element a line, indented."""
        return "\n".join(self._lines("")) + "\n"

    def _lines(self, indent: str) -> Iterator[str]:
        attributes = (f" {key}={quoteattr(_clean(value))}" for key, value in self.attributes)
        head = self.tag + "".join(attributes)
        text = escape(_clean(self.text))
        if not self.children:
            yield f"{indent}<{head}>{text}</{self.tag}>" if text else f"{indent}<{head}/>"
            return
        yield f"{indent}<{head}>"
        for child in self.children:
            yield from child._lines(indent + " ")
        if text:
            yield f"{indent} {text}"
        yield f"{indent}</{self.tag}>"


def element(
    tag: str, *children: SvgElement | None, text: str = "", **attributes: str | float | None
) -> SvgElement:
    """Build an element. `stroke_width` becomes `stroke-width`; None omits an attribute or child."""
    return SvgElement(
        tag,
        tuple(
            (key.rstrip("_").replace("_", "-"), value if isinstance(value, str) else number(value))
            for key, value in attributes.items()
            if value is not None
        ),
        tuple(child for child in children if child is not None),
        text,
    )


def number(value: float) -> str:
    """Format a length with at most one decimal, so that figures are the same on every machine."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _clean(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
