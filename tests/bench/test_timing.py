"""Medians, spreads and ratios of times, and when they are unreliable."""

from __future__ import annotations

import pytest

from dagdsl.benchmark.timing import (
    FEWEST_ROUNDS,
    Estimate,
    Load,
    Rounds,
    interleaved,
    noise_warning,
)


def test_every_callable_runs_once_a_round() -> None:
    calls: list[str] = []
    runs = {name: (lambda name=name: calls.append(name)) for name in "abc"}
    timed = interleaved(runs, rounds=6, warm_up=1)
    assert calls[:3] == ["a", "b", "c"]
    rounds = [calls[i : i + 3] for i in range(3, len(calls), 3)]
    assert len(rounds) == 6
    assert all(sorted(turn) == ["a", "b", "c"] for turn in rounds)
    assert {turn[0] for turn in rounds} == {"a", "b", "c"}
    assert all(len(times) == 6 for times in timed.times.values())


def test_fewest_rounds_run_whatever_the_time_limit() -> None:
    timed = interleaved({"a": lambda: None}, rounds=1000, seconds=0.0)
    assert len(timed.times["a"]) == FEWEST_ROUNDS


def test_a_ratio_is_taken_round_by_round() -> None:
    timed = Rounds({"a": [1, 2, 30, 4, 5], "b": [2, 4, 60, 8, 10]}, None)
    assert timed.ratio("a", "b") == Estimate(0.5, 0.0)
    assert timed.time("a").median == 4
    assert timed.time("a").spread > 1


def test_spread_is_half_the_interquartile_range() -> None:
    assert Estimate.of([9, 10, 10, 10, 11]).spread == pytest.approx(0.05)
    assert Estimate.of([3.0, 3.0, 3.0]) == Estimate(3.0, 0.0)


def test_doubts() -> None:
    assert noise_warning([0.01, 0.02], 0.0) is None
    assert noise_warning([0.01, 0.02], None) is None
    noisy = noise_warning([0.2, 0.02], 0.3)
    assert noisy is not None
    assert "other processes used 30%" in noisy
    assert "1 of 2 times" in noisy


def test_own_load_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = iter([(100.0, 100.0, 50.0), (103.0, 101.0, 52.0)])
    monkeypatch.setattr("dagdsl.benchmark.timing._processor_seconds", lambda: next(seen))
    assert Load().others() == pytest.approx(0.25)


def test_unknown_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagdsl.benchmark.timing._processor_seconds", lambda: None)
    assert Load().others() is None
