"""A network and a config -> the data, the model and the optimizer of a run."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn, optim

from dagdsl.data import Data, open_data, steps_per_epoch
from dagdsl.ir.nodes import Net
from dagdsl.training.checkpoint import RunProgress, WeightsInfo
from dagdsl.training.classifier import Classifier, as_classifier
from dagdsl.training.config import TrainConfig
from dagdsl.training.device import pick_device
from dagdsl.training.optim import make_optimizer
from dagdsl_compiler.driver import compile as compile_net


@dataclass(frozen=True, slots=True)
class Setup:
    """The parts of a run. Only `model` and `optimizer` change during training."""

    net: Net
    config: TrainConfig
    device: torch.device
    classifier: Classifier
    data: Data
    model: nn.Module
    optimizer: optim.Optimizer

    @property
    def parameters(self) -> int:
        """The number of parameters of the model."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def steps(self) -> int:
        """The number of steps per epoch."""
        return steps_per_epoch(len(self.data.train), self.config.batch_size)

    def progress(self) -> RunProgress:
        """The state of the run before the first epoch."""
        return RunProgress(
            ir_hash=self.net.hash,
            config=self.config,
            classes=self.data.classes,
            train_samples=len(self.data.train),
        )

    def weights(self, epoch: int, val_accuracy: float) -> WeightsInfo:
        """The metadata of the weights after an epoch."""
        return WeightsInfo(
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
    """Open the data and build the model. Raises UsageError; nothing is written to disk."""
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
        # Convolutions follow the memory format of their weights: no need to convert the images.
        model = model.to(memory_format=torch.channels_last)
    return Setup(net, config, device, classifier, data, model, make_optimizer(model, config))
