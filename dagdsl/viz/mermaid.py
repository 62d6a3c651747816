"""`Net` -> Mermaid text, which GitHub renders: a subgraph for each stage, gated edges dotted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dagdsl.ir.nodes import Net
from dagdsl.viz import facts, style
from dagdsl.viz.outline import OutlineCluster, OutlineLink, OutlineVertex, outline

# Characters that could end a label or start a comment, a directive or markup. They are written as
# Mermaid's own kind of entities.
_SPECIAL = re.compile(r"[\"#&<>`|;%{}\\\x00-\x1f]")


def to_mermaid(net: Net) -> str:
    """Draw a net as a flowchart."""
    return "\n".join(_lines(net)) + "\n"


def _lines(net: Net) -> Iterator[str]:
    drawn = outline(net)
    clusters = [member for member in drawn.members if isinstance(member, OutlineCluster)]
    yield "flowchart TB"
    for member in drawn.members:
        if isinstance(member, OutlineCluster):
            yield from _cluster(member)
        else:
            yield f"  {_vertex(member)}"
    yield from _legend("", drawn.rules)
    for link in drawn.links:
        yield f"  {_link(link)}"
    looks = f"fill:{style.STAGE_FILL},stroke:{style.STAGE_LINE},color:{style.INK}"
    for cluster in clusters:
        yield f"  style {cluster.id} {looks}"
    # Fixed colours: those of a dark page would be illegible on the light box of a stage.
    on_stage = f"fill:{style.PAPER},stroke:{style.LINE},color:{style.INK}"
    yield f"  classDef vertex {on_stage}"
    yield f"  classDef legend fill:none,stroke:none,color:{style.GREY}"


def _cluster(cluster: OutlineCluster) -> Iterator[str]:
    # One line: Mermaid would draw over a second line of the title.
    title = f"{cluster.node.name}: {facts.shape_text(cluster.node)}"
    yield f"  subgraph {cluster.id}[{_label([title])}]"
    for vertex in cluster.vertices:
        yield f"    {_vertex(vertex)}"
    for line in _legend(cluster.id, cluster.rules):
        yield f"  {line}"
    yield "  end"


def _legend(id: str, rules: Iterable[str]) -> Iterator[str]:
    if lines := list(rules):
        yield f"  legend{id}[{_label(lines)}]:::legend"


def _vertex(vertex: OutlineVertex) -> str:
    text = _label(vertex.lines)
    is_plain = vertex.node is not None and vertex.node.kind == "node"
    return f"{vertex.id}[{text}]:::vertex" if is_plain else f"{vertex.id}([{text}]):::vertex"


def _link(link: OutlineLink) -> str:
    arrow = "-->" if link.rule is None else "-.->"
    through = link.edge.steps if link.edge else ()
    text = f"|{_label([facts.summary(through)])}|" if through else ""
    return f"{link.source} {arrow}{text} {link.target}"


def _label(lines: Iterable[str]) -> str:
    return '"' + "<br/>".join(_SPECIAL.sub(_entity, line) for line in lines) + '"'


def _entity(special: re.Match[str]) -> str:
    code = ord(special.group())
    return f"#{code};" if code >= ord(" ") else " "
