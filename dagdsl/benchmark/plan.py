"""The options of a benchmark, and the rows of its results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagdsl.benchmark.subjects import baseline_builder
from dagdsl.benchmark.timing import Estimate, noise_warning
from dagdsl.errors import UsageError
from dagdsl_compiler.backends.catalogue import BACKENDS
from dagdsl_compiler.inference import MODE_SUMMARIES

EAGER = "eager"
"""Measured beside the execution modes: mode `dense`, not compiled."""


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """The options of a benchmark.

    An empty `modes` means the modes that suit the net. `batches` are batch sizes. `shares` are the
    wanted active shares (of MACs, 0 to 1) for nets whose gates can close. `against` is a baseline,
    `torchvision:NAME`. With `train`, a training step is timed instead of inference. `rounds` is the
    number of timings of each run, and `seconds` the time limit for all of them.
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
        """Raise UsageError if an option is invalid."""
        known = (*MODE_SUMMARIES, EAGER)
        for mode in self.modes:
            if mode not in known:
                raise UsageError(f"there is no mode `{mode}`; the modes are {', '.join(known)}")
        if self.backend not in BACKENDS:
            raise UsageError(
                f"there is no backend `{self.backend}`; the backends are {', '.join(BACKENDS)}"
            )
        if self.train and not {*self.modes} <= {"dense", EAGER}:
            raise UsageError("only the modes `dense` and `eager` can train")
        if not self.batches or min(self.batches) < 1:
            raise UsageError("a batch size must be at least 1")
        if not self.shares or not all(0 <= share <= 1 for share in self.shares):
            raise UsageError("an active share must be between 0 and 1")
        if self.against:
            baseline_builder(self.against)
        if "branch" in self.modes and 1 not in self.batches:
            raise UsageError("mode `branch` runs one sample at a time: add batch size 1")


@dataclass(frozen=True, slots=True)
class BenchRow:
    """The timing of one run for a batch size.

    `active` is the active share of the timed samples, weighted by MACs. `milliseconds` is the time
    of a batch, `ratio` that time divided by the time of `reference`. `others` is the share of the
    cores used by other processes meanwhile, None if unknown. `peak_bytes` is the peak memory of
    tensors in a training step, weights and momentum buffers included; None for inference.
    """

    name: str
    batch: int
    active: float
    milliseconds: Estimate
    ratio: Estimate
    reference: str
    others: float | None
    peak_bytes: int | None = None


def noise_warning_for(rows: Sequence[BenchRow]) -> str | None:
    """Return why the measurements are unreliable, or None if the machine was idle throughout."""
    others = [row.others for row in rows if row.others is not None]
    return noise_warning([row.milliseconds.spread for row in rows], max(others, default=None))
