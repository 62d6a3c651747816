"""What to measure of a net, and what a measurement gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagdsl.benchmark.subjects import rival_builder
from dagdsl.benchmark.timing import Estimate, doubts
from dagdsl.errors import UsageError
from dagdsl_compiler.backends.catalogue import BACKENDS
from dagdsl_compiler.inference import SUMMARIES

EAGER = "eager"
"""Beside the execution modes: `dense`, not compiled."""


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """What to measure. Without `modes`, those that suit the net.

    `shares` are of the multiply-adds that samples need, for nets whose gates close. `against` is a
    rival, `torchvision:NAME`. With `train` it is the training step that is timed, not inference.
    """

    modes: Sequence[str] = ()
    batches: Sequence[int] = (1, 8, 32)
    shares: Sequence[float] = (0.25, 0.5, 0.75, 1.0)
    against: str | None = None
    train: bool = False
    backend: str = "inductor"
    rounds: int = 20
    seconds: float = 60.0

    def check(self) -> None:
        """Raise UsageError for what cannot be measured."""
        known = (*SUMMARIES, EAGER)
        for mode in self.modes:
            if mode not in known:
                raise UsageError(f"there is no mode `{mode}`; there are {', '.join(known)}")
        if self.backend not in BACKENDS:
            raise UsageError(
                f"there is no backend `{self.backend}`; there are {', '.join(BACKENDS)}"
            )
        if self.train and not {*self.modes} <= {"dense", EAGER}:
            raise UsageError("only the modes `dense` and `eager` train")
        if not self.batches or min(self.batches) < 1:
            raise UsageError("a batch has at least one sample")
        if not self.shares or not all(0 <= share <= 1 for share in self.shares):
            raise UsageError("an active share is between 0 and 1")
        if self.against:
            rival_builder(self.against)
        if "branch" in self.modes and 1 not in self.batches:
            raise UsageError("mode `branch` takes one sample at a time: add batch size 1")


@dataclass(frozen=True, slots=True)
class BenchRow:
    """The time of one of those that ran in turns, for a batch.

    `active` is the share of multiply-adds that the timed samples needed. `ratio` is to the time of
    `reference`. `others` is the share of the cores that other processes took meanwhile.
    `peak_bytes` is of a training step: the most that tensors take, weights and momenta included.
    """

    name: str
    batch: int
    active: float
    milliseconds: Estimate
    ratio: Estimate
    reference: str
    others: float | None
    peak_bytes: int | None = None


def doubts_about(rows: Sequence[BenchRow]) -> str | None:
    """Why not to believe what was measured, None if the machine was quiet all the time."""
    others = [row.others for row in rows if row.others is not None]
    return doubts([row.milliseconds.spread for row in rows], max(others, default=None))
