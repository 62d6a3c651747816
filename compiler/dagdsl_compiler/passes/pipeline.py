"""The passes of each kind of graph, in order."""

from __future__ import annotations

from collections.abc import Callable

from torch import fx

from dagdsl_compiler.lower.remarks import note
from dagdsl_compiler.passes.alive import SimplifyLiveness
from dagdsl_compiler.passes.base import Pass
from dagdsl_compiler.passes.checkpoint import CheckpointStages
from dagdsl_compiler.passes.common import CommonSubexpressions
from dagdsl_compiler.passes.constants import FoldConstants
from dagdsl_compiler.passes.dead_code import DeadCode
from dagdsl_compiler.passes.evaluation import EvaluationOnly, FoldBatchNorm
from dagdsl_compiler.passes.group import ComposeTakes, GroupRegions
from dagdsl_compiler.passes.linears import DecomposeSmallLinears, MergeLinears
from dagdsl_compiler.passes.masks import UnmaskValues
from dagdsl_compiler.passes.merges import SimplifyMerges
from dagdsl_compiler.passes.order import OrderForMemory
from dagdsl_compiler.passes.outline import BranchRegions
from dagdsl_compiler.passes.pack import PackConvolutions
from dagdsl_compiler.passes.regions import KeepRegions
from dagdsl_compiler.passes.verify import Signature, verify

OnPass = Callable[[str, fx.GraphModule], None]
"""Called with the name of a step and the graph: `lower`, then each pass."""

WITH_REGIONS: tuple[Pass, ...] = (
    CommonSubexpressions(),
    SimplifyLiveness(),
    SimplifyMerges(),
    DeadCode(),
)
"""The passes for graphs with regions that share their modules; all regions stay."""

PIPELINE: tuple[Pass, ...] = (
    CommonSubexpressions(),
    SimplifyLiveness(),
    UnmaskValues(),
    SimplifyMerges(),
    DeadCode(),
)


def training(checkpoint: tuple[str, ...]) -> tuple[Pass, ...]:
    """The passes for training graphs, with these stages checkpointed."""
    return (*PIPELINE, CheckpointStages(checkpoint)) if checkpoint else PIPELINE


def evaluation(
    skipped: frozenset[str] | None = frozenset(),
    *,
    single: bool = False,
    generated: bool = False,
    packed: bool = False,
) -> tuple[Pass, ...]:
    """The passes for evaluation graphs with regions that own their module tree.

    The regions in `skipped` (None: all) run only for the samples that need them or, in a graph for
    a `single` sample, only if that sample needs them. With `generated`, code is generated for the
    graph, so small layers are decomposed. With `packed`, convolutions are packed.
    """
    passes: tuple[Pass, ...] = (
        KeepRegions(skipped),
        CommonSubexpressions(),
        SimplifyLiveness(),
        EvaluationOnly(),
        FoldConstants(),
        UnmaskValues(),
        SimplifyMerges(),
        FoldBatchNorm(),
        MergeLinears(),
        *((DecomposeSmallLinears(),) if generated else ()),
        DeadCode(),
    )
    if packed:
        passes = (*passes, PackConvolutions(single))
    if skipped is not None and not skipped:
        return (*passes, OrderForMemory())
    if single:
        return (*passes, BranchRegions())
    return (*passes, GroupRegions(), ComposeTakes(), CommonSubexpressions(), DeadCode())


def run_passes(
    module: fx.GraphModule, on_pass: OnPass | None = None, passes: tuple[Pass, ...] = PIPELINE
) -> None:
    """Run passes over a freshly lowered graph, in place.

    `explain` returns their remarks afterwards. Raises VerifyError if the lowering or a pass left a
    malformed graph.
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
