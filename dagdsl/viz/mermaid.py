"""`Net` -> Mermaid text, which GitHub renders: a subgraph for each stage, gated edges dotted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dagdsl.ir.nodes import Net
from dagdsl.viz import facts, style
from dagdsl.viz.outline import Cluster, Link, Vertex, outline

# Whatever might end a label, start a comment, a directive or markup; Mermaid has its own entities.
_SPECIAL = re.compile(r"[\"#&<>`|;%{}\\\x00-\x1f]")


def to_mermaid(net: Net) -> str:
    """Draw a net as a flowchart."""
    return "\n".join(_lines(net)) + "\n"


def _lines(net: Net) -> Iterator[str]:
    drawn = outline(net)
    yield "flowchart TB"
    for member in drawn.members:
        if isinstance(member, Cluster):
            yield from _cluster(member)
        else:
            yield f"  {_vertex(member)}"
    for link in drawn.links:
        yield f"  {_link(link)}"
    yield f"  classDef stage fill:{style.STAGE_FILL},stroke:{style.STAGE_LINE},color:{style.INK}"
    stages = ",".join(m.id for m in drawn.members if isinstance(m, Cluster))
    if stages:
        yield f"  class {stages} stage"
