"""The page of measurements is generated from the records."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from benchmarks import report
from benchmarks.chart import Panel, Series, draw, ticks
from benchmarks.goals.record import Record, compared, single
from benchmarks.goals.table import GOALS
from dagdsl.benchmark.timing import Estimate, Rounds

MACHINE = {
    "cpu": "CPU",
    "cores": 2,
    "threads": 2,
    "memory_gib": 8.0,
    "system": "Linux",
    "python": "3.11",
    "torch": "2",
}


def group(*records: Record, doubts: str | None = None) -> dict[str, object]:
    return {
        "command": "the command",
        "machine": MACHINE,
        "day": "2026-01-01",
        "minutes": 1.5,
        "doubts": doubts,
        "records": [record.to_json() for record in records],
    }


def record(ratio: float, limit: float | None = 1.15, goal: str | None = "memory") -> Record:
    return single(
        ratio * 100, 100, case="a case", name="ours", reference="theirs", goal=goal, limit=limit
    )


def page(name: str, **groups: object) -> str:
    text = f"words\n<!-- measured: {name} -->\nbefore\n<!-- end -->\nwords\n"
    return report.filled(text, report.read(json.dumps(groups)))


def test_the_page_is_current() -> None:
    groups = report.read(report.RESULTS.read_text()) if report.RESULTS.exists() else {}
    text = report.PAGE.read_text()
    assert text == report.filled(text, groups), "run python -m benchmarks.report"
    for name, drawn in report.plots(groups).items():
        assert (report.DOCS / "images" / name).read_text() == drawn


def test_every_goal_has_a_row() -> None:
    text = page("goals")
    assert text.count("not measured yet") == len(GOALS)
    assert "before" not in text
    assert text.startswith("words\n")
    assert text.endswith("words\n")


def test_a_goal_shows_its_worst_case() -> None:
    text = page("goals", training=group(record(1.0), record(1.3), record(9.0, None, None)))
    (row,) = [line for line in text.splitlines() if "peak training memory" in line]
    assert "1.30" in row
    assert "1 of 2" in row
    assert "9.00" not in row


def test_missed_goals_are_marked() -> None:
    text = page("training", training=group(record(1.0), record(1.3), record(2.0, None, None)))
    assert text.count("| met (1.15)") == 1
    assert text.count("**missed** (1.15)") == 1
    assert "2.00 |  |" in text


def test_noisy_measurements_are_marked() -> None:
    assert "Unreliable" in page("training", training=group(record(1), doubts="noise"))
    assert "Unreliable" not in page("training", training=group(record(1)))
    assert "; noisy)" in page("goals", training=group(record(1), doubts="noise"))


def test_plots_have_the_points_of_the_records() -> None:
    skipping = Record(
        case="DG, batch 1, 40% active",
        name="branch",
        reference="dense",
        value=Estimate(4, 0.01),
        reference_value=Estimate(10, 0.01),
        ratio=Estimate(0.4, 0.01),
        goal="sparse",
        limit=0.45,
        at=0.4,
        batch=1,
    )
    drawn = report.plots(report.read(json.dumps({"sparse": group(skipping)})))
    assert list(drawn) == ["active_time.svg"]
    assert "<circle" in drawn["active_time.svg"]
    assert "batch 1, best mode" in drawn["active_time.svg"]


def test_a_record_survives_json() -> None:
    timed = Rounds({"a": [1.0, 2.0, 3.0], "b": [2.0, 2.0, 2.0]}, others=0.1)
    before = compared(timed, "a", "b", case="case")
    assert before.ratio.median == 1.0
    assert Record.from_json(json.loads(json.dumps(before.to_json()))) == before
    assert asdict(before)["others"] == 0.1


@pytest.mark.parametrize(
    ("top", "expected"),
    [(1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (24, [0, 5, 10, 15, 20, 25]), (140, [0, 50, 100, 150])],
)
def test_ticks_are_round(top: float, expected: list[float]) -> None:
    assert ticks(top) == pytest.approx(expected)


def test_points_are_placed_by_their_values() -> None:
    drawn = draw([Panel("title", "x", "y", [Series("line", [(0, 0), (1, 1)])])])
    assert 'points="52.0,270.0 332.0,30.0"' in drawn
