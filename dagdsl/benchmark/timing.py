"""Callables -> their times, taken in turns, with the doubts about them."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FEWEST_ROUNDS = 5
QUIET = 0.05
"""The spread of a time, and the share of the cores that others take, up to which it is good."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median, and the spread around it: half the distance of the quartiles, relative to it."""

    median: float
    spread: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Estimate:
        """That of two values or more."""
        first, median, third = statistics.quantiles(values, n=4)
        return cls(median, (third - first) / 2 / abs(median) if median else 0.0)

    def __truediv__(self, calls: int) -> Estimate:
        return Estimate(self.median / calls, self.spread)


@dataclass(frozen=True, slots=True)
class Rounds:
    """Milliseconds of every callable in every round.

    `others` is the share of the machine's cores that other processes took meanwhile, None where
    that cannot be known.
    """

    times: Mapping[str, Sequence[float]]
    others: float | None

    def time(self, name: str) -> Estimate:
        """Milliseconds of a callable."""
        return Estimate.of(self.times[name])

    def ratio(self, name: str, to: str) -> Estimate:
        """The time of `name` by that of `to`, round by round: what slows both cancels out."""
        return Estimate.of([a / b for a, b in zip(self.times[name], self.times[to], strict=True)])


def doubts(spreads: Sequence[float], others: float | None) -> str | None:
    """Why not to believe times that spread so while others took so much; None if one can."""
    wide = sum(spread > QUIET for spread in spreads)
    found = []
    if others is not None and others > QUIET:
        found.append(f"other processes took {others:.0%} of its cores")
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
    """Time `runs` in turns: `rounds` times, or as often as fits into `seconds`, but at least five.

    Every round begins with another one, so that none always follows the same. The first `warm_up`
    calls of each, in which code is compiled, do not count.
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
    """Watches from now on what other processes take of the machine."""

    def __init__(self) -> None:
        self._start = _processor_seconds()

    def others(self) -> float | None:
        """The share of all cores that other processes took, where Linux tells."""
        now = _processor_seconds()
        if now is None or self._start is None:
            return None
        (busy, idle, own), (busy_0, idle_0, own_0) = now, self._start
        total = (busy - busy_0) + (idle - idle_0)
        return max(0.0, (busy - busy_0) - (own - own_0)) / total if total > 0 else 0.0


def _processor_seconds() -> tuple[float, float, float] | None:
    """Seconds that all cores were busy and idle, and that this process was busy."""
    try:
        head = Path("/proc/stat").read_text().partition("\n")[0]
        ticks = [int(count) for count in head.split()[1:9]]
    except (OSError, ValueError):
        return None
    idle = ticks[3] + ticks[4]  # waiting for a disk is idle, being stolen from is not
    second = os.sysconf("SC_CLK_TCK")
    return (sum(ticks) - idle) / second, idle / second, sum(os.times()[:4])
