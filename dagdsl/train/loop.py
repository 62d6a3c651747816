"""A net and a config -> a trained run folder. Read `train` from top to bottom.

Whatever is random in an epoch is seeded by `(seed, epoch)`, and a checkpoint is written after
every epoch: a run that is killed at any moment and resumed ends in the very bits of one that was
not (on one CPU; GPU kernels do not promise it).
"""

from __future__ import annotations

import math
import platform
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
import torch.nn.functional as F
from dagdsl_compiler.driver import compile as compile_net
from torch import nn, optim

from dagdsl.data import Data, open_data, steps_an_epoch, to_device
from dagdsl.data.splits import derive_seed
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net
from dagdsl.train.checkpoint import (
    Progress,
    Weights,
    load_progress,
    load_weights,
    save_progress,
    save_weights,
)
from dagdsl.train.classifier import Classifier, as_classifier
from dagdsl.train.config import TrainConfig, pick_device
from dagdsl.train.evaluate import evaluation_batch, result_of
from dagdsl.train.measure import Measurement, measure
from dagdsl.train.metrics import EpochMetrics, Summary
from dagdsl.train.observer import Observer, Plan
from dagdsl.train.optim import lr_at, make_optimizer, set_lr
from dagdsl.train.routing import routed_graphs
from dagdsl.train.run import RunFolder

LOOK_EVERY = 0.5
"""Seconds between two looks at the loss; each makes the device finish what it has queued."""
_OF_THE_NET = 1
"""Sets the seed of what is random in the net (dropout) apart from that of the data."""


def train(
    net: Net,
    config: TrainConfig,
    out: Path,
    *,
    resume: bool = False,
    observer: Observer | None = None,
) -> Summary:
    """Train `net` and leave weights, metrics and summary in the folder `out`.

    With `resume` the run in `out` goes on after its last finished epoch, or begins if there is
    none; without it `out` must not hold a run. Raises UsageError: a net that is no classifier of
    this data, a folder, data or checkpoint that cannot be used, a loss that is no number, a stage
    that has closed for good.
    """
    observer = observer or Observer()
    run = RunFolder(out)
    if resume:
        run.check_same(net, config)
    else:
        run.check_free()

    classifier = as_classifier(net)
    device = pick_device(config.device)
    data = open_data(
        config.data,
        shape=classifier.input,
        validation=config.validation,
        device=device,
        workers=config.workers,
    )
    classifier.check_classes(data.classes, data.name)

    model = compile_net(net, backend=config.backend, device=str(device), seed=config.seed)
    optimizer = make_optimizer(model, config)
    progress = Progress(
        ir_hash=net.hash, config=config, classes=data.classes, train_samples=len(data.train)
    )

    run.open(net, config)
    if run.last.exists():
        progress = _resumed(run, net, model, optimizer, progress)
        _publish(run, net, model, data, progress)
    observer.started(
        Plan(
            net=net.name,
            data=data.name,
            device=str(device),
            parameters=_count_parameters(model),
            first_epoch=progress.epoch + 1,
            epochs=config.epochs,
            steps_an_epoch=steps_an_epoch(len(data.train), config.batch_size),
        )
    )

    for epoch in range(progress.epoch + 1, config.epochs + 1):
        start = time.perf_counter()
        torch.manual_seed(derive_seed(config.seed, epoch, _OF_THE_NET))
        trained = _train_epoch(epoch, model, optimizer, classifier, data, config, device, observer)
        measured = measure(model, net, data.validation, evaluation_batch(config), device)
        _check_routes(net, measured, epoch, observer)
        metrics = EpochMetrics(
            epoch=epoch,
            train_loss=trained.loss,
            train_accuracy=trained.accuracy,
            val_loss=measured.loss,
            val_accuracy=measured.accuracy,
            lr=optimizer.param_groups[0]["lr"],
            open_edge_rate=measured.per_stage("open_edges"),
            dead_node_rate=measured.per_stage("dead_nodes"),
            seconds=time.perf_counter() - start,
        )
        progress = progress.after(metrics)
        save_progress(run.last, model, optimizer, progress)
        _publish(run, net, model, data, progress)
        observer.finished_epoch(metrics, progress.best == metrics)

    best = load_weights(run.best, net, model)
    result = result_of(model, net, data.test, evaluation_batch(config), device)
    summary = Summary(
        **result.model_dump(),
        net=net.name,
        ir_hash=net.hash,
        data=data.name,
        seed=config.seed,
        parameters=_count_parameters(model),
        epochs=config.epochs,
        best_epoch=best.epoch,
        val_accuracy=best.val_accuracy,
        seconds=sum(metrics.seconds for metrics in progress.history),
        device=_device_name(device),
        versions=_versions(),
    )
    run.write_summary(summary)
    return summary


@dataclass(frozen=True, slots=True)
class _Trained:
    loss: float
    accuracy: float


def _train_epoch(
    epoch: int,
    model: nn.Module,
    optimizer: optim.Optimizer,
    classifier: Classifier,
    data: Data,
    config: TrainConfig,
    device: torch.device,
    observer: Observer,
) -> _Trained:
    """One pass over the training images; `epoch` counts from 1."""
    steps = steps_an_epoch(len(data.train), config.batch_size)
    losses = torch.zeros(steps, device=device)
    correct = torch.zeros((), dtype=torch.long, device=device)
    batches = data.train.shuffled(
        config.batch_size, seed=config.seed, epoch=epoch, augment=config.augment
    )
    seen, looked, looked_at = 0, 0, time.perf_counter()
    model.train()
    for step, batch in enumerate(batches):
        images, labels = to_device(batch, device)
        set_lr(optimizer, lr_at((epoch - 1) * steps + step, config.epochs * steps, config))
        with torch.autocast(device.type, torch.bfloat16, enabled=config.amp):
            logits = classifier.logits(model(images))
        loss = F.cross_entropy(logits.float(), labels, label_smoothing=config.label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        losses[step] = loss.detach()
        correct += (logits.argmax(1) == labels).sum()
        seen += len(labels)
        now = time.perf_counter()
        if now - looked_at > LOOK_EVERY or step + 1 == steps:
            recent = losses[looked : step + 1].tolist()
            _check_finite(recent, epoch, looked)
            observer.stepped(epoch, step + 1, sum(recent) / len(recent))
            looked, looked_at = step + 1, now
    return _Trained(losses.mean().item(), correct.item() / seen)


def _resumed(
    run: RunFolder,
    net: Net,
    model: nn.Module,
    optimizer: optim.Optimizer,
    fresh: Progress,
) -> Progress:
    """Load the checkpoint of `run` into model and optimizer. Raises UsageError."""
    progress = load_progress(run.last, net, model, optimizer)
    for what in ("classes", "train_samples"):
        if getattr(progress, what) != getattr(fresh, what):
            raise UsageError(
                f"the data changed since {run.last} was written: "
                f"{what.replace('_', ' ')} {getattr(progress, what)}, now {getattr(fresh, what)}"
            )
    return progress


def _publish(run: RunFolder, net: Net, model: nn.Module, data: Data, progress: Progress) -> None:
    """Bring the files that follow from the checkpoint up to date with it."""
    run.write_metrics(progress)
    best = progress.best
    if best.epoch == progress.epoch:
        about = Weights(
            ir_hash=net.hash,
            net=net.name,
            data=data.name,
            classes=data.classes,
            mean=data.normalisation.mean,
            std=data.normalisation.std,
            epoch=best.epoch,
            val_accuracy=best.val_accuracy,
        )
        save_weights(run.best, model, about)


def _check_finite(losses: list[float], epoch: int, first_step: int) -> None:
    for step, loss in enumerate(losses, first_step + 1):
        if not math.isfinite(loss):
            raise UsageError(
                f"the loss became {loss} in epoch {epoch}, step {step}: "
                "try a lower --lr or a longer --warmup"
            )


def _check_routes(net: Net, measured: Measurement, epoch: int, observer: Observer) -> None:
    """Warn of stages that pass nothing on for most images; stop when one never will again."""
    graphs = routed_graphs(net)
    for key, rates in measured.stages.items():
        if rates.closed_output <= 0.5:
            continue
        found = (
            f"after epoch {epoch} `{key}` is closed from end to end for "
            f"{rates.closed_output:.0%} of the validation images"
        )
        way_out = (
            "start its routers more open (a larger `init`), lower `threshold`, "
            'or take `dead = "keep_strongest"`'
        )
        # The gradient of a hard gate passes through open edges only: these stay closed for ever.
        if rates.closed_output == 1 and all(r.train == "hard" for r in graphs[key].routers):
            raise UsageError(f"{found} and cannot open again: {way_out}")
        observer.warned(f"{found}: {way_out}")


def _count_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {
        package: version(package) for package in ("dagdsl", "torch")
    }
