"""docs/pytorch.md: the two sides of each pair are the same network."""

from __future__ import annotations

import re
from itertools import pairwise, zip_longest
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._pytree import tree_leaves

import dagdsl
from tests.docs.pages import ROOT, fences

PAGE = ROOT / "docs" / "pytorch.md"
ROW = re.compile(r"^\| (`nn\..*`) \| (`.*`) \|$", re.MULTILINE)
IMAGE = (8, 6, 6)


def pairs() -> dict[str, tuple[str, str]]:
    """Name of a net -> the Python block and the `.dg` block right after it."""
    found = {}
    for before, after in pairwise(fences(PAGE)):
        if (before.language, after.language) == ("python", "dg"):
            net = re.search(r"^net (\w+)", after.text, re.MULTILINE)
            assert net is not None
            found[net[1]] = (before.text, after.text)
    assert len(found) >= 7
    return found


def rows() -> list[tuple[str, str]]:
    """The PyTorch expression and the pipe of each layer of the table."""
    split = [
        (python, pipe.replace("\\|", "|"))
        for left, right in ROW.findall(PAGE.read_text(encoding="utf-8"))
        for python, pipe in zip_longest(*(re.findall(r"`([^`]+)`", side) for side in (left, right)))
    ]
    assert len(split) >= 20
    return split


def build(code: str) -> nn.Module:
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": F}
    exec(code, names)
    model = names["model"]
    assert isinstance(model, nn.Module)
    return model


def assert_equal(theirs: nn.Module, net: dagdsl.Net) -> None:
    """Compare outputs and gradients, in training and evaluation, on the same weights."""
    torch.manual_seed(0)
    ours = dagdsl.compile(net, backend="eager", seed=0).double()
    theirs.double()
    for value in theirs.state_dict().values():
        if value.is_floating_point():
            value.uniform_(0.1, 1.0) if value.ndim < 2 else value.normal_(0, 0.3)
    copied = zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
    for mine, other in copied:
        mine.copy_(other)
    x = torch.randn(4, *net.inputs[0].shape, dtype=torch.double)
    for training in (True, False):
        results = [run(model.train(training), x) for model in (theirs, ours)]
        for one, other in zip(*results, strict=True):
            assert one.abs().max() > 0
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


def run(model: nn.Module, x: Tensor) -> list[Tensor]:
    """The outputs and the gradients of a loss that weighs every element differently."""
    torch.manual_seed(1)
    x = x.clone().requires_grad_()
    outputs = tree_leaves(model(x))
    loss = sum((out * torch.linspace(0.5, 1.5, out.numel()).view_as(out)).sum() for out in outputs)
    assert isinstance(loss, Tensor)
    gradients = torch.autograd.grad(loss, [x, *model.parameters()])
    return [*outputs, *gradients]


@pytest.mark.parametrize("name", pairs())
def test_both_sides_of_a_pair_are_the_same_network(name: str) -> None:
    code, text = pairs()[name]
    assert_equal(build(code), dagdsl.loads(text))


@pytest.mark.parametrize(("code", "pipe"), rows(), ids=lambda side: str(side))
def test_both_sides_of_a_row_are_the_same_layer(code: str, pipe: str) -> None:
    shape = ", ".join(map(str, IMAGE))
    net = dagdsl.loads(f"net N {{ input x: f32[{shape}] node y: {pipe} x -> y output y }}")
    assert_equal(build(f"model = {code}"), net)


def test_edges_of_the_dynamic_pair_are_open_and_closed() -> None:
    """Without both, the equality above says nothing about routing."""
    code, text = pairs()["Dynamic"]
    theirs = build(code)
    torch.manual_seed(0)
    net = dagdsl.loads(text)
    ours = dagdsl.compile(net, backend="eager", seed=0)
    with torch.no_grad():
        for router in theirs.routers:  # type: ignore[union-attr]
            router.weight.normal_(0, 3)
            router.bias.zero_()
    for mine, other in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        mine.copy_(other)
    x = torch.randn(64, *net.inputs[0].shape)
    expected = theirs.eval()(x)
    outputs, routes = ours.eval()(x, return_routes=True)
    torch.testing.assert_close(expected, outputs, rtol=1e-4, atol=1e-5)
    entering = routes["s"][:, :, 1:-1].gt(0).any(1)
    assert 0 < entering.float().mean() < 1, "no node is dead, or all are"
