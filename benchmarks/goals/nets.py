"""The networks of the goals: ours from their files, and the same ones written by hand."""

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
    """A DG-Net: its file and its name there, and what builds it by hand."""

    file: str
    net: str
    by_hand: Callable[..., dg.DGNet]

    def load(self, **params: int | str) -> Net:
        """Ours."""
        return dagdsl.load(self.file, net=self.net, **params)

    def and_chain(self, size: int) -> dict[str, Net]:
        """Ours and its static chain, by what tables call them."""
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
"""File and name, which is torchvision's as well."""
