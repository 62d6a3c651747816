"""DG-Net by hand: DG-ResNet-50, DG-MobileNetV2 and a single stage, in plain PyTorch.

They equal `std/models/dg_resnet.dg`, `std/models/dg_mobilenet_v2.dg` and `benchmarks/nets/stage.dg`
and declare their layers in the same order, so weights can be copied one by one. A gated sum uses
one `addcmul` per edge, the minimum in eager mode. The rest is idiomatic PyTorch.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

TAU = 0.1


def conv_bn(
    inputs: int,
    outputs: int,
    kernel: int = 1,
    stride: int = 1,
    groups: int = 1,
    act: type[nn.Module] | None = None,
) -> nn.Sequential:
    """Convolution, batch normalisation and an optional activation."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    layers = [conv, nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([act(inplace=True)] if act else []))


def bottleneck(channels: int) -> nn.Sequential:
    """The block of ResNet-50 without its shortcut, preceded by the ReLU that follows a sum."""
    narrow = channels // 4
    return nn.Sequential(
        nn.ReLU(),
        conv_bn(channels, narrow, act=nn.ReLU),
        conv_bn(narrow, narrow, 3, act=nn.ReLU),
        conv_bn(narrow, channels),
    )


def inverted_residual(channels: int, expand: int) -> nn.Sequential:
    """The block of MobileNetV2 without its shortcut."""
    wide = channels * expand
    layers = [conv_bn(channels, wide, act=nn.ReLU6)] if expand > 1 else []
    return nn.Sequential(
        *layers,
        conv_bn(wide, wide, 3, groups=wide, act=nn.ReLU6),
        conv_bn(wide, channels),
    )


def shrink(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """The entry of a stage: average pooling by `stride`, then a pointwise convolution."""
    pool = [nn.AvgPool2d(stride)] if stride > 1 else []
    return nn.Sequential(*pool, conv_bn(inputs, outputs))


def router(channels: int, edges: int, init: float) -> nn.Linear:
    """The router of a vertex: one logit per outgoing edge, all close to `init` at first."""
    fc = nn.Linear(channels, edges)
    nn.init.normal_(fc.weight, std=0.01)
    nn.init.constant_(fc.bias, init)
    return fc


class Stage(nn.Module):
    """A complete DAG: vertex 0 is the input, followed by the nodes and the output.

    Every vertex but the last has a router that weighs the edges to all later vertices. An edge is
    closed if its weight is not above `tau`, or if its source is dead because all incoming edges of
    the source are closed.
    """

    def __init__(
        self, channels: int, nodes: Sequence[nn.Module], tau: float = TAU, init: float = 1.0
    ) -> None:
        super().__init__()
        self.nodes = nn.ModuleList(nodes)
        self.routers = nn.ModuleList(
            router(channels, edges, init) for edges in range(len(nodes) + 1, 0, -1)
        )
        self.tau = tau

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C, H, W]."""
        outputs, gates = [x], [self.gates(0, x)]
        for j, node in enumerate(self.nodes, 1):
            merged, alive = self.merge(j, outputs, gates)
            y = node(merged) * alive.view(-1, 1, 1, 1)
            outputs.append(y)
            gates.append(self.gates(j, y) * alive[:, None])
        merged, _ = self.merge(len(self.nodes) + 1, outputs, gates)
        return merged

    def gates(self, i: int, x: Tensor) -> Tensor:
        """The weights of the edges from vertex `i` to all later ones: [B, edges]."""
        weights = torch.sigmoid(self.routers[i](x.mean((2, 3))))
        return torch.where(weights > self.tau, weights, 0)

    def merge(self, j: int, outputs: list[Tensor], gates: list[Tensor]) -> tuple[Tensor, Tensor]:
        """The weighted sum at vertex `j`, [B, C, H, W], and whether it is alive, [B]."""
        into = torch.stack([gate[:, j - 1 - i] for i, gate in enumerate(gates)], 1)
        weights = into[:, :, None, None, None].unbind(1)
        merged = outputs[0] * weights[0]
        for y, weight in zip(outputs[1:], weights[1:], strict=True):
            merged = torch.addcmul(merged, y, weight)
        return merged, (into > 0).any(1).to(merged.dtype)


class DGNet(nn.Module):
    """A stem, stages with their entries, and a head; `between` follows every stage."""

    def __init__(
        self,
        stem: nn.Module,
        stages: Sequence[tuple[nn.Module, Stage]],
        head: nn.Module,
        between: type[nn.Module] = nn.Identity,
    ) -> None:
        super().__init__()
        self.stem = stem
        self.stages = nn.Sequential(
            *(nn.Sequential(entry, stage, between()) for entry, stage in stages)
        )
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """[B, 3, H, W] -> [B, classes]."""
        logits: Tensor = self.head(self.stages(self.stem(x)))
        return logits


def dg_resnet50(classes: int = 1000, width: float = 1.0, stage: type[Stage] = Stage) -> DGNet:
    """DG-ResNet-50: 22 nodes, 73 edges."""
    inputs = round(64 * width)
    stem = nn.Sequential(conv_bn(3, inputs, 7, 2, act=nn.ReLU), nn.MaxPool2d(3, 2, 1))
    stages = []
    for depth, wide, stride in zip((3, 4, 6, 3), (256, 512, 1024, 2048), (1, 2, 2, 2), strict=True):
        channels = _divisible(wide * width)
        nodes = [bottleneck(channels) for _ in range(depth)]
        stages.append((shrink(inputs, channels, stride), stage(channels, nodes)))
        inputs = channels
    return DGNet(stem, stages, _head(inputs, classes), between=nn.ReLU)


def dg_mobilenet_v2(classes: int = 1000, width: float = 1.0, stage: type[Stage] = Stage) -> DGNet:
    """DG-MobileNetV2: 20 nodes, 67 edges."""
    inputs = _divisible(32 * width)
    stem = conv_bn(3, inputs, 3, 2, act=nn.ReLU6)
    stages = []
    for expand, wide, depth, stride in (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ):
        channels = _divisible(wide * width)
        nodes = [inverted_residual(channels, expand) for _ in range(depth)]
        stages.append((shrink(inputs, channels, stride), stage(channels, nodes)))
        inputs = channels
    last = _divisible(1280 * max(width, 1.0))
    head = nn.Sequential(conv_bn(inputs, last, act=nn.ReLU6), _head(last, classes, nn.Dropout(0.2)))
    return DGNet(stem, stages, head)


def dg_stage(
    nodes: int = 24, channels: int = 32, classes: int = 100, stage: type[Stage] = Stage
) -> DGNet:
    """One stage of inverted residuals: 24 nodes, 325 edges."""
    cells = [inverted_residual(channels, 3) for _ in range(nodes)]
    stem = conv_bn(3, channels, 3, 2, act=nn.ReLU6)
    return DGNet(stem, [(nn.Identity(), stage(channels, cells))], _head(channels, classes))


def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Copy all weights in declaration order.

    Raises ValueError or RuntimeError if their number or shapes differ.
    """
    taken = list(source.state_dict().values())
    names = list(target.state_dict())
    if len(taken) != len(names):
        raise ValueError(f"{len(taken)} tensors for {len(names)}")
    target.load_state_dict(dict(zip(names, taken, strict=True)))


def _head(channels: int, classes: int, before: nn.Module | None = None) -> nn.Sequential:
    pooled = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*pooled, before or nn.Identity(), nn.Linear(channels, classes))


def _divisible(value: float, by: int = 8) -> int:
    """Return the nearest multiple of `by` that is at least 0.9 times the value."""
    rounded = max(by, int(value + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * value else rounded
