"""Pinned routes: edges fixed as open or closed -> what remains of each graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from dagdsl.analysis.cost import cost_of_node, cost_of_steps
from dagdsl.analysis.liveness import closable, may_be_dead
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Graph, Net, Router, Step
from dagdsl.ir.paths import ElementPath, GraphPaths, graphs_of, outer_graphs, paths_of

Pins: TypeAlias = Mapping[str, bool]
"""Edge (`s1: n[0] -> n[2]`, or `a -> b` in the net's own graph) -> whether it is open."""

Arrow: TypeAlias = tuple[str, str]
"""An edge: its source and its target."""


@dataclass(frozen=True, slots=True)
class Remains:
    """The rest of a graph with pinned routes.

    `closed` are the removed edges: pinned closed, or from a node that is never alive. `dead` are
    the nodes whose incoming edges are all closed. `opened` are the edges whose gate never closes.
    `may_be_dead` are the other nodes that may be dead for some samples. `read` are the nodes read
    by routers that still decide about an edge.
    """

    closed: frozenset[Arrow]
    opened: frozenset[Arrow]
    dead: frozenset[str]
    may_be_dead: frozenset[str]
    read: frozenset[str]


@dataclass(frozen=True, slots=True)
class Removed:
    """The parts of a net that pinned routes removed, as paths of the IR.

    Nodes that are never alive or no longer needed, edges that are never open, gates of edges that
    are always open, and routers that decide about no edge. `macs` are the multiply-adds saved for a
    sample with all edges open, without weighted sums. The contents of a removed node are not
    listed.
    """

    nodes: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    routers: tuple[str, ...] = ()
    macs: int = 0

    def __add__(self, other: Removed) -> Removed:
        return Removed(*(getattr(self, f) + getattr(other, f) for f in self.__slots__))

    def __str__(self) -> str:
        def lines(what: str, paths: tuple[str, ...]) -> Iterator[str]:
            if paths:
                yield f"{len(paths)} {what}{'s' * (len(paths) > 1)}: {', '.join(paths)}"

        parts = [
            *lines("node", self.nodes),
            *lines("edge", self.edges),
            *lines("gate", self.gates),
            *lines("router", self.routers),
        ]
        if not parts:
            return "removed nothing"
        return "\n".join(["removed", *(f"  {part}" for part in parts), f"  {self.macs:,} MACs"])


def check_pins(net: Net, pins: Pins) -> None:
    """Raise UsageError for an unknown edge, or an edge pinned closed that cannot close."""
    edges = {
        at.label: closable(graph, edge)
        for graph, paths in graphs_of(net)
        for edge, at in zip(graph.edges, paths.edges, strict=True)
    }
    for edge, is_open in pins.items():
        if edge not in edges:
            raise UsageError(f"there is no edge `{edge}` to pin; edges are written `s1: a -> b`")
        if not is_open and not edges[edge]:
            raise UsageError(f"edge `{edge}` cannot be pinned closed: no threshold can close it")


def remains_of(graph: Graph, paths: GraphPaths, pins: Pins) -> Remains:
    """Return what remains of a graph with these pins."""
    pinned = {
        (edge.source, edge.target): pins.get(at.label)
        for edge, at in zip(graph.edges, paths.edges, strict=True)
    }
    closed: set[Arrow] = set()
    dead: set[str] = set()
    for node in graph.nodes:
        into = [(edge.source, edge.target) for edge in graph.edges_into(node.name)]
        gone = {arrow for arrow in into if pinned[arrow] is False or arrow[0] in dead}
        closed |= gone
        if node.kind != "in" and len(gone) == len(into):
            dead.add(node.name)
    opened = {arrow for arrow, is_open in pinned.items() if is_open} - closed
    live = tuple(
        edge.replace(gate=None) if (edge.source, edge.target) in opened else edge
        for edge in graph.edges
        if (edge.source, edge.target) not in closed
    )
    left = Graph(nodes=graph.nodes, edges=live, routers=graph.routers)
    return Remains(
        closed=frozenset(closed),
        opened=frozenset(opened),
        dead=frozenset(dead),
        may_be_dead=may_be_dead(left) - dead,
        read=frozenset(
            name for router in _live_routers(graph, closed) for name in _read(graph, router)
        ),
    )


def removed_by(net: Net, pins: Pins) -> Removed:
    """Return what these pins remove from a net."""
    ends = frozenset(name for output in net.outputs for name in output.nodes)
    return _removed(net.graph, paths_of(net), ends, pins)


def _live_routers(graph: Graph, closed: set[Arrow] | frozenset[Arrow]) -> list[Router]:
    asked = {
        edge.gate.router
        for edge in graph.edges
        if edge.gate is not None and (edge.source, edge.target) not in closed
    }
    return [router for router in graph.routers if router.name in asked]


def _read(graph: Graph, router: Router) -> set[str]:
    """The nodes whose outputs a router reads."""
    if router.vertex is None:
        return set()
    if router.reads == "target":
        return {edge.source for edge in graph.edges_into(router.vertex)}
    return {router.vertex}


def _removed(graph: Graph, paths: GraphPaths, ends: frozenset[str], pins: Pins) -> Removed:
    remains = remains_of(graph, paths, pins)
    needed = _needed(graph, remains, ends)
    total = Removed()
    for node, at in zip(graph.nodes, paths.nodes, strict=True):
        if node.name in remains.dead or (node.name not in needed and node.kind != "in"):
            total += Removed(nodes=(at.label,), macs=cost_of_node(node, graph).macs)
        else:
            total += _removed_in(node.steps, at.steps, pins)
    for edge, at in zip(graph.edges, paths.edges, strict=True):
        arrow = (edge.source, edge.target)
        if arrow in remains.closed or edge.target not in needed:
            cost = cost_of_steps(edge.steps, graph.node(edge.source).shape)
            total += Removed(edges=(at.label,), macs=cost.macs)
            continue
        if arrow in remains.opened and closable(graph, edge):
            total += Removed(gates=(at.label,))
        total += _removed_in(edge.steps, at.steps, pins)
    asked = _live_routers(graph, remains.closed)
    for router, at in zip(graph.routers, paths.routers, strict=True):
        if router not in asked:
            total += Removed(routers=(at.label,))
    return total


def _removed_in(
    steps: Iterable[Step], paths: Iterable[ElementPath | GraphPaths], pins: Pins
) -> Removed:
    total = Removed()
    for graph, inside in outer_graphs(steps, paths):
        total += _removed(graph, inside, frozenset({graph.nodes[-1].name}), pins)
    return total


def _needed(graph: Graph, remains: Remains, ends: frozenset[str]) -> set[str]:
    """The nodes whose outputs reach `ends` by live edges or are read by a router."""
    needed = set(ends) | remains.read
    for node in reversed(graph.nodes):
        if node.name in needed and node.name not in remains.dead:
            needed |= {
                edge.source
                for edge in graph.edges_into(node.name)
                if (edge.source, edge.target) not in remains.closed
            }
    return needed
