"""Interleaved timing of callables, and whether the times are reliable."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FEWEST_ROUNDS = 5
QUIET = 0.05
"""The limit for a reliable time: of its spread, and of the share of cores used by others."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median and its spread: half the interquartile range, relative to the median."""

    median: float
    spread: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Estimate:
        """Return the estimate from two values or more."""
        first, median, third = statistics.quantiles(values, n=4)
        return cls(median, (third - first) / 2 / abs(median) if median else 0.0)

    def __truediv__(self, calls: int) -> Estimate:
        return Estimate(self.median / calls, self.spread)


@dataclass(frozen=True, slots=True)
class Rounds:
    """Milliseconds of every callable in every round.

    `others` is the share of the cores used by other processes meanwhile, None if unknown.
    """

    times: Mapping[str, Sequence[float]]
    others: float | None

    def time(self, name: str) -> Estimate:
        """Return the milliseconds of a callable."""
        return Estimate.of(self.times[name])

    def ratio(self, name: str, to: str) -> Estimate:
        """Return the time of `name` divided by that of `to`.

        Ratios are taken round by round, so that disturbances of whole rounds cancel out.
        """
        return Estimate.of([a / b for a, b in zip(self.times[name], self.times[to], strict=True)])


def noise_warning(spreads: Sequence[float], others: float | None) -> str | None:
    """Return why times with these spreads are unreliable, or None if they are reliable.

    `others` is the share of the cores used by other processes, None if unknown.
    """
    wide = sum(spread > QUIET for spread in spreads)
    found = []
    if others is not None and others > QUIET:
        found.append(f"other processes used {others:.0%} of its cores")
    if wide:
        found.append(f"{wide} of {len(spreads)} times spread by more than {QUIET:.0%}")
    return f"the machine is too noisy: {' and '.join(found)}" if found else None


def interleaved(
    runs: Mapping[str, Callable[[], object]],
    *,
    rounds: int = 20,
    seconds: float = 60.0,
    warm_up: int = 2,
) -> Rounds:
    """Time `runs` in rounds, in each of which every callable runs once.

    Stops after `rounds` rounds or `seconds` seconds, but not before `FEWEST_ROUNDS` rounds. The
    order rotates from round to round. The first `warm_up` calls of each, which may compile code, do
    not count.
    """
    for run in runs.values():
        for _ in range(warm_up):
            run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    order = list(runs.items())
    begin, load = time.perf_counter(), Load()
    for number in range(max(rounds, FEWEST_ROUNDS)):
        if number >= FEWEST_ROUNDS and time.perf_counter() - begin > seconds:
            break
        for name, run in order:
            start = time.perf_counter()
            run()
            times[name].append(1e3 * (time.perf_counter() - start))
        order.append(order.pop(0))
    return Rounds(times, load.others())


class Load:
    """Measures the load by other processes since it was created."""

    def __init__(self) -> None:
        self._start = _processor_seconds()

    def others(self) -> float | None:
        """Return the share of all cores used by other processes; None except on Linux."""
        now = _processor_seconds()
        if now is None or self._start is None:
            return None
        (busy, idle, own), (busy_0, idle_0, own_0) = now, self._start
        total = (busy - busy_0) + (idle - idle_0)
        return max(0.0, (busy - busy_0) - (own - own_0)) / total if total > 0 else 0.0


def _processor_seconds() -> tuple[float, float, float] | None:
    """The busy and idle seconds of all cores, and the busy seconds of this process."""
    try:
        head = Path("/proc/stat").read_text().partition("\n")[0]
        ticks = [int(count) for count in head.split()[1:9]]
    except (OSError, ValueError):
        return None
    idle = ticks[3] + ticks[4]  # idle and iowait; time stolen by the hypervisor is busy
    second = os.sysconf("SC_CLK_TCK")
    return (sum(ticks) - idle) / second, idle / second, sum(os.times()[:4])
