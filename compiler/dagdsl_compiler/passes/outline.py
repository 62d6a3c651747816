"""Runs regions only if the one sample of the batch needs them."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import fx

from dagdsl_compiler.lower.remarks import Remark
from dagdsl_compiler.lower.writer import SHAPE
from dagdsl_compiler.passes.regions import Region, regions
from dagdsl_compiler.runtime.branch import Branch

_HOME = "_branches"


@dataclass(frozen=True, slots=True)
class BranchRegions:
    """Each region becomes a module that is skipped when its mask, `[1]`, is false."""

    name: ClassVar[str] = "branch_regions"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        # From the inside out: a branch inside a branch is a module call like any other.
        for region in regions(module.graph, innermost_first=True):
            _outline(module, region)
            yield region.did("runs only if the sample needs it")


def _outline(module: fx.GraphModule, region: Region) -> None:
    graph = module.graph
    body = fx.Graph()
    inside: dict[fx.Node, fx.Node] = {}
    for x in region.inputs:
        inside[x] = body.placeholder(x.name)
        inside[x].meta.update(x.meta)
    for member in region.members:
        inside[member] = body.node_copy(member, inside.__getitem__)
    results = []
    for leaving in region.exits:
        result = leaving.args[0]
        assert isinstance(result, fx.Node)
        results.append(inside[result])
    body.output(tuple(results))
    # The name of an fx node is given once, where `n[0]` and `n_0` would be one identifier.
    path = f"{_HOME}.{region.exits[0].name}"
    shapes = [leaving.meta[SHAPE] for leaving in region.exits]
    module.add_submodule(path, Branch(fx.GraphModule(module, body), shapes))
    with graph.inserting_before(region.exits[0]):
        arguments = (region.run, *region.inputs)
        name = f"{region.exits[0].name}_branch"
        call = region.mark(graph.create_node("call_module", path, arguments, name=name))
        for i, leaving in enumerate(region.exits):
            name = f"{leaving.name}_or_zero"
            result = graph.create_node("call_function", operator.getitem, (call, i), name=name)
            leaving.replace_all_uses_with(region.mark(result))
    for node in (*region.exits, *reversed(region.members)):
        graph.erase_node(node)
