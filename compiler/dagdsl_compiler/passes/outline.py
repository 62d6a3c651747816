"""Runs each region only if the one sample of the batch needs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import fx

from dagdsl_compiler.lower.remarks import Remark
from dagdsl_compiler.lower.writer import SHAPE
from dagdsl_compiler.passes.regions import Region, regions
from dagdsl_compiler.passes.subgraph import extract_subgraph, replace_by_call
from dagdsl_compiler.runtime.branch import Branch

_HOME = "_branches"


@dataclass(frozen=True, slots=True)
class BranchRegions:
    """Turn each region into a module that is skipped when its mask, `[1]`, is false."""

    name: ClassVar[str] = "branch_regions"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        # Innermost first: a branch inside a branch is a module call like any other.
        for region in regions(module.graph, innermost_first=True):
            _outline(module, region)
            yield region.did("runs only if the sample needs it")


def _outline(module: fx.GraphModule, region: Region) -> None:
    graph = module.graph
    body, inputs = extract_subgraph(region.members, region.results)
    # Names of fx nodes are unique, while `n[0]` and `n_0` would become the same identifier.
    path = f"{_HOME}.{region.exits[0].name}"
    shapes = [leaving.meta[SHAPE] for leaving in region.exits]
    module.add_submodule(path, Branch(fx.GraphModule(module, body), shapes))
    with graph.inserting_before(region.exits[0]):
        arguments = (region.run, *inputs)
        name = f"{region.exits[0].name}_branch"
        call = region.mark(graph.create_node("call_module", path, arguments, name=name))
    erased = (*region.exits, *reversed(region.members))
    replace_by_call(call, region.exits, erased, "or_zero")
