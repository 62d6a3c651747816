"""The passes in their order."""

from __future__ import annotations

from collections.abc import Callable

from torch import fx

from dagdsl_compiler.lower.remarks import note
from dagdsl_compiler.passes.base import Pass
from dagdsl_compiler.passes.checkpoint import CheckpointStages
from dagdsl_compiler.passes.common import CommonSubexpressions
from dagdsl_compiler.passes.constants import FoldConstants
from dagdsl_compiler.passes.dead_code import DeadCode
from dagdsl_compiler.passes.evaluation import EvaluationOnly, FoldBatchNorm
from dagdsl_compiler.passes.group import ComposeTakes, GroupRegions
from dagdsl_compiler.passes.linears import MergeLinears
from dagdsl_compiler.passes.merges import SimplifyMerges
from dagdsl_compiler.passes.order import OrderForMemory
from dagdsl_compiler.passes.outline import BranchRegions
from dagdsl_compiler.passes.verify import Signature, verify

OnPass = Callable[[str, fx.GraphModule], None]
"""Is shown the graph as it was lowered (`lower`), and after each pass, by the name of the pass."""

PIPELINE: tuple[Pass, ...] = (CommonSubexpressions(), SimplifyMerges(), DeadCode())


def training(checkpoint: tuple[str, ...]) -> tuple[Pass, ...]:
    """The passes for a graph that trains, with these stages checkpointed."""
    return (*PIPELINE, CheckpointStages(checkpoint)) if checkpoint else PIPELINE


EVALUATION: tuple[Pass, ...] = (
    CommonSubexpressions(),
    EvaluationOnly(),
    FoldConstants(),
    SimplifyMerges(),
    FoldBatchNorm(),
    MergeLinears(),
    DeadCode(),
)
"""For graphs with regions, over a copy of the modules; all regions stay as they are."""


def evaluation(
    *, group: frozenset[str] | None = frozenset(), branch: frozenset[str] | None = frozenset()
) -> tuple[Pass, ...]:
    """The passes for evaluation: which regions to group, which to branch; None: all of them.

    A graph with branches takes one sample at a time.
    """
    passes = EVALUATION
    if group is None or group:
        passes += (GroupRegions(group), ComposeTakes(), CommonSubexpressions(), DeadCode())
    if branch is None or branch:
        passes += (BranchRegions(branch),)
    return passes if passes != EVALUATION else (*EVALUATION, OrderForMemory())


def run_passes(
    module: fx.GraphModule, on_pass: OnPass | None = None, passes: tuple[Pass, ...] = PIPELINE
) -> None:
    """Run the passes over a freshly lowered graph, in place.

    `explain` tells afterwards what they did. Raises VerifyError if one of them, or the lowering,
    left a graph that is not well formed.
    """
    signature = Signature.of(module.graph)
    verify(module, signature, after="lower")
    if on_pass is not None:
        on_pass("lower", module)
    for step in passes:
        note(module, step.name, step.run(module) or ())
        module.recompile()
        verify(module, signature, after=step.name)
        if on_pass is not None:
            on_pass(step.name, module)
