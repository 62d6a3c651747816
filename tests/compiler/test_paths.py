"""The keys of a checkpoint: golden, unique, and free of names that modules need."""

from __future__ import annotations

import copy
import keyword
from collections.abc import Iterator, Sequence

import pytest
import torch
from torch import fx, nn

import dagdsl
from dagdsl.ir.nodes import Edge, Graph, Net, Node, Output, Step
from dagdsl.ir.paths import RESERVED, ElementPath, GraphPaths, paths_of
from dagdsl_compiler.driver import Mode, compile
from dagdsl_compiler.emit.load import load_source
from dagdsl_compiler.emit.source import emit_source
from dagdsl_compiler.export.target import Prepared, Target, export
from dagdsl_compiler.runtime.scope import ModuleScope
from tests.compiler.nets import block, complete, net_of, node, op, pipe

X = (2, 4, 4)


def modules_below(path: ElementPath | GraphPaths) -> Iterator[str]:
    """The module paths of all elements inside."""
    if isinstance(path, ElementPath):
        parts: tuple[ElementPath | GraphPaths, ...] = path.steps
    else:
        parts = path.nodes + path.edges + path.routers
    for part in parts:
        if isinstance(part, ElementPath) and part.module:
            yield part.module
        yield from modules_below(part)


def net_with(*nodes: Node, edges: tuple[Edge, ...] = ()) -> Net:
    graph = Graph(nodes=nodes, edges=edges)
    return Net(name="N", graph=graph, outputs=(Output(name="y", value=nodes[-1].name),))


def test_keys_of_parameters() -> None:
    work = block("ir", X, "conv", "bn", "relu6", "dwconv", "bn", "relu6", "conv")
    stage = complete(1, x=X, edge_steps=(op("conv", X), op("conv", X)))
    stage = stage.replace(
        nodes=(
            stage.nodes[0],
            node("n[0]", work, block("ir", X, ("gn", {"groups": 1})), x=X),
            stage.nodes[2],
        )
    )
    net = net_of(stage, x=X)
    entry = block("entry", X, "conv")
    nodes = list(net.graph.nodes)
    nodes[2] = nodes[2].replace(steps=(entry, stage))
    graph = net.graph.replace(nodes=tuple(nodes))
    model = compile(net.replace(graph=graph), backend="eager")
    assert [name for name, _ in model.named_parameters()] == [
        "stem.conv.weight",
        "stem.bn.weight",
        "stem.bn.bias",
        "s1.entry.conv.weight",
        "s1.n.0.ir.conv.weight",
        "s1.n.0.ir.bn.weight",
        "s1.n.0.ir.bn.bias",
        "s1.n.0.ir.dwconv.weight",
        "s1.n.0.ir.bn_2.weight",
        "s1.n.0.ir.bn_2.bias",
        "s1.n.0.ir.conv_2.weight",
        "s1.n.0.ir_2.gn.weight",
        "s1.n.0.ir_2.gn.bias",
        "s1.edges.in_to_n_0.conv.weight",
        "s1.edges.in_to_n_0.conv_2.weight",
        "s1.edges.in_to_out.conv.weight",
        "s1.edges.in_to_out.conv_2.weight",
        "s1.edges.n_0_to_out.conv.weight",
        "s1.edges.n_0_to_out.conv_2.weight",
        "s1.routers.gate_in.fc.weight",
        "s1.routers.gate_in.fc.bias",
        "s1.routers.gate_n_0.fc.weight",
        "s1.routers.gate_n_0.fc.bias",
        "logits.fc.weight",
        "logits.fc.bias",
    ]


def test_keys_of_routes_and_labels() -> None:
    paths = paths_of(net_of(complete(1, x=X), x=X))
    stage = paths.nodes[2].steps[0]
    assert isinstance(stage, GraphPaths)
    assert stage.routes == "s1"
    assert stage.nodes[1].label == "s1.n[0]"
    assert stage.nodes[1].identifier == "s1_n_0"
    assert [edge.label for edge in stage.edges] == [
        "s1: in -> n[0]",
        "s1: in -> out",
        "s1: n[0] -> out",
    ]
    assert [router.label for router in stage.routers] == [
        "s1.routers.gate_in",
        "s1.routers.gate_n_0",
    ]
    assert paths.edges[0].label == "image -> stem"
    assert paths.routes == "net"


@pytest.mark.parametrize("taken", ["routers", "edges", "n", "cell", "entry", "conv"])
def test_collisions_are_resolved(taken: str) -> None:
    inner = complete(1, x=X, edge_steps=(op("conv", X),))
    nodes = (inner.nodes[0], node(taken, op("conv", X), x=X), *inner.nodes[1:])
    inner = inner.replace(nodes=nodes, edges=(*inner.edges, Edge(source="in", target=taken)))
    steps: tuple[Step, ...] = (block("entry", X, "conv"), op("conv", X), inner, inner)
    paths = paths_of(net_with(Node(kind="in", name="x", shape=X), node("s", *steps, x=X)))
    found = list(modules_below(paths))
    assert len(found) == len(set(found))
    assert len({path.replace(".", "_") for path in found}) == len(found)
    assert paths == paths_of(net_with(Node(kind="in", name="x", shape=X), node("s", *steps, x=X)))


@pytest.mark.parametrize("name", ["forward", "training", "class", "_modules", "net", "code", "to"])
def test_reserved_names(name: str) -> None:
    net = net_with(
        Node(kind="in", name="in", shape=X),
        node(name, op("conv", X), x=X),
        edges=(Edge(source="in", target=name),),
    )
    assert list(compile(net, backend="eager").state_dict()) == [f"{name}_.conv.weight"]


def test_all_attributes_of_modules_are_reserved() -> None:
    module = fx.GraphModule(nn.Module(), fx.Graph())
    public = {name for name in dir(module) if not name.startswith("_")}
    assert public <= RESERVED


def public(*modules: nn.Module) -> list[str]:
    return sorted({name for m in modules for name in dir(m) if not name.startswith("_")})


def net_of_names(names: Sequence[str]) -> Net:
    """A net and a stage in it, each with a node of every name, with and without parameters."""
    names = [name for name in names if not keyword.iskeyword(name)]
    inside = tuple(
        node(name, op("conv", X) if i % 2 else op("relu", X), x=X) for i, name in enumerate(names)
    )
    fan = tuple(
        Edge(source=a, target=b) for name in names for a, b in (("in", name), (name, "out"))
    )
    stage = Graph(
        nodes=(Node(kind="in", name="in", shape=X), *inside, Node(kind="out", name="out", shape=X)),
        edges=tuple(sorted(fan, key=lambda edge: edge.target == "out")),
    )
    first = Node(kind="in", name="in", shape=X)
    nodes = (first, *inside, node("s1", stage, x=X), node("y", x=X))
    edges = (
        *(Edge(source="in", target=name) for name in (*names, "s1")),
        *(Edge(source=name, target="y") for name in (*names, "s1")),
    )
    outputs = (Output(name="y", value="y"),)
    return Net(name="Names", graph=Graph(nodes=nodes, edges=edges), outputs=outputs)


@pytest.fixture(scope="module")
def awkward() -> Net:
    """A net whose nodes are named like the public attributes of all classes of modules."""
    net = net_with(
        Node(kind="in", name="in", shape=X),
        node("a", op("conv", X), x=X),
        edges=(Edge(source="in", target="a"),),
    )
    models = [compile(net, mode=mode, backend="eager") for mode in ("dense", "grouped")]
    written = load_source(emit_source(net))
    names = public(*models, models[0].graph, models[0].a, written)
    own = {"self", "x", "inputs", "named", "return_routes", "choices", "executor", "torch", "nn"}
    return net_of_names(sorted({*names, *own} - {"a", "in", "out", "s1", "y"}))


@pytest.mark.parametrize("mode", ["dense", "static", "grouped", "branch"])
def test_a_node_may_have_any_name_in_every_mode(awkward: Net, mode: Mode) -> None:
    plain = compile(awkward, backend="eager", seed=0).eval()
    model = compile(awkward, mode=mode, backend="eager", seed=0).eval()
    x = torch.randn(1, *X)
    torch.testing.assert_close(model(x), plain(x))
    torch.testing.assert_close(copy.deepcopy(model)(x), plain(x))
    assert list(model.state_dict()) == list(plain.state_dict())
    for attribute in ("net", "graph"):
        assert not isinstance(getattr(model, attribute), ModuleScope)


def test_a_node_may_have_any_name_in_every_form(awkward: Net) -> None:
    plain = compile(awkward, backend="eager", seed=0).eval()
    hooked = compile(awkward, backend="eager", seed=0).eval()
    seen: list[nn.Module] = []
    for scope in hooked.modules():
        if type(scope) is ModuleScope:
            scope.register_forward_hook(lambda module, *_: seen.append(module))
    written = load_source(emit_source(awkward)).eval()
    written.load_state_dict(plain.state_dict())
    exported = export(Prepared(plain, Target("grouped"))).module()
    x = torch.randn(3, *X)
    torch.testing.assert_close(hooked(x), plain(x))
    torch.testing.assert_close(written(x), plain(x))
    torch.testing.assert_close(exported(x)[0], plain(x))
    assert len(seen) == sum(type(scope) is ModuleScope for scope in hooked.modules())


def test_names_do_not_depend_on_parameters() -> None:
    steps = pipe(X, "relu", "conv", "relu", "conv")
    paths = paths_of(net_with(Node(kind="in", name="x", shape=X), node("a", *steps, x=X)))
    assert list(modules_below(paths.nodes[1])) == ["a.relu", "a.conv", "a.relu_2", "a.conv_2"]


def test_two_graphs_of_one_node_have_separate_routes() -> None:
    steps = (complete(1, x=X), complete(1, x=X))
    paths = paths_of(net_with(Node(kind="in", name="x", shape=X), node("a", *steps, x=X)))
    assert [g.routes for g in paths.nodes[1].steps if isinstance(g, GraphPaths)] == ["a", "a_2"]


def test_names_with_the_same_identifier() -> None:
    """No form of the net confuses `n[0]` and `n_0`."""
    net = dagdsl.loads(
        """
        edition 1
        router gate = gap |> fc |> sigmoid |> threshold(0.5)
        net Twins {
          input x: f32[2, 4, 4]
          stage s {
            node n[1]: conv
            node n_0: conv |> relu
            in -> n[0] via gate
            in -> n_0 via gate
            in, n[0], n_0 -> out
          }
          stage t[1] { node a: conv  in -> a -> out }
          stage t_0 { node a: conv |> relu  in -> a -> out }
          node y: gap
          x -> s -> t[0] -> t_0 -> y
          output y
        }
        """
    )
    plain = compile(net, backend="eager", seed=0).eval()
    written = load_source(emit_source(net)).eval()
    written.load_state_dict(plain.state_dict())
    others: list[nn.Module] = [
        written,
        compile(net, backend="eager", seed=0, mode="branch"),
        compile(net, backend="eager", seed=0, mode="grouped"),
        compile(net, backend="eager", seed=0, checkpoint="all").eval(),
    ]
    for scale in (1.0, 10.0):
        x = scale * torch.randn(1, 2, 4, 4)
        for other in others:
            torch.testing.assert_close(other(x), plain(x))
