"""The training loop: a network and a configuration -> a run folder.

All randomness in an epoch is seeded by `(seed, epoch)`, and a checkpoint is written after every
epoch. A run that is killed at any moment and then resumed therefore ends with bit-identical weights
(on one CPU; GPU kernels are not deterministic).
"""

from __future__ import annotations

import math
import platform
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from dagdsl import __version__
from dagdsl.data import to_device
from dagdsl.data.splits import derive_seed
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net
from dagdsl.training.checkpoint import (
    RunProgress,
    load_progress,
    load_weights,
    save_progress,
    save_weights,
)
from dagdsl.training.config import TrainConfig
from dagdsl.training.evaluate import evaluation_batch, result_of
from dagdsl.training.measure import Measurement, measure
from dagdsl.training.metrics import EpochMetrics, TrainSummary
from dagdsl.training.observer import Observer, RunPlan
from dagdsl.training.optim import lr_at, set_lr
from dagdsl.training.routing import routed_graphs
from dagdsl.training.run import RunFolder
from dagdsl.training.setup import Setup, set_up

REPORT_INTERVAL = 0.5
"""Seconds between two reads of the loss; each one waits for the device."""
_MODEL_STREAM = 1
"""The random stream of the model, such as dropout, separate from that of the data."""


def train(
    net: Net,
    config: TrainConfig,
    out: Path,
    *,
    resume: bool = False,
    observer: Observer | None = None,
) -> TrainSummary:
    """Train `net` and write weights, metrics and summary to the folder `out`.

    With `resume` the run in `out` continues after its last finished epoch, or starts if there is
    none. Without `resume`, `out` must not hold a run. Raises UsageError if the network is not a
    classifier for this data, if the folder, the data or the checkpoint cannot be used, if the loss
    is not finite, and if a stage has closed for good.
    """
    observer = observer or Observer()
    run = RunFolder(out)
    if resume:
        run.check_same(net, config)
    else:
        run.check_free()
    setup = set_up(net, config)
    model, device, batch = setup.model, setup.device, evaluation_batch(config)

    run.open(net, config)
    progress = setup.progress()
    if run.last.exists():
        progress = _resume(run, setup, progress)
        _publish(run, setup, progress)
    observer.started(
        RunPlan(
            net=net.name,
            data=setup.data.name,
            device=str(device),
            parameters=setup.parameters,
            first_epoch=progress.epoch + 1,
            epochs=config.epochs,
            steps_per_epoch=setup.steps,
        )
    )

    for epoch in range(progress.epoch + 1, config.epochs + 1):
        start = time.perf_counter()
        torch.manual_seed(derive_seed(config.seed, epoch, _MODEL_STREAM))
        train_loss, train_accuracy = _train_epoch(epoch, setup, observer)
        validation = measure(model, net, setup.data.validation, batch, device)
        _check_routes(net, validation, epoch, observer)
        metrics = EpochMetrics(
            epoch=epoch,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            val_loss=validation.loss,
            val_accuracy=validation.accuracy,
            lr=setup.optimizer.param_groups[0]["lr"],
            open_edge_rate=validation.per_stage("open_edges"),
            dead_node_rate=validation.per_stage("dead_nodes"),
            seconds=time.perf_counter() - start,
        )
        progress = progress.after(metrics)
        save_progress(run.last, model, setup.optimizer, progress)
        _publish(run, setup, progress)
        observer.finished_epoch(metrics, progress.best == metrics)

    best = load_weights(run.best, net, model)
    result = result_of(model, net, setup.data.test, batch, device)
    summary = TrainSummary(
        **result.model_dump(),
        net=net.name,
        ir_hash=net.hash,
        data=setup.data.name,
        seed=config.seed,
        parameters=setup.parameters,
        epochs=config.epochs,
        best_epoch=best.epoch,
        val_accuracy=best.val_accuracy,
        seconds=sum(metrics.seconds for metrics in progress.history),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
        versions={
            "dagdsl": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
    )
    run.write_summary(summary)
    return summary


def _train_epoch(epoch: int, setup: Setup, observer: Observer) -> tuple[float, float]:
    """Train for one epoch and return the mean loss and accuracy during it."""
    config, device, model, optimizer = setup.config, setup.device, setup.model, setup.optimizer
    steps = setup.steps
    losses = torch.zeros(steps, device=device)
    correct = torch.zeros((), dtype=torch.long, device=device)
    batches = setup.data.train.shuffled(
        config.batch_size, seed=config.seed, epoch=epoch, augment=config.augment
    )
    seen, looked, looked_at = 0, 0, time.perf_counter()
    model.train()
    for step, batch in enumerate(batches):
        images, labels = to_device(batch, device)
        set_lr(optimizer, lr_at((epoch - 1) * steps + step, config.epochs * steps, config))
        with torch.autocast(device.type, torch.bfloat16, enabled=config.amp):
            logits = setup.classifier.logits(model(images))
        loss = F.cross_entropy(logits.float(), labels, label_smoothing=config.label_smoothing)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

        losses[step] = loss.detach()
        correct += (logits.argmax(1) == labels).sum()
        seen += len(labels)
        now = time.perf_counter()
        if now - looked_at > REPORT_INTERVAL or step + 1 == steps:
            recent = losses[looked : step + 1].tolist()
            _check_finite(recent, epoch, looked)
            observer.stepped(epoch, step + 1, sum(recent) / len(recent))
            looked, looked_at = step + 1, now
    return losses.mean().item(), correct.item() / seen


def _resume(run: RunFolder, setup: Setup, fresh: RunProgress) -> RunProgress:
    """Load the checkpoint of `run`. Raises UsageError if it does not fit the data."""
    progress = load_progress(run.last, setup.net, setup.model, setup.optimizer)
    if progress.classes != fresh.classes or progress.train_samples != fresh.train_samples:
        raise UsageError(
            f"{setup.data.name} has changed since {run.last} was written: it had "
            f"{progress.train_samples} training images in {len(progress.classes)} classes, and now "
            f"has {fresh.train_samples} in {len(fresh.classes)}"
        )
    return progress


def _publish(run: RunFolder, setup: Setup, progress: RunProgress) -> None:
    """Update the files that are derived from the checkpoint."""
    run.write_metrics(progress)
    best = progress.best
    if best.epoch == progress.epoch:
        save_weights(run.best, setup.model, setup.weights(best.epoch, best.val_accuracy))


def _check_finite(losses: list[float], epoch: int, first_step: int) -> None:
    for step, loss in enumerate(losses, first_step + 1):
        if not math.isfinite(loss):
            raise UsageError(
                f"the loss became {loss} in epoch {epoch}, step {step}: "
                "try a lower --lr or a longer --warmup"
            )


def _check_routes(net: Net, measured: Measurement, epoch: int, observer: Observer) -> None:
    """Warn if no open edge reaches the end of a graph for most images.

    Raises UsageError if its gates cannot open again.
    """
    graphs = routed_graphs(net)
    for key, rates in measured.stages.items():
        if rates.closed_output <= 0.5:
            continue
        found = (
            f"after epoch {epoch} no open edge reaches the output of `{key}` for "
            f"{rates.closed_output:.0%} of the validation images"
        )
        advice = (
            "start its routers more open (a larger `init`), lower `threshold`, "
            'or set `dead = "keep_strongest"`'
        )
        # A hard gate has a gradient only while it is open, so these edges stay closed.
        if rates.closed_output == 1 and all(r.train == "hard" for r in graphs[key].routers):
            raise UsageError(f"{found}, and its gates cannot open again: {advice}")
        observer.warned(f"{found}: {advice}")
