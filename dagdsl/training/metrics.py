"""The numbers of a run: one record an epoch (`metrics.jsonl`), one at the end (`summary.json`)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

PerStage = dict[str, float]
"""A number for each graph with routers, by the key of its routes."""


class Record(BaseModel):
    """Base: frozen numbers that go to disk as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EpochMetrics(Record):
    """One epoch, counted from 1.

    Loss and accuracy in training are means over the epoch as it ran, on augmented images and
    weights that still changed; those of validation are taken after it. `lr` is that of the last
    step. The rates are explained in `routing.py` and taken on the validation images.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    lr: float
    open_edge_rate: PerStage
    dead_node_rate: PerStage
    seconds: float


class Result(Record):
    """What weights do on the test images.

    `test_accuracy_without_threshold` is that of the same weights with no edge ever closed, None
    for a net without thresholds: if it is much higher, the gates close what training needed.
    """

    test_samples: int
    test_loss: float
    test_accuracy: float
    test_accuracy_without_threshold: float | None
    open_edge_rate: PerStage
    dead_node_rate: PerStage
    unused_node_rate: PerStage
    closed_output_rate: PerStage
    hamming_distance: PerStage


class Summary(Result):
    """A finished run.

    The test images were looked at once, with the weights of `best_epoch`: the epoch of the highest
    validation accuracy, of equals the one of the lowest validation loss. `seconds` is the time of
    all epochs, those before a resumption included.
    """

    net: str
    ir_hash: str
    data: str
    seed: int
    parameters: int
    epochs: int
    best_epoch: int
    val_accuracy: float
    seconds: float
    device: str
    versions: dict[str, str]
