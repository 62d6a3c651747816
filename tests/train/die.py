"""Trains the tiny net and kills itself: `python die.py OUT MOMENT NUMBER`.

MOMENT is `step` (within an epoch), `epoch` (after its checkpoint), `checkpoint` (between the
checkpoint and the files derived from it) or `write` (a file is written but not yet renamed).
The process dies at the NUMBER-th such moment.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from dagdsl.training import loop
from dagdsl.training.metrics import EpochMetrics
from dagdsl.training.observer import Observer
from tests.train.nets import config, tiny


class Killer(Observer):
    def __init__(self, moment: str, number: int) -> None:
        self.moment, self.left = moment, number

    def count(self, moment: str) -> None:
        self.left -= moment == self.moment
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)

    def stepped(self, epoch: int, step: int, loss: float) -> None:
        self.count("step")

    def finished_epoch(self, metrics: EpochMetrics, is_best: bool) -> None:
        self.count("epoch")


def before(moment: str, observer: Killer, function: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*args: Any) -> Any:
        observer.count(moment)
        return function(*args)

    return counted


if __name__ == "__main__":
    torch.set_num_threads(1)
    out, moment, number = sys.argv[1:]
    observer = Killer(moment, int(number))
    loop.REPORT_INTERVAL = 0.0
    loop._publish = before("checkpoint", observer, loop._publish)
    os.fsync = before("write", observer, os.fsync)
    loop.train(tiny(), config(), Path(out), observer=observer)
