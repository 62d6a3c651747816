"""Checkpointed stages: the same numbers, less memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn

import dagdsl
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net
from dagdsl_compiler.errors import ModelError
from dagdsl_compiler.model import Model

Stages = Sequence[str] | Literal["all"]

NET = """
edition 1
router gate = gap |> fc(init = 0.2) |> noise("gumbel") |> sigmoid |> threshold(0.5)
block cell = relu |> conv(kernel = 3) |> bn |> dropout(0.3)
net Two {
  input image: f32[1, 8, 8]
  node stem: conv(6) |> bn
  stage s1 { node n[2]: cell  connect complete via gate }
  stage s[2] { node n[2]: cell  connect complete via gate }
  node logits: gap |> fc(3)
  image -> stem -> s1 -> s[0] -> s[1] -> logits
  stem -> logits
  output logits
}
"""


@pytest.fixture(scope="module")
def net() -> Net:
    return dagdsl.loads(NET)


def trained(net: Net, checkpoint: Stages, routes: bool) -> tuple[Model, list[Tensor]]:
    """A model after two training steps, and its outputs in them."""
    model = dagdsl.compile(net, backend="eager", seed=0, checkpoint=checkpoint)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    results = []
    torch.manual_seed(1)
    for _ in range(2):
        optimizer.zero_grad()
        result: Any = model(torch.randn(5, 1, 8, 8), return_routes=routes)
        tensors = [result[0], *result[1].values()] if routes else [result]
        sum((tensor**2).sum() for tensor in tensors).backward()
        optimizer.step()
        results += tensors
    results.append(torch.rand(1))  # also compares the state of the random generator
    return model, results


@pytest.mark.parametrize("routes", [False, True])
@pytest.mark.parametrize("checkpoint", ["all", ["s[1]"], ["s1", "s[0]"]])
def test_the_same_bits(net: Net, checkpoint: Stages, routes: bool) -> None:
    plain, expected = trained(net, (), routes)
    model, got = trained(net, checkpoint, routes)
    for one, other in zip(expected, got, strict=True):
        assert torch.equal(one, other)
    state, other_state = plain.state_dict(), model.state_dict()
    assert state.keys() == other_state.keys()
    for name, value in state.items():
        assert torch.equal(value, other_state[name]), name
    assert state["s1.n.0.cell.bn.num_batches_tracked"] == 2
    for name, parameter in plain.named_parameters():
        assert parameter.grad is not None, name
        other_grad = model.get_parameter(name).grad
        assert other_grad is not None, name
        assert torch.equal(parameter.grad, other_grad), name


def kept_bytes(model: nn.Module, x: Tensor) -> int:
    """The bytes that the forward pass keeps for the backward pass."""
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model(x)
    return sum(kept.values())


def test_checkpointing_saves_memory(net: Net) -> None:
    x = torch.randn(8, 1, 8, 8)
    choices: list[Stages] = [(), ["s1"], "all"]
    none, one, every = (
        kept_bytes(dagdsl.compile(net, backend="eager", seed=0, checkpoint=stages), x)
        for stages in choices
    )
    assert every < none / 4
    assert every < one < none


def test_results_without_gradients(net: Net) -> None:
    x = torch.randn(3, 1, 8, 8)
    plain, model = (
        dagdsl.compile(net, backend="eager", seed=0, checkpoint=stages).eval()
        for stages in ((), "all")
    )
    with torch.no_grad():
        assert torch.equal(plain(x), model(x))


def test_errors_still_name_the_element(net: Net) -> None:
    model = dagdsl.compile(net, backend="eager", checkpoint="all")
    model.get_submodule("s1.n.1.cell.conv").weight = nn.Parameter(torch.zeros(6, 5, 3, 3))
    with pytest.raises(ModelError, match=r"s1\.n\[1\]\.cell\.conv"):
        model(torch.randn(2, 1, 8, 8))


def test_wrong_choices(net: Net) -> None:
    with pytest.raises(UsageError, match=r"no stage `s`; there are `s1`, `s\[0\]`, `s\[1\]`"):
        dagdsl.compile(net, checkpoint=["s"])
    with pytest.raises(UsageError, match="mode `static` has no backward pass, so there is nothing"):
        dagdsl.compile(net, mode="static", checkpoint="all")
    flat = dagdsl.loads("net N { input x: f32[4] node y: fc(2) x -> y output y }")
    with pytest.raises(UsageError, match="`N` has no stages to checkpoint"):
        dagdsl.compile(flat, checkpoint="all")


def test_compiled() -> None:
    """The backward pass repeats the dropout of the forward pass and updates no statistics."""
    net = dagdsl.loads(
        """
        net Linear {
          input image: f32[2, 4, 4]
          stage s { node a: bn |> conv |> dropout(0.5)  in -> a -> out }
          node y: gap
          image -> s -> y
          output y
        }
        """
    )
    model = dagdsl.compile(net, backend="inductor", seed=0, checkpoint="all")
    x = torch.randn(16, 2, 4, 4)
    y = model(x)
    y.sum().backward()
    conv, norm = model.get_submodule("s.a.conv"), model.get_submodule("s.a.bn")
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    assert conv.weight.grad is not None
    # The function is linear in its weights, so with equal dropout it is their product with the
    # gradient.
    torch.testing.assert_close((conv.weight * conv.weight.grad).sum(), y.sum())
    assert norm.num_batches_tracked == 1
    torch.testing.assert_close(norm.running_mean, 0.1 * x.mean((0, 2, 3)))
