"""Every goal has a measurement, and each limit applies to the right record."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.goals import sparse
from benchmarks.goals.scale import FULL
from benchmarks.goals.table import GOALS, GROUPS
from dagdsl.benchmark.plan import BenchRow
from dagdsl.benchmark.timing import Estimate

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_can_be_measured(group: str) -> None:
    assert callable(import_module(f"benchmarks.goals.{group}").measure)
    assert any(goal.group == group for goal in GOALS.values())


def row(name: str, ratio: float) -> BenchRow:
    return BenchRow(name, 1, 0.4, Estimate(10 * ratio, 0.01), Estimate(ratio, 0.01), "static", None)


def test_the_best_mode_has_the_limit_of_the_active_share() -> None:
    rows = [row("static", 1.0), row("branch", 0.43), row("auto", 0.5), row(sparse.SKIPPER, 0.3)]
    records = list(sparse._records("DG", rows))
    assert [(r.name, r.goal, r.limit) for r in records] == [
        ("branch", "sparse", pytest.approx(0.45)),
        ("auto", "auto", 1.03),
        (sparse.SKIPPER, None, None),
    ]
    assert [r.met for r in records] == [True, True, None]
    assert all(r.at == 0.4 and r.reference_value.median == 10 for r in records)


def test_a_mode_may_have_two_goals() -> None:
    records = list(sparse._records("DG", [row("static", 1.0), row("auto", 0.5)]))
    assert [(r.name, r.goal, r.met) for r in records] == [
        ("auto", "sparse", False),
        ("auto", "auto", True),
    ]


def test_the_full_scale_is_that_of_the_goals() -> None:
    assert FULL.size == 224
    assert FULL.sparse_batches == (1, 8, 32)
    assert FULL.shares == (0.4, 0.6, 0.8)
    assert FULL.nodes[-1] == 24


def test_an_unknown_group() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.goals", "--only", "fast"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "unknown group fast: use static, dense" in done.stderr
