"""All execution modes against the dense network in evaluation, op by op."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import Tensor, nn

from dagdsl.errors import UsageError
from dagdsl.frontend import loads
from dagdsl.ir.nodes import Block, Edge, Gate, Graph, Net, Node, Output, Reads
from dagdsl_compiler.driver import InferenceModel, Mode, Model, compile, profile
from dagdsl_compiler.errors import InputError
from dagdsl_compiler.probe import compare
from tests.compiler.nets import complete, net_of, node, op, pipe, random_graph, router
from tests.compiler.reference import reference
from tests.compiler.test_semantics import image, shaken
from tests.strategies import nets

X = (2, 4, 4)
BATCHES = (1, 2, 7, 32)
MODES: tuple[Mode, ...] = ("static", "grouped", "branch", "auto")


def evaluated(net: Net, mode: Mode, model: Model, **options: Any) -> InferenceModel:
    """The same net with the same weights in another mode."""
    if mode == "auto":
        batch = tuple(torch.randn(8, *node.shape) for node in net.inputs)
        options["profile"] = profile(model, [batch])
    made = compile(net, mode=mode, backend="eager", **options)
    made.load_state_dict(model.state_dict())
    assert isinstance(made, InferenceModel)
    return made


def agree(net: Net, seed: int, modes: Sequence[Mode] = MODES) -> None:
    """Every mode agrees with dense at all batch sizes and routing extremes, routes included.

    The tolerance is that of the probe.
    """
    model = shaken(net, seed)
    for mode in modes:
        other = evaluated(net, mode, model)
        for routes in (False, True):
            batches = (1,) if mode == "branch" else (2, 7) if routes else BATCHES
            found = compare(net, model, other, with_routes=routes, batches=batches)
            assert found.is_tolerable, f"{mode}, routes={routes}: {found}"


@pytest.mark.parametrize("dead", ["zero", "keep_strongest"])
@pytest.mark.parametrize("reads", ["source", "target", "stage", "nothing"])
def test_complete_stage(reads: Reads, dead: str) -> None:
    agree(net_of(complete(3, reads=reads, x=X, dead=dead), x=X), 0)


# With these seeds outputs vary between samples, so confused routes would be noticed.
@pytest.mark.parametrize("seed", [8, 9, 13, 21])
def test_random_graphs(seed: int) -> None:
    agree(net_of(random_graph(seed, X), random_graph(seed + 1000, X), x=X), seed)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(nets())
def test_random_nets(net: Net) -> None:
    agree(net, 1, ("grouped", "branch", "static"))


@pytest.mark.parametrize("reads", ["source", "stage"])
def test_edges_with_steps(reads: Reads) -> None:
    projection = (op("conv", X, kernel=1, bias=True), op("bn", X))
    agree(net_of(complete(3, x=X, reads=reads, edge_steps=projection), x=X), 0)


@pytest.mark.parametrize("reader", ["own", "foreign", "none"])
def test_weights_that_are_the_same_for_every_sample(reader: str) -> None:
    """Also with a router that reads `a` and decides about an edge from `a` or from another node."""
    cell = pipe(X, "conv", "bn", "relu")
    nodes = (
        Node(kind="in", name="in", shape=X),
        *(node(name, *cell, x=X) for name in ("a", "b")),
        Node(kind="out", name="out", shape=X),
    )
    learned = router("fixed", None, 2, x=X, reads="nothing", activation="none", threshold=None)
    routers = [router("gate", "in", 3, x=X), learned]
    edges = [
        Edge(source="in", target="a", gate=Gate(router="gate", index=0)),
        Edge(source="a", target="b", gate=Gate(router="fixed", index=0)),
        Edge(source="in", target="b", gate=Gate(router="gate", index=1)),
        Edge(source="b", target="out", gate=Gate(router="fixed", index=1)),
    ]
    if reader != "none":
        routers.append(router("reader", "a", 1, x=X))
        source = "a" if reader == "own" else "in"
        edges.append(Edge(source=source, target="out", gate=Gate(router="reader", index=0)))
    if reader == "foreign":
        # Then it is known before `a` runs which samples need `a` only for the router.
        edges[1] = Edge(source="a", target="b", gate=Gate(router="gate", index=2))
    net = net_of(Graph(nodes=nodes, edges=tuple(edges), routers=tuple(routers)), x=X)
    agree(net, 0, ("grouped", "branch"))


@pytest.mark.parametrize("reads", ["source", "target", "stage"])
def test_a_tap_of_a_node_inside_the_net(reads: Reads) -> None:
    """A node that is returned or read by a router is needed even if no open edge leaves it."""
    stage = complete(2, x=X, reads=reads)
    by_name = {n.name: n for n in stage.nodes}
    names = {"in": "image", "n[0]": "a", "n[1]": "b", "out": "end"}
    nodes = tuple(
        n.replace(name=names[n.name], kind="in" if n.name == "in" else "node")
        for n in by_name.values()
    )
    edges = tuple(e.replace(source=names[e.source], target=names[e.target]) for e in stage.edges)
    routers = tuple(r.replace(vertex=names[r.vertex or "in"]) for r in stage.routers)
    graph = Graph(nodes=nodes, edges=edges, routers=routers)
    outputs = (Output(name="taps", value={"a": "a", "b": "b", "end": "end"}),)
    agree(Net(name="Taps", graph=graph, outputs=outputs), 0, ("grouped", "branch"))


def gated_stage(reads: Reads = "stage") -> Net:
    """A stage with routers and a block with a graph, both behind gates."""
    inner = complete(2, x=X, reads=reads)
    cell = Block(name="cell", steps=(op("relu", X), complete(1, x=X)), shape=X)
    nodes = (
        Node(kind="in", name="image", shape=X),
        node("stem", *pipe(X, "conv", "bn"), x=X),
        Node(kind="stage", name="s1", steps=(*pipe(X, "conv"), inner), shape=X),
        node("a", cell, x=X),
        node("join", x=X),
        node("logits", *pipe(X, "gap", ("fc", {"channels": 3})), x=X),
    )
    gate = router("gate", "stem", 2, x=X)
    edges = (
        Edge(source="image", target="stem"),
        Edge(source="stem", target="s1", gate=Gate(router="gate", index=0)),
        Edge(source="stem", target="a", gate=Gate(router="gate", index=1)),
        Edge(source="stem", target="join"),
        Edge(source="s1", target="join"),
        Edge(source="a", target="join"),
        Edge(source="join", target="logits"),
    )
    graph = Graph(nodes=nodes, edges=edges, routers=(gate,))
    return Net(name="Nested", graph=graph, outputs=(Output(name="logits", value="logits"),))


@pytest.mark.parametrize("reads", ["source", "stage"])
def test_stages_behind_gates(reads: Reads) -> None:
    agree(gated_stage(reads), 0)


def rows_of(model: InferenceModel) -> dict[str, list[int]]:
    """A dict that collects the number of samples of each call of each convolution."""
    seen: dict[str, list[int]] = {}

    def watch(path: str, module: nn.Module) -> None:
        def note(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            seen.setdefault(path, []).append(len(inputs[0]))

        module.register_forward_pre_hook(note)

    for path, module in model.graph.named_modules():
        if isinstance(module, nn.Conv2d) and "_branches" not in path:
            watch(path, module)
    return seen


@pytest.mark.parametrize("reads", ["source", "stage"])
def test_a_node_runs_on_the_samples_that_need_it(reads: Reads) -> None:
    net = net_of(complete(3, x=X, reads=reads), x=X)
    model = shaken(net, 3).eval()
    grouped = evaluated(net, "grouped", model)
    seen = rows_of(grouped)
    x = image(net, 32)
    y = grouped(x)
    expected, routes = reference(net, model, x)
    torch.testing.assert_close(y, expected, rtol=1e-4, atol=1e-4)
    is_open = routes["s1"] != 0
    needed = is_open.any(1)
    if reads == "stage":
        # All gates are known early, so a node without an open outgoing edge does not run either.
        for j in (3, 2, 1):
            needed[:, j] = (is_open[:, j] & (needed if j < 3 else needed.new_ones(()))).any(1) & (
                is_open[:, j, j + 1 :]
                & torch.cat([needed[:, j + 1 : 4], needed.new_ones(32, 1)], 1)
            ).any(1)
    for j in (1, 2, 3):
        assert seen.get(f"s1.n.{j - 1}.cell.conv", [0]) == [int(needed[:, j].sum())]
    assert any(0 < rows[0] < 32 for rows in seen.values()), "no convolution skipped samples"


def only_sample(net: Net, model: Model, open_for: int) -> Tensor:
    """Images for which all gates of the stage are closed, except for one image."""
    fc = model.get_submodule("s1.routers.gate.fc")
    assert isinstance(fc, nn.Linear)
    nn.init.constant_(fc.weight, 5.0)
    nn.init.constant_(fc.bias, -40.0)
    x = torch.zeros(7, *net.inputs[0].shape)
    x[open_for] = 200.0 * torch.randn(x.shape[1:], generator=torch.Generator().manual_seed(0))
    return x


def test_one_sample_alive() -> None:
    net = net_of(complete(2, x=X, reads="stage"), x=X)
    model = shaken(net, 0).eval()
    x = only_sample(net, model, 4)
    y, routes = model(x, return_routes=True)
    assert (routes["s1"] != 0).flatten(1).any(1).tolist() == [i == 4 for i in range(7)]
    grouped = evaluated(net, "grouped", model)
    seen = rows_of(grouped)
    torch.testing.assert_close(grouped(x), y, rtol=1e-4, atol=1e-4)
    assert seen == {"stem.conv": [7], "s1.n.0.cell.conv": [1], "s1.n.1.cell.conv": [1]}
    assert grouped(x[:4]).shape == (4, 3)
    assert seen["s1.n.0.cell.conv"][1:] == [0]


def test_a_branch_is_skipped() -> None:
    net = net_of(complete(2, x=X, reads="stage"), x=X)
    model = shaken(net, 0).eval()
    x = only_sample(net, model, 4)
    branch = evaluated(net, "branch", model)
    calls: list[str] = []
    for name, module in branch.graph.named_modules():
        if isinstance(module, nn.Conv2d) and name.endswith("cell.conv"):
            module.register_forward_pre_hook(lambda *_: calls.append("ran"))
    torch.testing.assert_close(branch(x[:1]), model(x[:1]), rtol=1e-4, atol=1e-4)
    assert not calls
    torch.testing.assert_close(branch(x[4:5]), model(x[4:5]), rtol=1e-4, atol=1e-4)
    assert calls


def test_new_weights() -> None:
    net = net_of(complete(2, x=X), x=X)
    first, second = (shaken(net, seed).eval() for seed in (0, 1))
    model = evaluated(net, "grouped", first)
    x = image(net)
    torch.testing.assert_close(model(x), first(x), rtol=1e-4, atol=1e-4)
    model.load_state_dict(second.state_dict())
    torch.testing.assert_close(model(x), second(x), rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.mul_(1.1)
        for mine, other in zip(model.parameters(), second.parameters(), strict=True):
            mine.copy_(other)
    assert not torch.allclose(model(x), second(x))
    model.refresh()
    torch.testing.assert_close(model(x), second(x), rtol=1e-4, atol=1e-4)
    assert model.double()(x.double()).dtype == torch.float64


def test_it_only_evaluates() -> None:
    net = net_of(complete(2, x=X), x=X)
    model = compile(net, mode="grouped", backend="eager")
    assert not model.training
    x = image(net)
    assert not model(x).requires_grad
    with pytest.raises(UsageError, match="mode `grouped` only evaluates: compile with mode="):
        model.train()
    with pytest.raises(UsageError, match="mode `grouped` gives no gradients"):
        model(x.requires_grad_())
    with pytest.raises(InputError, match="mode `branch` takes one sample at a time, got 6"):
        compile(net, mode="branch", backend="eager")(x.detach())
    assert "mode=grouped" in repr(model)
    assert [name for name, _ in model.named_children()] == ["stem", "s1", "logits"]


def test_arguments_of_modes() -> None:
    net = net_of(complete(2, x=X), x=X)
    pins = {"s1: in -> n[0]": True}
    for options, message in [
        ({"mode": "fast"}, "there is no mode `fast`; there are `dense`, `static`"),
        ({"mode": "auto"}, "mode `auto` needs a profile"),
        ({"pins": pins}, "mode `dense` takes neither pins nor a profile"),
    ]:
        with pytest.raises(UsageError, match=message):
            compile(net, backend="eager", **options)  # type: ignore[arg-type]


EARLY_EXITS = """
net N(sure: float = 0.6) {
  input x: f32[2, 4, 4]
  node a: conv(3) |> relu
  node first: gap |> fc(2)
  node b: conv(5) |> relu
  node second: gap |> fc(2)
  node c: conv(7) |> relu
  node third: gap |> fc(2)
  node answer: first_confident(sure)
  x -> a -> b -> c -> third
  a -> first
  b -> second
  first, second, third -> answer
  output answer
}
"""


@pytest.mark.parametrize("sure", [0.5, 0.6, 0.999])
def test_early_exits(sure: float) -> None:
    agree(loads(EARLY_EXITS, sure=sure), 0)


def test_nodes_after_a_sure_exit_are_skipped() -> None:
    net = loads(EARLY_EXITS)
    model = shaken(net, 0)
    images = torch.randn(64, *X)
    exits = {}
    for name in ("first", "second"):
        taps = net.replace(outputs=(Output(name=name, value=name),))
        tap = compile(taps, backend="eager")
        tap.load_state_dict(model.state_dict(), strict=False)
        exits[name] = tap.eval()(images).softmax(1).amax(1) <= 0.6
    unsure = exits["first"]
    rows: dict[int, int] = {}

    def count(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if isinstance(module, nn.Conv2d):
            rows[module.out_channels] = inputs[0].shape[0]

    other = evaluated(net, "grouped", model)
    handle = nn.modules.module.register_module_forward_pre_hook(count)
    try:
        other(images)
    finally:
        handle.remove()
    assert 0 < int(unsure.sum()) < 64
    assert rows == {
        3: 64,
        5: int(unsure.sum()),
        7: int((unsure & exits["second"]).sum()),
    }
