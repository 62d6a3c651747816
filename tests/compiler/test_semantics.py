"""Eager models against the slow reference, and against a replay of their own routes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dagdsl.ir.nodes import Block, Edge, Gate, Graph, Net, Node, Output, Reads
from dagdsl_compiler.driver import compile
from dagdsl_compiler.model import Model
from tests.compiler.nets import complete, net_of, node, op, pipe, random_graph, router
from tests.compiler.reference import reference

X = (2, 4, 4)


def shaken(net: Net, seed: int, spread: float = 2.0) -> Model:
    """An eager model whose routers decide differently for different samples."""
    model = compile(net, backend="eager", seed=seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".routers." in f".{name}":
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias, std=0.5, generator=generator)
    return model


def image(net: Net, batch: int = 6, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, *net.inputs[0].shape, generator=generator)


def check(net: Net, seed: int) -> dict[str, Tensor]:
    """Outputs, routes and the graph without routes agree with the reference."""
    model = shaken(net, seed).eval()
    x = image(net, seed=seed)
    y, routes = model(x, return_routes=True)
    expected, expected_routes = reference(net, model, x)
    torch.testing.assert_close(y, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(routes, expected_routes, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(model(x), expected, rtol=1e-4, atol=1e-4)
    assert isinstance(routes, dict)
    return routes


@pytest.mark.parametrize("dead", ["zero", "keep_strongest"])
@pytest.mark.parametrize("reads", ["source", "target", "stage", "nothing"])
def test_complete_stage(reads: Reads, dead: str) -> None:
    some_closed = some_open = False
    for seed in range(3):
        routes = check(net_of(complete(3, reads=reads, x=X, dead=dead), x=X), seed)["s1"]
        upper = routes[:, *torch.triu_indices(5, 5, 1)]
        some_closed |= bool((upper == 0).any())
        some_open |= bool((upper > 0).any())
        if dead == "keep_strongest":
            assert (routes[:, :, 1:].sum(1) > 0).all(), "a node was left dead"
    assert some_closed
    assert some_open


@pytest.mark.parametrize(
    "decision",
    [
        {"activation": "softmax", "threshold": 0.3},
        {"activation": "softmax", "threshold": None},
        {"activation": "relu_tanh", "threshold": 0.0},
        {"activation": "relu_tanh", "threshold": None, "normalise": True},
        {"activation": "hard_concrete", "threshold": 0.0},
        {"activation": "hard_concrete", "threshold": 0.5, "dead": "keep_strongest"},
        {"activation": "sigmoid", "threshold": 0.3, "normalise": True},
        {"activation": "none", "threshold": 0.1},
        {"activation": "none", "threshold": 0.1, "dead": "keep_strongest"},
        {"activation": "softmax", "threshold": None, "topk": 1},
        {"activation": "softmax", "threshold": None, "topk": 2, "normalise": True},
        {"activation": "sigmoid", "threshold": 0.3, "topk": 2},
        {"activation": "sigmoid", "threshold": 0.5, "binary": True},
        {"activation": "sigmoid", "threshold": 0.5, "binary": True, "dead": "keep_strongest"},
    ],
    ids=str,
)
@pytest.mark.parametrize("reads", ["source", "stage"])
def test_decisions(reads: Reads, decision: dict[str, Any]) -> None:
    check(net_of(complete(3, reads=reads, x=X, **decision), x=X), 0)


@pytest.mark.parametrize("train", ["hard", "soft", "straight_through"])
def test_gate_training_does_not_affect_evaluation(train: str) -> None:
    check(net_of(complete(2, x=X, train=train), x=X), 0)


def test_edges_with_steps_are_masked() -> None:
    # Because of the bias, the edge of a dead node would carry a value other than zero.
    projection = (op("conv", X, kernel=1, bias=True), op("bn", X))
    for seed in range(4):
        check(net_of(complete(3, x=X, edge_steps=projection), x=X), seed)


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs(seed: int) -> None:
    check(net_of(random_graph(seed, X), random_graph(seed + 1000, X), x=X), seed)


def test_graph_in_a_block_and_routers_of_the_net() -> None:
    inner = complete(1, x=X)
    cell = Block(name="cell", steps=(op("relu", X), inner, inner), shape=X)
    nodes = (
        Node(kind="in", name="image", shape=X),
        node("a", cell, x=X),
        node("scale", *pipe(X, "gap", ("fc", {"channels": 2})), x=X),
        node("b", x=X, merge="mul"),
        node("c", op("bn", X), x=X),
    )
    gates = router("gate", "image", 2, x=X, threshold=0.4)
    edges = (
        Edge(source="image", target="a"),
        Edge(source="a", target="scale"),
        Edge(source="a", target="b", gate=Gate(router="gate", index=0)),
        Edge(source="scale", target="b"),
        Edge(source="b", target="c"),
        Edge(source="image", target="c", gate=Gate(router="gate", index=1)),
    )
    net = Net(
        name="N",
        graph=Graph(nodes=nodes, edges=edges, routers=(gates,)),
        outputs=(Output(name="taps", value={"b": "b", "c": "c"}),),
    )
    routes = check(net, 0)
    assert {key: tuple(r.shape) for key, r in routes.items()} == {
        "a.cell": (6, 3, 3),
        "a.cell_2": (6, 3, 3),
        "net": (6, 5, 5),
    }


def test_constant_weights_of_one() -> None:
    graph = complete(2, reads="nothing", x=X, threshold=None, activation="none")
    ones = graph.routers[0].replace(steps=(op("constant", X, channels=6),))
    graph = graph.replace(routers=(ones,))
    routes = check(net_of(graph, x=X), 0)["s1"]
    assert torch.equal(routes, torch.ones(4, 4).triu(1).expand(6, 4, 4))


@pytest.mark.parametrize("train", ["hard", "soft", "straight_through"])
@pytest.mark.parametrize("reads", ["source", "target", "stage"])
def test_replay_of_the_routes_in_training(reads: Reads, train: str) -> None:
    net = net_of(complete(3, x=X, reads=reads, train=train), x=X)
    model = shaken(net, 1).train()
    x = image(net)
    y, routes = model(x, return_routes=True)
    weights = routes["s1"]
    upper = weights[:, *torch.triu_indices(5, 5, 1)]
    assert bool((upper == 0).any()) == (train != "soft")

    def cell(path: str, m: Tensor) -> Tensor:
        out = model.get_submodule(f"{path}.bn")(model.get_submodule(f"{path}.conv")(m)).relu()
        assert isinstance(out, Tensor)
        return out

    values = [cell("stem", x)]
    for j in range(1, 5):
        edges = weights[:, :j, j]
        m = torch.einsum("bi,bichw->bchw", edges, torch.stack(values, 1))
        out = m if j == 4 else cell(f"s1.n.{j - 1}.cell", m)
        values.append(out * (edges != 0).any(1).view(-1, 1, 1, 1))
    torch.testing.assert_close(y, model.get_submodule("logits.fc")(values[-1].mean((2, 3))))


def test_a_dead_node_closes_its_outgoing_edges() -> None:
    net = net_of(complete(2, x=X), x=X)
    model = compile(net, backend="eager", seed=0).eval()
    gates = {"gate_in": [-9.0, 9.0, -9.0], "gate_n_0": [9.0, 9.0], "gate_n_1": [9.0]}
    for name, bias in gates.items():
        fc = model.get_submodule(f"s1.routers.{name}.fc")
        assert isinstance(fc, nn.Linear)
        nn.init.zeros_(fc.weight)
        fc.bias.data = torch.tensor(bias)
    _, routes = model(image(net), return_routes=True)
    open_edges = (routes["s1"] > 0).all(0)
    assert open_edges.nonzero().tolist() == [[0, 2], [2, 3]]
    assert torch.equal(routes["s1"] > 0, open_edges.expand(6, 4, 4))
