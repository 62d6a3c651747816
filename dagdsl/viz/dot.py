"""`Net` -> Graphviz text: a cluster for each stage, gated edges dashed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dagdsl.ir.nodes import Net
from dagdsl.viz import facts, style
from dagdsl.viz.outline import OutlineCluster, OutlineLink, OutlineVertex, outline


def to_dot(net: Net) -> str:
    """Draw a net for `dot -Tpdf`."""
    return "\n".join(_lines(net)) + "\n"


def _lines(net: Net) -> Iterator[str]:
    drawn = outline(net)
    font = {"fontname": "Helvetica", "fontsize": "11"}
    yield f"digraph {_quote(net.name)} {{"
    yield f"  graph [{_attributes(**font)}]"
    yield f"  node [{_attributes(shape='box', style='rounded', **font)}]"
    yield f"  edge [{_attributes(color=style.STATIC.colour, arrowsize='0.6', **font)}]"
    for member in drawn.members:
        if isinstance(member, OutlineCluster):
            yield from _cluster(member)
        else:
            yield f"  {_vertex(member)}"
    for link in drawn.links:
        yield f"  {_link(link)}"
    if drawn.rules:
        # Set last: a cluster inherits the attributes set before it.
        yield f"  graph [label={_lefts(drawn.rules)} labeljust=l]"
    yield "}"


def _cluster(cluster: OutlineCluster) -> Iterator[str]:
    label = _lefts((cluster.node.name, facts.shape_text(cluster.node), *cluster.rules))
    looks = {"style": "rounded,filled", "color": style.STAGE_LINE, "fillcolor": style.STAGE_FILL}
    yield f"  subgraph cluster_{cluster.id} {{"
    yield f"    graph [label={label} labeljust=l {_attributes(**looks)}]"
    yield f"    node [{_attributes(style='rounded,filled', fillcolor=style.PAPER)}]"
    for vertex in cluster.vertices:
        yield f"    {_vertex(vertex)}"
    yield "  }"


def _vertex(vertex: OutlineVertex) -> str:
    looks = {"label": "\n".join(vertex.lines)}
    if vertex.node:
        looks["tooltip"] = facts.node_text(vertex.node)
    if vertex.node is None or vertex.node.kind != "node":
        looks["shape"] = "oval"
    return f"{vertex.id} [{_attributes(**looks)}]"


def _link(link: OutlineLink) -> str:
    arrow = f"{link.source} -> {link.target}"
    if link.edge is None:
        return arrow
    looks = {"tooltip": facts.edge_text(link.edge)}
    if link.edge.steps:
        looks["label"] = facts.summary(link.edge.steps)
    if link.rule is not None:
        looks |= {"style": "dashed", "color": style.gated(link.rule).colour}
    return f"{arrow} [{_attributes(**looks)}]"


def _attributes(**values: str) -> str:
    return " ".join(f"{key}={_quote(value)}" for key, value in values.items())


def _quote(text: str) -> str:
    """Return a quoted string, with backslashes escaped: `\\N` would stand for the node's name."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\0", "")
    return '"' + text.replace("\n", "\\n").replace("\r", "") + '"'


def _lefts(lines: Iterable[str]) -> str:
    """Return a quoted label with left-aligned lines."""
    return '"' + "".join(_quote(line)[1:-1] + "\\l" for line in lines) + '"'
