"""Gradients that reach the routers in training."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dagdsl.ir.nodes import Reads
from dagdsl_compiler.driver import compile
from tests.compiler.nets import complete, net_of

X = (2, 4, 4)


@pytest.mark.parametrize("reads", ["source", "target", "stage", "nothing"])
def test_every_parameter_gets_a_gradient(reads: Reads) -> None:
    net = net_of(complete(2, reads=reads, x=X, init=1.0), x=X)
    model = compile(net, backend="eager", seed=0)
    model(torch.randn(8, 3, 4, 4)).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name


def logits_and_gradients(train: str) -> tuple[Tensor, Tensor]:
    """The gradients of the router of `in`, in a stage with closed edges and `out` alive."""
    net = net_of(complete(1, x=X, train=train), x=X)
    model = compile(net, backend="eager", seed=0)
    seen: list[Tensor] = []

    def keep(module: nn.Module, inputs: Any, output: Tensor) -> None:
        output.retain_grad()
        seen.append(output)

    fc = model.get_submodule("s1.routers.gate_in.fc")
    assert isinstance(fc, nn.Linear)
    with torch.no_grad():
        # in -> n[0] is open for some samples, in -> out for all.
        fc.weight.copy_(torch.tensor([[9.0, -9.0], [0.0, 0.0]]))
        fc.bias.copy_(torch.tensor([0.0, 2.0]))
    model.get_submodule("s1.routers.gate_n_0.fc").get_parameter("bias").data.fill_(2.0)
    # With batch statistics, a dead sample would still affect the others.
    model.get_submodule("s1.n.0.cell.bn").eval()
    fc.register_forward_hook(keep)
    model(torch.randn(16, 3, 4, 4, generator=torch.Generator().manual_seed(0))).sum().backward()
    assert seen[0].grad is not None
    closed = seen[0][:, 0] <= 0
    assert closed.any()
    assert not closed.all()
    return closed, seen[0].grad


def test_hard_gates_have_no_gradient_through_closed_edges() -> None:
    closed, gradient = logits_and_gradients("hard")
    assert not gradient[closed, 0].any()
    assert gradient[~closed, 0].all()
    assert gradient[:, 1].all()


def test_soft_gates_have_a_gradient_everywhere() -> None:
    _, gradient = logits_and_gradients("soft")
    assert gradient.all()


def test_straight_through_stops_at_the_dead_node_only() -> None:
    # With its only incoming edge closed, n[0] is dead: its output is zero for any gate.
    closed, gradient = logits_and_gradients("straight_through")
    assert not gradient[closed, 0].any()
    assert gradient[:, 1].all()


def test_straight_through_reaches_the_closed_edge_of_a_living_node() -> None:
    for train, reached in (("hard", False), ("straight_through", True)):
        model = compile(net_of(complete(1, x=X, train=train), x=X), backend="eager", seed=0)
        fc = model.get_submodule("s1.routers.gate_in.fc")
        assert isinstance(fc, nn.Linear)
        nn.init.zeros_(fc.weight)
        fc.bias.data = torch.tensor([2.0, -1.0])  # in -> out closed, in -> n[0] -> out open
        model.get_submodule("s1.routers.gate_n_0.fc").get_parameter("bias").data.fill_(2.0)
        model(torch.randn(4, 3, 4, 4)).sum().backward()
        assert fc.bias.grad is not None
        assert bool(fc.bias.grad[1] != 0) is reached


def test_the_gradient_of_routes_reaches_the_routers() -> None:
    model = compile(net_of(complete(2, x=X, init=1.0), x=X), backend="eager", seed=0)
    _, routes = model(torch.randn(4, 3, 4, 4), return_routes=True)
    routes["s1"].sum().backward()
    bias = model.get_submodule("s1.routers.gate_in.fc").get_parameter("bias")
    assert bias.grad is not None
    assert bias.grad.all()
