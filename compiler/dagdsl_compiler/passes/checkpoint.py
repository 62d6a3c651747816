"""Activation checkpointing of stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import fx

from dagdsl_compiler.lower.remarks import Remark
from dagdsl_compiler.lower.writer import IR, ORIGIN
from dagdsl_compiler.passes.subgraph import extract_subgraph, replace_by_call
from dagdsl_compiler.runtime.checkpoint import Checkpointed

_HOME = "_checkpointed"


@dataclass(frozen=True, slots=True)
class CheckpointStages:
    """Turn each of the stages into a module that the backward pass recomputes.

    Only the inputs and outputs of a stage stay in memory, at the cost of about one more forward
    pass.
    """

    stages: tuple[str, ...]
    name: ClassVar[str] = "checkpoint_stages"

    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        for stage in self.stages:
            kept = _outline(module, stage)
            yield Remark(stage, True, f"{kept} values are computed again in the backward pass")


def _outline(module: fx.GraphModule, stage: str) -> int:
    """Replace a stage by the call of a module; return the number of values computed in it."""
    graph = module.graph
    # Everything lowered between two nodes of a stage belongs to the stage.
    members = [node for node in graph.nodes if _is_in(node.meta[IR], stage)]
    inside = set(members)
    results = [node for node in members if any(user not in inside for user in node.users)]
    body, inputs = extract_subgraph(members, results)
    # Names of fx nodes are unique, while `s[0]` and `s_0` would become the same identifier.
    path = f"{_HOME}.{results[-1].name}"
    module.add_submodule(path, Checkpointed(fx.GraphModule(module, body)))
    with graph.inserting_after(members[-1]):
        name = f"{results[-1].name}_checkpointed"
        call = graph.create_node("call_module", path, tuple(inputs), name=name)
    call.meta.update({IR: stage, ORIGIN: members[-1].meta[ORIGIN]})
    replace_by_call(call, results, reversed(members), "kept")
    return len(members)


def _is_in(place: str, stage: str) -> bool:
    return place == stage or place.startswith((f"{stage}.", f"{stage}:"))
