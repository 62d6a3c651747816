"""The networks of the goals: from their `.dg` files, and written by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import dagdsl
from benchmarks.peers import dg
from dagdsl.ir.nodes import Net

STAGE = Path(__file__).parents[1] / "nets" / "stage.dg"


@dataclass(frozen=True, slots=True)
class DynamicNet:
    """A DG-Net: its file, its name in the file, and the builder of the hand-written network."""

    file: str
    net: str
    by_hand: Callable[..., dg.DGNet]

    def load(self, **params: int | str) -> Net:
        """Load the net from its file."""
        return dagdsl.load(self.file, net=self.net, **params)

    def and_chain(self, size: int) -> dict[str, Net]:
        """Load the net and its static chain; the keys are their names in tables."""
        return {
            "dagdsl": self.load(size=size),
            "static chain": self.load(size=size, control="chain"),
        }


DYNAMIC: Mapping[str, DynamicNet] = {
    "DG-ResNet-50": DynamicNet("std/models/dg_resnet.dg", "dg_resnet50", dg.dg_resnet50),
    "DG-MobileNetV2": DynamicNet(
        "std/models/dg_mobilenet_v2.dg", "dg_mobilenet_v2", dg.dg_mobilenet_v2
    ),
}
STATIC: Mapping[str, tuple[str, str]] = {
    "ResNet-50": ("std/models/resnet.dg", "resnet50"),
    "MobileNetV2": ("std/models/mobilenet_v2.dg", "mobilenet_v2"),
    "RegNetX-400MF": ("std/models/regnet.dg", "regnet_x_400mf"),
}
"""File and name of the net; torchvision uses the same name."""
