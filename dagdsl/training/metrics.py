"""The metrics of a run: records per epoch (`metrics.jsonl`) and of the end (`summary.json`)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

PerStage = dict[str, float]
"""A number for each graph with routers, by the key of its routes."""


class JsonRecord(BaseModel):
    """The base class of frozen records that are stored as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EpochMetrics(JsonRecord):
    """The metrics of one epoch, counted from 1.

    Training loss and accuracy are means over the epoch while the weights changed, on augmented
    images. Validation loss and accuracy are measured after the epoch. `lr` is the learning rate of
    the last step. The rates are those of `StageRates`, on the validation images. Losses are
    cross-entropies in nats, accuracies and rates are shares from 0 to 1.

    >>> import dagdsl
    >>> lines = open("runs/quickstart/metrics.jsonl").read().splitlines()
    >>> dagdsl.EpochMetrics.model_validate_json(lines[0]).epoch
    1
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


class Evaluation(JsonRecord):
    """How weights perform on the test images.

    `test_accuracy_without_threshold` is the accuracy of the same weights with all edges open, None
    for a network without thresholds. If it is much higher than `test_accuracy`, the gates close
    edges that training relied on. The rates are those of `StageRates`.

    >>> import dagdsl
    >>> result = dagdsl.evaluate("runs/quickstart")
    >>> sorted(result.open_edge_rate)
    ['s1', 's2', 's3']
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


class TrainSummary(Evaluation):
    """The result of a finished run.

    The test images are used once, with the weights of `best_epoch`: the epoch with the highest
    validation accuracy, and of those with the lowest validation loss. `seconds` is the time of all
    epochs, including those before a resumption.

    >>> import dagdsl
    >>> text = open("runs/quickstart/summary.json").read()
    >>> dagdsl.TrainSummary.model_validate_json(text).best_epoch
    1
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
