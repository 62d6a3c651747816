"""A net and a config -> everything a training run works with, loaded and checked."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn, optim

from dagdsl.data import Data, open_data, steps_per_epoch
from dagdsl.ir.nodes import Net
from dagdsl.training.checkpoint import Progress, Weights
from dagdsl.training.classifier import Classifier, as_classifier
from dagdsl.training.config import TrainConfig
from dagdsl.training.device import pick_device
from dagdsl.training.optim import make_optimizer
from dagdsl_compiler.driver import compile as compile_net


@dataclass(frozen=True, slots=True)
class Setup:
    """The parts of a run. Only `model` and `optimizer` change while it trains."""

    net: Net
    config: TrainConfig
    device: torch.device
    classifier: Classifier
    data: Data
    model: nn.Module
    optimizer: optim.Optimizer

    @property
    def parameters(self) -> int:
        """The number of weights of the model."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def steps(self) -> int:
        """The number of steps in an epoch."""
        return steps_per_epoch(len(self.data.train), self.config.batch_size)

    def progress(self) -> Progress:
        """The record of a run that has not begun."""
        return Progress(
            ir_hash=self.net.hash,
            config=self.config,
            classes=self.data.classes,
            train_samples=len(self.data.train),
        )

    def weights(self, epoch: int, val_accuracy: float) -> Weights:
        """The record of the weights after an epoch."""
        return Weights(
            ir_hash=self.net.hash,
            net=self.net.name,
            data=self.data.name,
            classes=self.data.classes,
            mean=self.data.normalisation.mean,
            std=self.data.normalisation.std,
            epoch=epoch,
            val_accuracy=val_accuracy,
        )


def set_up(net: Net, config: TrainConfig) -> Setup:
    """Open the data, build the model. Raises UsageError, before anything is written to disk."""
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
    model = compile_net(
        net,
        backend=config.backend,
        device=str(device),
        seed=config.seed,
        checkpoint=config.checkpoint_stages,
    )
    if config.channels_last:
        # Convolutions follow the layout of their weights, so the images need no copy here.
        model = model.to(memory_format=torch.channels_last)
    return Setup(net, config, device, classifier, data, model, make_optimizer(model, config))
