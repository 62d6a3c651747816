"""Modes compiled by Inductor: one full graph, correct for all batch sizes and routing extremes."""

from __future__ import annotations

import pytest
import torch

from dagdsl.ir.nodes import Net
from dagdsl_compiler.backends.frozen import _with_unknown_batch
from dagdsl_compiler.driver import Mode, compile
from dagdsl_compiler.probe import compare
from tests.compiler.nets import complete, net_of
from tests.compiler.test_semantics import image, shaken

X = (2, 4, 4)


def net() -> Net:
    return net_of(complete(1, x=X, init=0.5), x=X)


@pytest.mark.parametrize("mode", ["grouped", "branch"])
def test_compiled(mode: Mode) -> None:
    torch.compiler.reset()
    model = shaken(net(), 0, spread=1.0)
    other = compile(net(), mode=mode)
    batches = (1,) if mode == "branch" else (7, 1, 2)
    found = compare(net(), model, other, batches=batches)
    assert found.is_tolerable, found


def test_one_compilation_serves_every_batch_size() -> None:
    torch.compiler.reset()
    torch._dynamo.utils.counters.clear()
    model = compile(net(), mode="grouped")
    for size in (5, 1, 2, 32):
        assert model(image(net(), size)).shape == (size, 3)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1


def test_the_mark_of_an_unknown_batch_stays_off_the_input() -> None:
    x = torch.randn(4, 3)
    assert torch.equal(_with_unknown_batch(x), x)
    assert not hasattr(x, "_dynamo_unbacked_indices")
