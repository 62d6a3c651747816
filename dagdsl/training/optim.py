"""The optimizer of a run and its learning-rate schedule."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn, optim

from dagdsl.training.config import TrainConfig


def make_optimizer(model: nn.Module, config: TrainConfig) -> optim.Optimizer:
    """Make the optimizer: AdamW (Loshchilov & Hutter, 2019) or SGD with Nesterov momentum.

    Only parameters with more than one dimension, matrices and kernels, have weight decay. Norms,
    biases and learned edge weights are exempt.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
    # Fused: one kernel for all parameters instead of several per parameter.
    if config.optimizer == "adamw":
        return optim.AdamW(groups, lr=config.lr, fused=True)
    return optim.SGD(groups, lr=config.lr, momentum=config.momentum, nesterov=True, fused=True)


def lr_at(step: int, steps: int, config: TrainConfig) -> float:
    """The learning rate of step `step` of `steps`: linear warm-up, then cosine decay to zero.

    The cosine schedule is that of Loshchilov & Hutter, 2017, without restarts.
    """
    warmup = round(config.warmup * steps)
    if step < warmup:
        return config.lr * (step + 1) / warmup
    return config.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


def set_lr(optimizer: optim.Optimizer, lr: float) -> None:
    """Set the learning rate of all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def state_tensors(optimizer: optim.Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """Return the state of the optimizer: `<slot>.<name of the parameter>` -> tensor."""
    return {
        f"{slot}.{name}": value
        for name, parameter in model.named_parameters()
        for slot, value in optimizer.state[parameter].items()
        if value is not None
    }


def load_state_tensors(
    optimizer: optim.Optimizer, model: nn.Module, tensors: Mapping[str, Tensor]
) -> None:
    """Load the result of `state_tensors`. Raises KeyError for names unknown to the model."""
    parameters = dict(model.named_parameters())
    for key, value in tensors.items():
        slot, _, name = key.partition(".")
        parameter = parameters[name]
        # A fused step needs the state in the memory layout of the parameter.
        is_like = value.shape == parameter.shape
        mine = torch.empty_like(parameter if is_like else value, device=parameter.device)
        optimizer.state[parameter][slot] = mine.detach().copy_(value)
