"""`output features` of the nets of `std/models`: its contract, and its use in detectors."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.detection import FCOS, FasterRCNN
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

import dagdsl
from dagdsl.frontend import analyse_file
from dagdsl.ir.nodes import Net, Shape
from dagdsl.syntax.reader import STD

NETS = {
    name: net
    for path in sorted((STD / "models").glob("*.dg"))
    for name, net in analyse_file(path).nets.items()
}


def taps(net: Net) -> dict[str, Shape]:
    """The shape of each tap of `features`."""
    (value,) = (output.value for output in net.outputs if output.name == "features")
    assert isinstance(value, dict)
    return {tap: net.graph.node(node).shape for tap, node in value.items()}


@pytest.mark.parametrize("name", NETS)
def test_contract(name: str) -> None:
    """Taps `c2` to `c5` have the strides 4, 8, 16 and 32; channels never decrease."""
    (_, size, _), found = NETS[name].inputs[0].shape, taps(NETS[name])
    assert list(found) == ["c2", "c3", "c4", "c5"]
    assert [size // shape[1] for shape in found.values()] == [4, 8, 16, 32]
    assert all(shape[1] == shape[2] for shape in found.values())
    channels = [shape[0] for shape in found.values()]
    assert channels == sorted(channels)


class Backbone(nn.Module):
    """A net's taps and a feature pyramid, the interface of torchvision's detectors."""

    def __init__(self, net: Net, out_channels: int) -> None:
        super().__init__()
        self.body = dagdsl.compile(net.only("features"), backend="eager", seed=0)
        channels = [shape[0] for shape in taps(net).values()]
        self.fpn = FeaturePyramidNetwork(channels, out_channels, extra_blocks=LastLevelMaxPool())
        self.out_channels = out_channels

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        features: dict[str, Tensor] = self.fpn(OrderedDict(self.body(images)["features"]))
        return features


SIZE = 64


@pytest.mark.parametrize("detector", [FCOS, FasterRCNN], ids=lambda cls: cls.__name__)
@pytest.mark.parametrize(
    ("family", "name"),
    [("dg_resnet", "dg_resnet18"), ("dg_mobilenet_v2", "dg_mobilenet_v2"), ("resnet", "resnet18")],
)
def test_detectors_take_a_training_step(detector: Any, family: str, name: str) -> None:
    torch.manual_seed(0)
    width: dict[str, Any] = {"width": 8 if family == "resnet" else 0.25}
    net = dagdsl.load(f"std/models/{family}.dg", net=name, size=SIZE, **width)
    pool = {"box_roi_pool": MultiScaleRoIAlign(["c2", "c3", "c4", "c5"], 7, 2)}
    model = detector(
        Backbone(net, 64),
        num_classes=3,
        min_size=SIZE,
        max_size=SIZE,
        **(pool if detector is FasterRCNN else {}),
    )
    boxes = torch.tensor([[4.0, 4.0, 40.0, 30.0], [20.0, 25.0, 60.0, 60.0]])
    targets = [{"boxes": boxes, "labels": torch.tensor([1, 2])} for _ in range(2)]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    before = [parameter.detach().clone() for parameter in model.backbone.body.parameters()]
    losses = model([torch.rand(3, SIZE, SIZE) for _ in range(2)], targets)
    sum(losses.values()).backward()
    optimizer.step()
    after = list(model.backbone.body.parameters())
    assert all(parameter.grad is not None for parameter in after)
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(loss.isfinite() for loss in losses.values())
    detections = model.eval()([torch.rand(3, SIZE, SIZE)])
    assert set(detections[0]) == {"boxes", "labels", "scores"}
