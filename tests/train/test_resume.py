"""A run that is killed at any moment and resumed equals one that was never killed."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dagdsl.errors import UsageError
from dagdsl.training.loop import train
from dagdsl.training.metrics import EpochMetrics
from dagdsl.training.observer import Observer, RunPlan
from tests.train.nets import config, tiny

ROOT = Path(__file__).parents[2]


class Started(Observer):
    """Records the plans of the runs."""

    def __init__(self) -> None:
        self.plans: list[RunPlan] = []

    def started(self, plan: RunPlan) -> None:
        self.plans.append(plan)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was not interrupted."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    train(tiny(), config(), out)
    return out


def _run_and_die(out: Path, moment: str, number: int) -> int:
    """Run `die.py` and return its exit status."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "compiler")))
    return subprocess.run(
        [sys.executable, ROOT / "tests" / "train" / "die.py", out, moment, str(number)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        check=False,
    ).returncode


def _metrics(out: Path) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{key: line[key] for key in line if key != "seconds"} for line in lines]


def _summary(out: Path) -> dict[str, object]:
    summary = json.loads((out / "summary.json").read_text())
    return {key: summary[key] for key in summary if key != "seconds"}


def assert_same_run(out: Path, whole: Path) -> None:
    assert sorted(path.name for path in out.iterdir()) == sorted(
        path.name for path in whole.iterdir()
    )
    assert (out / "best.safetensors").read_bytes() == (whole / "best.safetensors").read_bytes()
    assert _tensors(out) == _tensors(whole)
    assert _metrics(out) == _metrics(whole)
    assert _summary(out) == _summary(whole)


def _tensors(out: Path) -> bytes:
    """The weights and the optimizer state of the checkpoint; its header contains times."""
    content = (out / "last.safetensors").read_bytes()
    return content[8 + int.from_bytes(content[:8], "little") :]


@pytest.mark.parametrize(
    ("moment", "number", "continues_at"),
    [
        ("step", 4, 1),  # in the first epoch: there is no checkpoint yet
        ("step", 27, 3),  # in the middle of the third epoch
        ("epoch", 2, 3),
        ("checkpoint", 2, 3),
        ("write", 6, 2),  # the checkpoint of the second epoch is not renamed yet
    ],
)
def test_killed_and_resumed(
    tmp_path: Path, whole: Path, moment: str, number: int, continues_at: int
) -> None:
    out = tmp_path / "run"
    assert _run_and_die(out, moment, number) == -signal.SIGKILL
    assert not (out / "summary.json").exists()
    observer = Started()
    train(tiny(), config(), out, resume=True, observer=observer)
    assert observer.plans[0].first_epoch == continues_at
    assert_same_run(out, whole)


def test_a_finished_run_can_be_resumed(tmp_path: Path, whole: Path) -> None:
    out = tmp_path / "run"
    train(tiny(), config(), out)
    (out / "summary.json").unlink()
    train(tiny(), config(), out, resume=True)
    assert_same_run(out, whole)


def test_resuming_an_empty_folder_starts_a_run(tmp_path: Path) -> None:
    observer = Started()
    train(tiny(), config(epochs=1), tmp_path / "new", resume=True, observer=observer)
    assert observer.plans[0].first_epoch == 1


class Interrupting(Observer):
    def finished_epoch(self, metrics: EpochMetrics, is_best: bool) -> None:
        if metrics.epoch == 2:
            raise KeyboardInterrupt


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A run interrupted after its second epoch."""
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(tiny(), config(), out, observer=Interrupting())
    return out


def test_random_gates_repeat_when_resumed(tmp_path: Path) -> None:
    net = tiny(tau=0.0, weigh='noise("logistic", temperature = 0.5) |> hard_concrete')
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    train(net, config(), whole)
    with pytest.raises(KeyboardInterrupt):
        train(net, config(), stopped, observer=Interrupting())
    train(net, config(), stopped, resume=True)
    assert_same_run(stopped, whole)


def test_stage_checkpointing_may_change_when_resumed(stopped: Path, whole: Path) -> None:
    """A run that ran out of memory can continue with less."""
    train(tiny(), config(checkpoint_stages="all"), stopped, resume=True)
    assert_same_run(stopped, whole)


def test_an_interrupted_run_can_be_resumed(stopped: Path, whole: Path) -> None:
    train(tiny(), config(), stopped, resume=True)
    assert_same_run(stopped, whole)


def test_full_disk_leaves_the_last_checkpoint(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"

    class Filling(Observer):
        def finished_epoch(self, metrics: EpochMetrics, is_best: bool) -> None:
            monkeypatch.setattr(os, "fsync", self.full)

        def full(self, descriptor: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(UsageError, match=r"cannot write .*last\.safetensors: no space left"):
        train(tiny(), config(), out, observer=Filling())
    monkeypatch.undo()
    observer = Started()
    train(tiny(), config(), out, resume=True, observer=observer)
    assert observer.plans[0].first_epoch == 2
    assert_same_run(out, whole)


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_run_is_not_overwritten(stopped: Path) -> None:
    before = _content(stopped)
    with pytest.raises(UsageError, match="already holds a run: continue it with --resume"):
        train(tiny(), config(), stopped)
    assert _content(stopped) == before


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"epochs": 5}, "epochs 3, not 5"), ({"lr": 1e-4, "seed": 1}, "seed 0, not 1; lr 0.002")],
)
def test_another_config_is_refused(stopped: Path, changed: dict[str, object], message: str) -> None:
    before = _content(stopped)
    with pytest.raises(UsageError, match=message):
        train(tiny(), config(**changed), stopped, resume=True)
    assert _content(stopped) == before


def test_another_net_is_refused(stopped: Path) -> None:
    before = _content(stopped)
    with pytest.raises(UsageError, match="trains another net"):
        train(tiny(tau=0.4), config(), stopped, resume=True)
    (stopped / "ir.json").write_text(tiny(tau=0.4).to_json())
    with pytest.raises(UsageError, match=r"last\.safetensors belongs to another net"):
        train(tiny(tau=0.4), config(), stopped, resume=True)
    assert _content(stopped)["last.safetensors"] == before["last.safetensors"]


def test_workers_may_change(stopped: Path, whole: Path) -> None:
    train(tiny(), config(workers=1), stopped, resume=True)
    assert _metrics(stopped) == _metrics(whole)


@pytest.mark.parametrize("size", [0, 5, 300, 5000])
def test_a_truncated_checkpoint_is_refused(stopped: Path, size: int) -> None:
    last = stopped / "last.safetensors"
    last.write_bytes(last.read_bytes()[:size])
    with pytest.raises(UsageError, match=r"last\.safetensors is damaged or truncated"):
        train(tiny(), config(), stopped, resume=True)


def test_foreign_files_are_refused(stopped: Path) -> None:
    last, best = stopped / "last.safetensors", stopped / "best.safetensors"
    last.write_bytes(best.read_bytes())
    with pytest.raises(UsageError, match=r"last\.safetensors was not written by"):
        train(tiny(), config(), stopped, resume=True)
    (stopped / "config.json").write_text("{")
    with pytest.raises(UsageError, match=r"config\.json is damaged"):
        train(tiny(), config(), stopped, resume=True)
