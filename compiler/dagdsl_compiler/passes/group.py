"""Runs each region on the samples that need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import fx

from dagdsl_compiler.lower.remarks import Remark, did
from dagdsl_compiler.lower.writer import IR
from dagdsl_compiler.passes.regions import Region, regions, uniform_nodes
from dagdsl_compiler.runtime import rows


@dataclass(frozen=True, slots=True)
class GroupRegions:
    """Gather the rows of the samples that need a region, and run the region on those.

    The results have one row for each of these samples and a last row of zeros; readers look up the
    row of each sample. A region whose mask is the same for all samples stays unchanged.
    """

    name: ClassVar[str] = "group_regions"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        graph = module.graph
        uniform = uniform_nodes(graph)
        for region in regions(graph):
            if region.run in uniform:
                yield region.did_not("all samples need it, or none")
            else:
                _enter(graph, region, uniform)
                _leave(graph, region)
                yield region.did("runs on the samples that need it")


def _enter(graph: fx.Graph, region: Region, uniform: frozenset[fx.Node]) -> None:
    label = region.exits[0].name
    own: dict[fx.Node, fx.Node] = {}
    with graph.inserting_before(region.members[0]):
        index = graph.create_node("call_function", rows.rows, (region.run,), name=f"{label}_rows")
        region.mark(index)
        for x in region.inputs:
            if x not in uniform:
                name = f"{x.name}_of_{label}"
                own[x] = graph.create_node("call_function", rows.take, (x, index), name=name)
                region.mark(own[x])
    # `replace_all_uses_with` would visit all readers of an input once for each region.
    for member in region.members:
        if not own.keys().isdisjoint(member.all_input_nodes):
            member.args = fx.map_arg(member.args, lambda x: own.get(x, x))
            member.kwargs = fx.map_arg(member.kwargs, lambda x: own.get(x, x))


def _leave(graph: fx.Graph, region: Region) -> None:
    for leaving in region.exits:
        with graph.inserting_before(leaving):
            place = graph.create_node(
                "call_function", rows.places, (region.run,), name=f"{leaving.name}_places"
            )
            padded = graph.create_node(
                "call_function", rows.with_zero, (leaving.args[0],), name=f"{leaving.name}_padded"
            )
            every = graph.create_node(
                "call_function", rows.take, (padded, place), name=f"{leaving.name}_all"
            )
        for node in (place, padded, every):
            region.mark(node)
        leaving.replace_all_uses_with(every)
        graph.erase_node(leaving)


@dataclass(frozen=True, slots=True)
class ComposeTakes:
    """Replace a gather of gathered rows by one gather with composed indices.

    The results of a region are then not expanded to all samples only to be gathered again.
    """

    name: ClassVar[str] = "compose_takes"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        graph = module.graph
        for node in graph.find_nodes(op="call_function", target=rows.take):
            x, index = node.args
            if not isinstance(x, fx.Node) or x.target is not rows.take:
                continue
            source, first = x.args
            assert isinstance(source, fx.Node)
            assert isinstance(index, fx.Node)
            with graph.inserting_before(node):
                both = graph.create_node(
                    "call_function", rows.take, (first, index), name=f"{node.name}_rows"
                )
            both.meta.update(node.meta)
            node.args = (source, both)
            yield did(node, f"reads the rows of {source.meta[IR]}")
