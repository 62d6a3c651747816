"""A tree of elements -> SVG text. The one place that escapes: no string is taken as markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

# What XML 1.0 cannot hold, not even escaped.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class SvgElement:
    """A tag with attributes, and elements or one text inside."""

    tag: str
    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple[SvgElement, ...] = ()
    text: str = ""

    def render(self) -> str:
        """The element and all below it, an element a line, indented."""
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
    """Build an element. `stroke_width` becomes `stroke-width`; None leaves a thing out."""
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
    """A length with at most one digit behind the point: the same text on every machine."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _clean(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
