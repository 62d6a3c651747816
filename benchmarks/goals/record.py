"""Records: the results of a measurement, as stored in `docs/performance.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dagdsl.benchmark.timing import Estimate, Rounds


@dataclass(frozen=True, slots=True)
class Record:
    """One subject compared with a reference in one run.

    `ratio` is `value / reference_value`, both in `unit`, or `value - reference_value` if
    `difference` is set. A record with a `goal` should have a ratio of at most `limit`; one without
    is for comparison only. `at` is its position on the x axis of a plot: the active share or the
    number of nodes. `others` is the share of the cores that other processes took.
    """

    case: str
    name: str
    reference: str
    value: Estimate
    reference_value: Estimate
    ratio: Estimate
    unit: str = "ms"
    goal: str | None = None
    limit: float | None = None
    at: float | None = None
    batch: int | None = None
    others: float | None = None
    difference: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        return None if self.limit is None else self.ratio.median <= self.limit

    def to_json(self) -> dict[str, Any]:
        """Convert to a dict of JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Record:
        """Read a dict written by `to_json`."""
        estimates = ("value", "reference_value", "ratio")
        return cls(**{**content, **{key: Estimate(**content[key]) for key in estimates}})


def compared(timed: Rounds, name: str, to: str, **more: Any) -> Record:
    """Make a record from the interleaved times of `name` and `to`."""
    return Record(
        name=name,
        reference=to,
        value=timed.time(name),
        reference_value=timed.time(to),
        ratio=timed.ratio(name, to),
        others=timed.others,
        **more,
    )


def single(value: float, reference_value: float, **more: Any) -> Record:
    """Make a record from two values without spread: measured once, or deterministic."""
    return Record(
        value=Estimate(value, 0.0),
        reference_value=Estimate(reference_value, 0.0),
        ratio=Estimate(value / reference_value, 0.0),
        **more,
    )
