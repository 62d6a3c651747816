"""The events of a training run."""

from __future__ import annotations

from dataclasses import dataclass

from dagdsl.training.metrics import EpochMetrics


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The run that is about to start; `first_epoch` is above 1 if it is resumed."""

    net: str
    data: str
    device: str
    parameters: int
    first_epoch: int
    epochs: int
    steps_per_epoch: int


class Observer:
    """The base class of observers: its methods are called during training and do nothing.

    Override those of interest. Epochs count from 1, and steps from 1 within their epoch. An
    exception raised by a method ends the training.

    >>> import dagdsl
    >>> class Printer(dagdsl.Observer):
    ...     def finished_epoch(self, metrics, is_best):
    ...         print(f"epoch {metrics.epoch}, best so far: {is_best}")
    >>> net = dagdsl.load("examples/quickstart.dg", width=8, depth=2)
    >>> _ = dagdsl.train(net, epochs=1, batch_size=256, out="runs/watched", observer=Printer())
    epoch 1, best so far: True
    """

    def started(self, plan: RunPlan) -> None:
        """Called when everything is loaded, before the first epoch."""

    def stepped(self, epoch: int, step: int, loss: float) -> None:
        """Called at most twice a second, when `step` steps of the epoch are done.

        `loss` is the mean over the steps since the last call.
        """

    def finished_epoch(self, metrics: EpochMetrics, is_best: bool) -> None:
        """Called when the epoch is over and its checkpoint written."""

    def warned(self, message: str) -> None:
        """Called with one sentence about a problem that does not stop the training."""
