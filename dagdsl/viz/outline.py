"""`Net` -> vertices and links with short ids, for formats whose renderers do the layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dagdsl.ir.nodes import Edge, Graph, Net, Node, inner_graph
from dagdsl.viz import facts


@dataclass(frozen=True, slots=True)
class OutlineVertex:
    """A box to draw: a node of the net or of a stage, or, if `node` is None, an output."""

    id: str
    lines: tuple[str, ...]
    node: Node | None = None


@dataclass(frozen=True, slots=True)
class OutlineCluster:
    """A stage: its id, its vertices, and a line of the legend for each of its routing rules."""

    id: str
    node: Node
    vertices: tuple[OutlineVertex, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutlineLink:
    """A line to draw: an edge, or, if `edge` is None, the connection to an output."""

    source: str
    target: str
    edge: Edge | None = None
    rule: int | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """Everything to draw, in order: the net's own graph, its routing rules, and all links."""

    members: tuple[OutlineVertex | OutlineCluster, ...]
    rules: tuple[str, ...]
    links: tuple[OutlineLink, ...]


def outline(net: Net) -> Outline:
    """Outline a net. Links to a stage end at its port `in`, links from it start at its `out`."""
    members: list[OutlineVertex | OutlineCluster] = []
    links: list[OutlineLink] = []
    enter: dict[str, str] = {}
    leave: dict[str, str] = {}
    for i, node in enumerate(net.graph.nodes):
        graph = inner_graph(node)
        if graph is None:
            lines = (node.name, facts.node_summary(node), facts.shape_text(node))
            members.append(OutlineVertex(f"v{i}", _filled(lines), node))
            enter[node.name] = leave[node.name] = f"v{i}"
            continue
        ids = {inner.name: f"v{i}_{j}" for j, inner in enumerate(graph.nodes)}
        inside = tuple(_inner(ids[inner.name], inner, node) for inner in graph.nodes)
        members.append(OutlineCluster(f"s{i}", node, inside, _rules(graph)))
        links += _links(graph, ids, ids)
        enter[node.name], leave[node.name] = inside[0].id, inside[-1].id
    links += _links(net.graph, leave, enter)
    for i, tap in enumerate(facts.taps(net)):
        members.append(OutlineVertex(f"o{i}", (tap.name,)))
        links.append(OutlineLink(leave[tap.node], f"o{i}"))
    return Outline(tuple(members), _rules(net.graph), tuple(links))


def _inner(id: str, node: Node, stage: Node) -> OutlineVertex:
    # The entry of a stage processes its input, so it is shown at the port `in`.
    does = facts.node_summary(stage if node.kind == "in" else node)
    return OutlineVertex(
        id, _filled((node.name, does, facts.differing_shape(node, stage.shape))), node
    )


def _filled(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(line for line in lines if line)


def _rules(graph: Graph) -> tuple[str, ...]:
    return tuple(rule.text for rule in facts.rules(graph))


def _links(graph: Graph, sources: dict[str, str], targets: dict[str, str]) -> Iterator[OutlineLink]:
    rule_of = {name: i for i, rule in enumerate(facts.rules(graph)) for name in rule.routers}
    for edge in graph.edges:
        rule = rule_of[edge.gate.router] if edge.gate else None
        yield OutlineLink(sources[edge.source], targets[edge.target], edge, rule)
