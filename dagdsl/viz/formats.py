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
    """Draw a net in the format of a suffix, `.svg` or `svg`. Raises KeyError if it is unknown.

    >>> import dagdsl
    >>> net = dagdsl.loads("net Tiny { input x: f32[8]  node y: fc(2)  x -> y  output y }")
    >>> print(draw(net, "mmd").partition("  classDef")[0].rstrip())
    flowchart TB
      v0(["x<br/>8"]):::vertex
      v1["y<br/>fc<br/>2"]:::vertex
      o0(["y"]):::vertex
      v0 --> v1
      v1 --> o0
    """
    return FORMATS["." + suffix.lower().removeprefix(".")](net)
