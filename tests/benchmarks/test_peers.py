"""The hand-written networks compute the same as those of the `.dg` files."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import dagdsl
from benchmarks.peers import dg
from benchmarks.peers.skipper import SkippingStage
from dagdsl.benchmark.routes import set_active_share
from dagdsl.benchmark.subjects import random_inputs
from dagdsl_compiler.driver import Model
from dagdsl_compiler.driver import compile as compile_net

WIDTH, CLASSES, SIZE = 0.25, 7, 48
PEERS: dict[str, tuple[str, dict[str, Any]]] = {
    "dg_resnet50": ("std/models/dg_resnet.dg", {"width": WIDTH}),
    "dg_mobilenet_v2": ("std/models/dg_mobilenet_v2.dg", {"width": WIDTH}),
    "dg_stage": ("benchmarks/nets/stage.dg", {"nodes": 4, "channels": 8}),
}


def pair(name: str, stage: type[dg.Stage]) -> tuple[Model, dg.DGNet]:
    """Return both networks with equal weights and about 80 % active MACs."""
    file, params = PEERS[name]
    chosen = None if name == "dg_stage" else name
    net = dagdsl.load(file, net=chosen, classes=CLASSES, size=SIZE, **params)
    ours = compile_net(net, backend="eager", seed=0)
    set_active_share(ours, 0.8, random_inputs(net, 16))
    theirs = getattr(dg, name)(classes=CLASSES, stage=stage, **params)
    dg.copy_weights(ours, theirs)
    return ours.double().eval(), theirs.double().eval()


def logits_of(outputs: object) -> torch.Tensor:
    logits = outputs["logits"] if isinstance(outputs, dict) else outputs
    assert isinstance(logits, torch.Tensor)
    return logits


@pytest.mark.parametrize("name", PEERS)
def test_same_outputs_and_gradients(name: str) -> None:
    ours, theirs = pair(name, dg.Stage)
    (x,) = (x.double() for x in random_inputs(ours.net, 6, seed=3))
    expected, got = logits_of(ours(x)), theirs(x)
    assert expected.std(0).min() > 0
    torch.testing.assert_close(got, expected)
    torch.manual_seed(0)
    ours.train()
    torch.autograd.backward(logits_of(ours(x)).square().sum())
    torch.manual_seed(0)
    theirs.train()
    torch.autograd.backward(theirs(x).square().sum())
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(b.grad, a.grad, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", PEERS)
def test_skipping_changes_nothing(name: str) -> None:
    ours, theirs = pair(name, SkippingStage)
    (x,) = (x.double() for x in random_inputs(ours.net, 6, seed=3))
    with torch.no_grad():
        got = torch.cat([theirs(one) for one in torch.split(x, 1)])
        torch.testing.assert_close(got, logits_of(ours(x)))
