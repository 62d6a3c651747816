"""What a measurement leaves behind: a line of `docs/performance.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dagdsl.benchmark.timing import Estimate, Rounds


@dataclass(frozen=True, slots=True)
class Record:
    """One thing measured beside another in one run.

    `ratio` is `value` by `reference_value`, both in `unit`; or with `difference` what `value` has
    more. With a `goal` it is to be at most `limit`; without one, it is there to be compared with.
    `at` is where it stands on the axis of a plot: the active share, or the number of nodes.
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
        """Whether the goal is met, None if there is none."""
        return None if self.limit is None else self.ratio.median <= self.limit

    def to_json(self) -> dict[str, Any]:
        """A dict of plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Record:
        """What `to_json` wrote."""
        estimates = ("value", "reference_value", "ratio")
        return cls(**{**content, **{key: Estimate(**content[key]) for key in estimates}})


def compared(timed: Rounds, name: str, to: str, **more: Any) -> Record:
    """The times of two that ran in turns."""
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
    """Two numbers that were taken once, or that do not vary."""
    return Record(
        value=Estimate(value, 0.0),
        reference_value=Estimate(reference_value, 0.0),
        ratio=Estimate(value / reference_value, 0.0),
        **more,
    )
