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
    if rules := facts.rules(net.graph):
        yield f"  legend[{_label(*(rule.text for rule in rules))}]"
        yield "  style legend fill:none,stroke:none"


def _cluster(cluster: Cluster) -> Iterator[str]:
    node = cluster.node
    head = (node.name, facts.node_summary(node), facts.shape_text(node))
    yield f"  subgraph {cluster.id}[{_label(*head, *(rule.text for rule in cluster.rules))}]"
    usual = facts.shape_text(node)
    for vertex in cluster.vertices:
        yield f"    {_vertex(vertex, usual)}"
    yield "  end"


def _vertex(vertex: Vertex, usual: str = "") -> str:
    node = vertex.node
    if node is None:
        return f"{vertex.id}([{_label(vertex.name)}])"
    shape = facts.shape_text(node)
    text = _label(vertex.name, facts.node_summary(node), "" if shape == usual else shape)
    return f"{vertex.id}[{text}]" if node.kind == "node" else f"{vertex.id}([{text}])"


def _link(link: Link) -> str:
    arrow = "-->" if link.rule is None else "-.->"
    text = f"|{_label(facts.summary(link.edge.steps))}|" if link.edge and link.edge.steps else ""
    return f"{link.source} {arrow}{text} {link.target}"


def _label(*lines: str) -> str:
    return '"' + "<br/>".join(_SPECIAL.sub(_entity, line) for line in lines if line) + '"'


def _entity(special: re.Match[str]) -> str:
    code = ord(special.group())
    return f"#{code};" if code >= ord(" ") else " "
