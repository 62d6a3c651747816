"""torchvision's builders of the families in `std/models`, and their parameters and MACs."""

from __future__ import annotations

from unittest import mock

import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.regnet import BlockParams

PREFIXES = {
    "resnet": ("resnet", "wide_resnet"),
    "resnext": ("resnext",),
    "mobilenet_v2": ("mobilenet_v2",),
    "regnet": ("regnet",),
}
BUILDERS = [
    (family, name)
    for family, prefixes in PREFIXES.items()
    for name in torchvision.models.list_models(module=torchvision.models)
    if name.startswith(prefixes)
]
"""Every builder of torchvision for these families: the file with the same net, and its name."""


def build(name: str, device: str = "cpu", **params: float) -> nn.Module:
    """Build a model with fresh weights; on the meta device without weights, which takes no time."""
    width_rule = BlockParams.from_init_params

    def on_cpu(*args: object, **kwargs: object) -> BlockParams:
        with torch.device("cpu"):  # it computes the widths of RegNet with tensors
            return width_rule(*args, **kwargs)

    with torch.device(device), mock.patch.object(BlockParams, "from_init_params", on_cpu):
        model: nn.Module = torchvision.models.get_model(name, **params)
    return model


def parameters(model: nn.Module) -> int:
    """The number of parameters."""
    return sum(parameter.numel() for parameter in model.parameters())


def macs(model: nn.Module, size: int) -> int:
    """Multiply-adds of convolutions and matrix products per image of a model on the meta device."""
    counter = FlopCounterMode(display=False)
    with counter:
        model.eval()(torch.empty(1, 3, size, size, device="meta"))
    return int(counter.get_total_flops()) // 2
