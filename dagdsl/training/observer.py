"""What a training run tells whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass

from dagdsl.training.metrics import EpochMetrics


@dataclass(frozen=True, slots=True)
class Plan:
    """What lies ahead when training begins; `first_epoch` is above 1 in a resumed run."""

    net: str
    data: str
    device: str
    parameters: int
    first_epoch: int
    epochs: int
    steps_per_epoch: int


class Observer:
    """Is called as training proceeds and does nothing; override what you want to show.

    Epochs count from 1, and steps within their epoch. What a method raises ends the training.
    """

    def started(self, plan: Plan) -> None:
        """Everything is loaded; the first epoch begins."""

    def stepped(self, epoch: int, step: int, loss: float) -> None:
        """`step` steps of the epoch are done; called at most twice a second.

        `loss` is the mean over the steps since the last call.
        """

    def finished_epoch(self, metrics: EpochMetrics, is_best: bool) -> None:
        """The epoch is over and on disk."""

    def warned(self, message: str) -> None:
        """Something is wrong that does not stop the training: one sentence."""
