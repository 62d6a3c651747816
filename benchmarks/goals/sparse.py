"""Modes that skip unneeded nodes, compared with running all of them, at several active shares."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import torch

from benchmarks.goals.nets import DYNAMIC
from benchmarks.goals.record import Record
from benchmarks.goals.scale import Scale
from benchmarks.peers.dg import copy_weights
from benchmarks.peers.skipper import SkippingStage
from dagdsl.benchmark.measure import Say, inference
from dagdsl.benchmark.models import Batches
from dagdsl.benchmark.plan import BenchPlan, BenchRow
from dagdsl.benchmark.subjects import Run, evaluation
from dagdsl_compiler.driver import Model

DENSE = "static"
"""Runs every node for every sample with frozen weights, since nothing is pinned."""
SKIPPER = "by hand, one if per node"


def measure(scale: Scale, say: Say) -> Iterator[Record]:
    """Compare all modes, and at batch size 1 also the hand-written net, at every share."""
    for case, modes in scale.sparse_modes.items():
        dynamic = DYNAMIC[case]

        def skipper(model: Model, batches: Batches, dynamic=dynamic) -> dict[str, Run]:  # type: ignore[no-untyped-def]
            if len(batches[0][0]) != 1:
                return {}
            theirs = dynamic.by_hand(stage=SkippingStage).eval()
            copy_weights(model, theirs)
            return {SKIPPER: evaluation(theirs.to(memory_format=torch.channels_last), batches)}

        plan = BenchPlan(
            modes=modes,
            batches=scale.sparse_batches,
            shares=scale.shares,
            rounds=scale.rounds,
            seconds=scale.seconds,
        )
        rows = inference(dynamic.load(size=scale.size), plan, say, skipper)
        for _, together in groupby(rows, key=lambda row: (row.batch, row.active)):
            yield from _records(case, list(together))


def _records(case: str, rows: list[BenchRow]) -> Iterator[Record]:
    """Convert interleaved rows to records; the best skipping mode gets the limit."""
    dense = next(row for row in rows if row.name == DENSE)
    skipping = [row for row in rows if row.name not in (DENSE, SKIPPER)]
    best = min(skipping, key=lambda row: row.ratio.median)
    for row in rows:
        goals: list[tuple[str | None, float | None]] = []
        if row is best:
            goals.append(("sparse", row.active + 0.05))
        if row.name == "auto":
            goals.append(("auto", 1.03))
        for goal, limit in goals or [(None, None)]:
            if row is not dense:
                yield Record(
                    case=f"{case}, batch {row.batch}, {row.active:.0%} active",
                    name=row.name,
                    reference="dense",
                    value=row.milliseconds,
                    reference_value=dense.milliseconds,
                    ratio=row.ratio,
                    goal=goal,
                    limit=limit,
                    at=row.active,
                    batch=row.batch,
                    others=row.others,
                )
