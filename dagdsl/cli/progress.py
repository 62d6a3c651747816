"""Progress of training: a bar on a terminal, one line per epoch in a pipe, or JSON lines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from dagdsl.cli.console import Format, console
from dagdsl.training.metrics import EpochMetrics
from dagdsl.training.observer import Observer, RunPlan


@contextmanager
def make_observer(format: Format) -> Iterator[Observer]:
    """Choose the observer for the output format and for where stderr goes."""
    err = console(stderr=True)
    if format is Format.json:
        yield Lines(err, as_json=True)
    elif not err.is_terminal:
        yield Lines(err)
    else:
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=err,
        ) as progress:
            yield Bar(progress)


def describe(metrics: EpochMetrics, epochs: int, is_best: bool) -> str:
    """Return one line about an epoch."""
    rates = "  ".join(f"{stage} {rate:.0%}" for stage, rate in metrics.open_edge_rate.items())
    return (
        f"epoch {metrics.epoch:>{len(str(epochs))}}/{epochs}  loss {metrics.train_loss:.3f}  "
        f"val {metrics.val_accuracy:.2%}{' *' if is_best else '  '}"
        + (f"  open {rates}" if rates else "")
    )


class Lines(Observer):
    """One line per epoch on stderr: text with the time left, or JSON."""

    def __init__(self, out: Console, as_json: bool = False) -> None:
        self.out = out
        self.as_json = as_json
        self.plan: RunPlan | None = None
        self.start = time.monotonic()

    def started(self, plan: RunPlan) -> None:
        """Print what is about to be trained."""
        self.plan, self.start = plan, time.monotonic()
        if not self.as_json:
            self._print(_headline(plan))

    def finished_epoch(self, metrics: EpochMetrics, is_best: bool) -> None:
        """Print the metrics of the epoch."""
        assert self.plan is not None
        if self.as_json:
            print(json.dumps(metrics.model_dump()), file=sys.stderr, flush=True)
            return
        done = metrics.epoch - self.plan.first_epoch + 1
        left = (time.monotonic() - self.start) / done * (self.plan.epochs - metrics.epoch)
        self._print(f"{describe(metrics, self.plan.epochs, is_best)}  {left:.0f} s left")

    def warned(self, message: str) -> None:
        """Print a warning."""
        self._print(f"warning: {message}")

    def _print(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


class Bar(Observer):
    """A bar over all steps, with a line above it for each epoch."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.plan: RunPlan | None = None

    def started(self, plan: RunPlan) -> None:
        """Show the bar."""
        self.plan = plan
        self.progress.console.print(_headline(plan), highlight=False, markup=False)
        self.task = self.progress.add_task(
            "training", total=(plan.epochs - plan.first_epoch + 1) * plan.steps_per_epoch, note=""
        )

    def stepped(self, epoch: int, step: int, loss: float) -> None:
        """Advance the bar."""
        assert self.plan is not None
        done = (epoch - self.plan.first_epoch) * self.plan.steps_per_epoch + step
        self.progress.update(self.task, completed=done, note=f"loss {loss:.3f}")

    def finished_epoch(self, metrics: EpochMetrics, is_best: bool) -> None:
        """Print the epoch above the bar."""
        assert self.plan is not None
        line = describe(metrics, self.plan.epochs, is_best)
        self.progress.console.print(line, highlight=False, markup=False)

    def warned(self, message: str) -> None:
        """Print a warning above the bar."""
        self.progress.console.print(f"warning: {message}", highlight=False, markup=False)


def _headline(plan: RunPlan) -> str:
    resumed = f", resumed at epoch {plan.first_epoch}" if plan.first_epoch > 1 else ""
    return (
        f"{plan.net}: {plan.parameters:,} parameters, {plan.data}, {plan.epochs} epochs of "
        f"{plan.steps_per_epoch} steps on {plan.device}{resumed}"
    )
