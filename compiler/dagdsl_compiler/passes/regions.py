"""The regions of a graph: their members, what enters them and what leaves them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import fx

from dagdsl_compiler.lower.writer import IR, ORIGIN, REGION, regions_of
from dagdsl_compiler.runtime import liveness


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A region as it stands in a graph.

    `members` are its nodes and those of the regions inside it, in order. `inputs` are the nodes
    outside whose values they use. `exits` are the `masked(x, run)` through which the outside sees
    them. `outer` is the path of the regions around it.
    """

    name: str
    outer: tuple[str, ...]
    run: fx.Node
    members: tuple[fx.Node, ...]
    inputs: tuple[fx.Node, ...]
    exits: tuple[fx.Node, ...]

    def mark(self, node: fx.Node) -> fx.Node:
        """Give a new node, just outside the region, its place."""
        node.meta[IR] = self.exits[0].meta[IR]
        node.meta[ORIGIN] = self.exits[0].meta[ORIGIN]
        if self.outer:
            node.meta[REGION] = self.outer
        return node


def names_of_regions(graph: fx.Graph) -> list[str]:
    """All regions, outer ones before those inside them."""
    paths = dict.fromkeys(regions_of(node) for node in graph.nodes)
    names = {name: depth for path in paths for depth, name in enumerate(path)}
    return sorted(names, key=names.__getitem__)


def regions(graph: fx.Graph, names: list[str], only: frozenset[str] | None) -> Iterator[Region]:
    """The regions of these names, of those in `only` if it is given, each as it is by then.

    Regions that a pass has emptied are left out.
    """
    for name in names:
        if only is None or name in only:
            region = _region(graph, name)
            if region is not None:
                yield region


def _region(graph: fx.Graph, name: str) -> Region | None:
    members = {node: None for node in graph.nodes if name in regions_of(node)}
    exits = {user: None for node in members for user in node.users if user not in members}
    inputs = {used: None for node in members for used in node.all_input_nodes}
    if not exits:
        return None
    path = regions_of(next(iter(members)))
    runs = {node.args[1] for node in exits if node.target is liveness.masked}
    assert len(runs) == 1, f"region {name} is left through more than one mask"
    assert all(node.target is liveness.masked for node in exits), f"region {name} leaks"
    run = runs.pop()
    assert isinstance(run, fx.Node)
    return Region(
        name=name,
        outer=path[: path.index(name)],
        run=run,
        members=tuple(members),
        inputs=tuple(node for node in inputs if node not in members),
        exits=tuple(exits),
    )


def uniform_nodes(graph: fx.Graph) -> frozenset[fx.Node]:
    """The nodes that are the same for every sample, `[1, ...]`: those that no input reaches."""
    uniform: set[fx.Node] = set()
    for node in graph.nodes:
        if node.op not in ("placeholder", "output") and uniform.issuperset(node.all_input_nodes):
            uniform.add(node)
    return frozenset(uniform)
