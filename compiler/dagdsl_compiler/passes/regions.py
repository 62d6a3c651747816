"""The regions of a graph: their members, inputs and exits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import fx

from dagdsl_compiler.lower.remarks import Remark
from dagdsl_compiler.lower.writer import IR, ORIGIN, REGION, regions_of
from dagdsl_compiler.runtime import liveness


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A region of a graph.

    `members` are its nodes and those of the regions inside it, in order. `inputs` are the outside
    nodes whose values they read. `exits` are the nodes `masked(x, run)` through which the outside
    reads them. `outer` is the path of the regions around it.
    """

    name: str
    outer: tuple[str, ...]
    run: fx.Node
    members: tuple[fx.Node, ...]
    inputs: tuple[fx.Node, ...]
    exits: tuple[fx.Node, ...]

    @property
    def results(self) -> tuple[fx.Node, ...]:
        """The members whose values the exits mask, in the order of the exits."""
        return tuple(node.all_input_nodes[0] for node in self.exits)

    def did(self, reason: str) -> Remark:
        """A remark that something was done to the region."""
        return Remark(self.name, True, reason)

    def did_not(self, reason: str) -> Remark:
        """A remark that something could not be done to the region."""
        return Remark(self.name, False, reason)

    def mark(self, node: fx.Node) -> fx.Node:
        """Give a new node right outside the region its provenance."""
        node.meta[IR] = self.exits[0].meta[IR]
        node.meta[ORIGIN] = self.exits[0].meta[ORIGIN]
        if self.outer:
            node.meta[REGION] = self.outer
        return node


def regions(graph: fx.Graph, *, innermost_first: bool = False) -> Iterator[Region]:
    """The regions of a graph, outer ones before inner ones, each read when it is yielded.

    In between, the graph may be changed in and around the region yielded last. Regions without
    exits, which are empty or dead, are left out.
    """
    depths = range(max((len(regions_of(node)) for node in graph.nodes), default=0))
    for depth in reversed(depths) if innermost_first else depths:
        # No node is in two regions of one depth, so one walk finds all of that depth.
        members: dict[str, list[fx.Node]] = {}
        for node in graph.nodes:
            path = regions_of(node)
            if len(path) > depth:
                members.setdefault(path[depth], []).append(node)
        for name, nodes in members.items():
            region = _region(name, regions_of(nodes[0])[:depth], nodes)
            if region is not None:
                yield region


def _region(name: str, outer: tuple[str, ...], nodes: list[fx.Node]) -> Region | None:
    members = dict.fromkeys(nodes)
    exits = {user: None for node in nodes for user in node.users if user not in members}
    inputs = {used: None for node in nodes for used in node.all_input_nodes}
    if not exits:
        return None
    runs = {node.args[1] for node in exits if node.target is liveness.masked}
    assert len(runs) == 1, f"region {name} is left through more than one mask"
    assert all(node.target is liveness.masked for node in exits), f"region {name} leaks"
    run = runs.pop()
    assert isinstance(run, fx.Node)
    return Region(
        name=name,
        outer=outer,
        run=run,
        members=tuple(nodes),
        inputs=tuple(node for node in inputs if node not in members),
        exits=tuple(exits),
    )


def uniform_nodes(graph: fx.Graph) -> frozenset[fx.Node]:
    """The nodes that no input reaches: their values, `[1, ...]`, are the same for every sample."""
    uniform: set[fx.Node] = set()
    for node in graph.nodes:
        if node.op not in ("placeholder", "output") and uniform.issuperset(node.all_input_nodes):
            uniform.add(node)
    return frozenset(uniform)


@dataclass(frozen=True, slots=True)
class KeepRegions:
    """Dissolve the regions that are not in `only`, so that they run for all samples.

    None keeps all regions.
    """

    only: frozenset[str] | None = None
    name: ClassVar[str] = "keep_regions"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        if self.only is None:
            return
        for region in regions(module.graph):
            if region.name not in self.only:
                yield region.did_not("runs for all samples: skipping it costs more than it saves")
        for node in module.graph.nodes:
            if REGION in node.meta:
                node.meta[REGION] = tuple(name for name in regions_of(node) if name in self.only)
