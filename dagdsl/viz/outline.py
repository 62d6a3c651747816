"""`Net` -> vertices and links with short ids, for the text formats that leave the layout to others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dagdsl.ir.nodes import Edge, Graph, Net, Node, inner_graph
from dagdsl.viz import facts


@dataclass(frozen=True, slots=True)
class Vertex:
    """A node of the net, or of a stage, or (`node` is None) an output of the net."""

    id: str
    name: str
    node: Node | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """A stage: its own id, its vertices and its rules."""

    id: str
    node: Node
    vertices: tuple[Vertex, ...]
    rules: tuple[facts.Rule, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A line to draw. `edge` is None where it leads to an output; `rule` counts within its graph."""

    source: str
    target: str
    edge: Edge | None = None
    rule: int | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """All there is to draw, in order: what is in the net's own graph, and every link."""

    members: tuple[Vertex | Cluster, ...]
    links: tuple[Link, ...]


def outline(net: Net) -> Outline:
    """Number everything. Links to a stage end at its port `in`, those from it start at its `out`."""
    members: list[Vertex | Cluster] = []
    links: list[Link] = []
    enter: dict[str, str] = {}
    leave: dict[str, str] = {}
    for i, node in enumerate(net.graph.nodes):
        graph = inner_graph(node)
        if graph is None:
            members.append(Vertex(f"v{i}", node.name, node))
            enter[node.name] = leave[node.name] = f"v{i}"
            continue
        inner = tuple(Vertex(f"v{i}_{j}", n.name, n) for j, n in enumerate(graph.nodes))
        members.append(Cluster(f"s{i}", node, inner, facts.rules(graph)))
        ids = {vertex.name: vertex.id for vertex in inner}
        links += _links(graph, ids, ids)
        enter[node.name], leave[node.name] = inner[0].id, inner[-1].id
    links += _links(net.graph, leave, enter)
    for i, tap in enumerate(facts.taps(net)):
        members.append(Vertex(f"o{i}", tap.name))
        links.append(Link(leave[tap.node], f"o{i}"))
    return Outline(tuple(members), tuple(links))


def _links(graph: Graph, sources: dict[str, str], targets: dict[str, str]) -> Iterator[Link]:
    rule_of = {name: i for i, rule in enumerate(facts.rules(graph)) for name in rule.routers}
    for edge in graph.edges:
        rule = rule_of[edge.gate.router] if edge.gate else None
        yield Link(sources[edge.source], targets[edge.target], edge, rule)
