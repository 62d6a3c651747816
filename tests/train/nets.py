"""The small net and the short run shared by the tests of training."""

from __future__ import annotations

from typing import Any

import dagdsl
from dagdsl.ir.nodes import Net
from dagdsl.training.config import TrainConfig

TINY = """
edition 1

router gate = gap |> fc(init = {init}) |> {weigh} |> threshold({tau}, train = "{train}")
block cell = relu |> conv(kernel = 3) |> bn

net Tiny {{
  input image: f32[1, 8, 8]
  node stem: conv(8, stride = 2) |> bn
  stage s1 {{ node n[2]: cell  connect complete via gate }}
  node logits: relu |> gap |> dropout(0.1) |> fc({classes})
  image -> stem -> s1 -> logits
  output logits
}}
"""


def tiny(
    init: float = 0.5,
    tau: float = 0.5,
    train: str = "hard",
    classes: int = 10,
    weigh: str = "sigmoid",
) -> Net:
    """A net with one stage whose routes differ between images."""
    text = TINY.format(init=init, tau=tau, train=train, classes=classes, weigh=weigh)
    return dagdsl.loads(text)


def config(**values: Any) -> TrainConfig:
    """The config of three epochs of ten steps each."""
    return TrainConfig.of({"epochs": 3, "batch_size": 128, "device": "cpu", **values})
