"""The formats in which a net can be drawn, by file suffix."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from dagdsl.ir.nodes import Net
from dagdsl.viz.dot import to_dot
from dagdsl.viz.mermaid import to_mermaid
from dagdsl.viz.svg import to_svg

FORMATS: MappingProxyType[str, Callable[[Net], str]] = MappingProxyType(
    {".svg": to_svg, ".dot": to_dot, ".mmd": to_mermaid}
)


def draw(net: Net, suffix: str) -> str:
    """Draw a net in the format of a suffix, `.svg` or `svg`. Raises KeyError if it is unknown."""
    return FORMATS["." + suffix.lower().removeprefix(".")](net)
