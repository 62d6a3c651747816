"""Every op of the catalogue is implemented, with the shape and parameters of its rule."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dagdsl.ir.nodes import Op, Shape
from dagdsl.ops.catalogue import OPS
from dagdsl_compiler.blocks.catalogue import CALLS, MODULES, NOTHING
from tests.compiler.nets import op

IMAGE: Shape = (8, 7, 9)
FLAT: Shape = (8,)


def run(step: Op, x: Shape, seed: int = 0) -> tuple[Tensor, nn.Module | None]:
    torch.manual_seed(seed)
    batch = torch.randn(3, *x)
    if step.op in MODULES:
        module = MODULES[step.op](x, step)
        logit = OPS[step.op].role == "logit"
        return (module() if logit else module(batch)), module
    if step.op in NOTHING:
        return batch, None
    call = CALLS[step.op](step)
    return call.function(batch, **call.arguments), None


def test_the_tables_cover_the_catalogue() -> None:
    needed = {name for name, spec in OPS.items() if spec.role in ("tensor", "logit")}
    tables = [set(MODULES), set(CALLS), set(NOTHING)]
    assert set.union(*tables) == needed
    assert sum(map(len, tables)) == len(needed)


CASES: list[tuple[str, Shape, dict[str, Any]]] = [
    ("conv", IMAGE, {}),
    ("conv", IMAGE, {"channels": 6, "kernel": 5, "stride": 2, "groups": 2, "bias": True}),
    ("conv", IMAGE, {"kernel": 2}),
    ("conv", IMAGE, {"kernel": 4, "stride": 3, "dilation": 2}),
    ("dwconv", IMAGE, {"kernel": 3, "stride": 2}),
    ("dwconv", IMAGE, {"dilation": 2, "bias": True}),
    ("bn", IMAGE, {}),
    ("bn", FLAT, {"eps": 1e-3, "momentum": 1}),
    ("gn", IMAGE, {"groups": 4}),
    ("gn", FLAT, {"groups": 2}),
    ("dropout", IMAGE, {"p": 0.2}),
    *(("noise", IMAGE, {"kind": kind}) for kind in ("normal", "logistic", "gumbel")),
    ("noise", IMAGE, {"kind": "logistic", "temperature": 0.5}),
    ("maxpool", IMAGE, {}),
    ("maxpool", IMAGE, {"kernel": 2}),
    ("avgpool", IMAGE, {}),
    ("avgpool", IMAGE, {"kernel": 4, "stride": 1}),
    ("gap", IMAGE, {}),
    ("flatten", IMAGE, {}),
    ("upsample", IMAGE, {}),
    ("upsample", IMAGE, {"scale": 3, "mode": "bilinear"}),
    ("fc", FLAT, {"channels": 5}),
    ("fc", FLAT, {"channels": 5, "bias": False, "init": 1}),
    ("learned", IMAGE, {"channels": 4}),
    ("constant", IMAGE, {"channels": 4, "value": 0.5}),
    *((name, IMAGE, {}) for name in sorted(set(CALLS) - {
        "maxpool", "avgpool", "gap", "flatten", "upsample",
    })),
    ("identity", IMAGE, {}),
]  # fmt: skip


def test_every_op_has_a_case() -> None:
    assert {name for name, _, _ in CASES} == {*MODULES, *CALLS, *NOTHING}


@pytest.mark.parametrize(("name", "x", "given"), CASES, ids=str)
def test_shape_and_parameters(name: str, x: Shape, given: dict[str, Any]) -> None:
    step = op(name, x, **given)
    y, module = run(step, x)
    spec = OPS[name]
    assert tuple(y.shape) == (1 if spec.role == "logit" else 3, *step.shape)
    count = sum(p.numel() for p in module.parameters()) if module is not None else 0
    assert count == spec.cost(x, step.shape, step.params).parameters


@pytest.mark.parametrize(("name", "x", "given"), CASES, ids=str)
def test_deterministic(name: str, x: Shape, given: dict[str, Any]) -> None:
    step = op(name, x, **given)
    assert torch.equal(run(step, x)[0], run(step, x)[0])


def test_values() -> None:
    x = torch.linspace(-5, 5, 11)

    def call(name: str, **given: Any) -> Tensor:
        found = CALLS[name](op(name, IMAGE, **given))
        y = found.function(x.view(1, 1, 1, -1), **found.arguments)
        assert isinstance(y, Tensor)
        return y.flatten()

    torch.testing.assert_close(call("relu6"), x.clamp(0, 6))
    torch.testing.assert_close(call("silu"), x / (1 + torch.exp(-x)))
    torch.testing.assert_close(call("hardsigmoid"), (x + 3).clamp(0, 6) / 6)
    torch.testing.assert_close(call("hardswish"), x * (x + 3).clamp(0, 6) / 6)
    torch.testing.assert_close(call("gelu"), x * 0.5 * (1 + torch.erf(x / 2**0.5)))
    # Padding is not counted, so the mean of a constant is that constant.
    ones = torch.ones(1, 1, 5, 5)
    found = CALLS["avgpool"](op("avgpool", IMAGE))
    torch.testing.assert_close(found.function(ones, **found.arguments), torch.ones(1, 1, 3, 3))


def test_initialisation() -> None:
    torch.manual_seed(0)
    conv = MODULES["conv"]((16, 9, 9), op("conv", (16, 9, 9), channels=64, bias=True))
    assert isinstance(conv, nn.Conv2d)
    assert conv.weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.05)
    assert conv.bias is not None
    assert not conv.bias.any()
    gate = MODULES["fc"]((256,), op("fc", (256,), channels=8, init=1.5))
    assert isinstance(gate, nn.Linear)
    assert gate.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert torch.equal(gate.bias, torch.full((8,), 1.5))
    torch.manual_seed(3)
    plain = MODULES["fc"]((6,), op("fc", (6,), channels=8))
    torch.manual_seed(3)
    assert isinstance(plain, nn.Linear)
    assert torch.equal(plain.weight, nn.Linear(6, 8).weight)
    assert F.linear(torch.ones(1, 6), plain.weight).shape == (1, 8)
