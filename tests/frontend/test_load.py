"""Text -> IR: the semantics of the language."""

from __future__ import annotations

from pathlib import Path

import pytest

import dagdsl
from dagdsl.ir.nodes import Block, Graph, Net, Op, Router, inner_graph
from dagdsl.ir.text import dump
from dagdsl.sema.settings import Setting

HEAD = "net N { input image: f32[4, 8, 8] "


def net(body: str, before: str = "", **params: Setting) -> Net:
    return dagdsl.loads(f"{before}\n{HEAD}{body} }}", net=None, **params)


def stage_of(net: Net, name: str = "s") -> Graph:
    graph = inner_graph(net.graph.node(name))
    assert graph is not None
    return graph


def pairs(graph: Graph) -> list[tuple[str, str]]:
    return [(edge.source, edge.target) for edge in graph.edges]


def op(net: Net, node: str, index: int = 0) -> Op:
    step = net.graph.node(node).steps[index]
    assert isinstance(step, Op)
    return step


def test_ops_take_their_channels_from_what_enters_them() -> None:
    built = net("node a: conv |> conv(8, kernel = 1, stride = 2) |> bn image -> a output a")
    assert [step.shape for step in built.graph.node("a").steps if isinstance(step, Op)] == [
        (4, 8, 8),
        (8, 4, 4),
        (8, 4, 4),
    ]
    assert op(built, "a").params["kernel"] == 3


def test_complete_is_every_forward_edge_with_the_ports() -> None:
    graph = stage_of(net("stage s { node n[2]: relu connect complete } image -> s output s"))
    assert [node.name for node in graph.nodes] == ["in", "n[0]", "n[1]", "out"]
    assert len(pairs(graph)) == 6
    assert ("in", "out") in pairs(graph)


@pytest.mark.parametrize(("nodes", "edges"), [(3, 10), (4, 15), (6, 28)])
def test_complete_has_the_edges_of_the_paper(nodes: int, edges: int) -> None:
    """ResNet-50 has stages of 3, 4, 6 and 3 nodes and 63 edges (method.md)."""
    text = f"stage s {{ node n[{nodes}]: relu connect complete }} image -> s output s"
    assert len(stage_of(net(text)).edges) == edges


def test_chain_and_arrays() -> None:
    graph = stage_of(net("stage s { node n[2]: relu connect chain } image -> s output s"))
    assert pairs(graph) == [("in", "n[0]"), ("n[0]", "n[1]"), ("n[1]", "out")]


def test_array_in_a_wire_is_all_of_its_nodes_in_parallel() -> None:
    graph = stage_of(net("stage s { node n[2]: relu in -> n -> out } image -> s output s"))
    assert sorted(pairs(graph)) == [
        ("in", "n[0]"),
        ("in", "n[1]"),
        ("n[0]", "out"),
        ("n[1]", "out"),
    ]


def test_index_is_known_in_the_pipe_of_an_array() -> None:
    built = net("node n[3]: conv(2 + index) image -> n output first { a = n[0], b = n[2] }")
    assert [built.graph.node(f"n[{i}]").shape[0] for i in range(3)] == [2, 3, 4]


def test_wires_may_be_written_in_any_order() -> None:
    built = net("node b: relu node a: conv a -> b image -> a output b")
    assert [node.name for node in built.graph.nodes] == ["image", "a", "b"]


def test_stage_entry_brings_channels_and_stride() -> None:
    built = net(
        "stage s { channels = 8 stride = 2 node n: relu connect chain } image -> s output s"
    )
    entry, graph = built.graph.node("s").steps
    assert isinstance(entry, Block)
    assert isinstance(graph, Graph)
    assert entry.shape == graph.nodes[0].shape == (8, 4, 4)


def test_stage_without_change_has_no_entry() -> None:
    built = net("stage s { node n: relu connect chain } image -> s output s")
    assert len(built.graph.node("s").steps) == 1


def test_custom_stage_entry_knows_channels_and_stride() -> None:
    built = net(
        "stage s { channels = 2 * in.channels stride = 2 entry = conv(channels, stride = stride)"
        " node n: conv(in.channels) connect chain } image -> s output s"
    )
    assert built.graph.node("s").shape == (8, 4, 4)


def test_block_as_pipe_sees_its_input() -> None:
    built = net(
        "node a: wide image -> a output a", "block wide(by = 2) = conv(in.channels * by) |> bn"
    )
    block = built.graph.node("a").steps[0]
    assert isinstance(block, Block)
    assert (block.name, block.shape) == ("wide", (8, 8, 8))


def test_block_with_a_body_is_a_graph() -> None:
    built = net(
        "node a: se image -> a output a",
        "block se { node scale: gap |> fc(in.channels) |> sigmoid node y: mul"
        " in -> scale in, scale -> y -> out }",
    )
    block = built.graph.node("a").steps[0]
    assert isinstance(block, Block)
    body = block.steps[0]
    assert isinstance(body, Graph)
    assert body.node("y").merge == "mul"
    assert body.node("y").shape == (4, 8, 8)


def test_blocks_take_pipes_as_arguments() -> None:
    built = net(
        "node a: twice(conv(8) |> bn) image -> a output a", "block twice(body: op) = body |> body"
    )
    block = built.graph.node("a").steps[0]
    assert isinstance(block, Block)
    assert [step.op for step in block.steps if isinstance(step, Op)] == ["conv", "bn"] * 2


def test_concat_adds_channels() -> None:
    built = net("node a: conv(3) node b: concat |> relu image -> a image, a -> b output b")
    assert built.graph.node("b").shape == (7, 8, 8)
    assert built.graph.node("b").merge == "concat"


def test_through_changes_what_an_edge_carries() -> None:
    built = net(
        "node a, b: conv(6) image -> a a -> b image -> b through conv(6, kernel = 1) output b"
    )
    assert built.graph.edges_into("b")[1].steps[0].shape == (6, 8, 8)  # type: ignore[union-attr]


def test_source_router_weighs_the_edges_that_leave_a_node() -> None:
    graph = stage_of(
        net(
            "stage s { node n[2]: relu connect complete via gate(0.1) } image -> s output s",
            "router gate(tau) = gap |> fc |> sigmoid |> threshold(tau)",
        )
    )
    assert [(r.name, r.outputs) for r in graph.routers] == [
        ("gate_in", 3),
        ("gate_n_0", 2),
        ("gate_n_1", 1),
    ]
    router = graph.routers[0]
    assert (router.activation, router.threshold, router.train) == ("sigmoid", 0.1, "hard")
    assert router.steps[-1].params == {"channels": 3, "bias": True, "init": 1.0}


def routers_of(pipe: str) -> tuple[Router, ...]:
    text = f"stage s {{ node n[2]: relu connect complete via {pipe} }} image -> s output s"
    return stage_of(net(text)).routers


def test_target_router_weighs_the_edges_that_enter_a_node() -> None:
    found = routers_of('reads("target") |> gap |> fc |> softmax')
    assert [(r.vertex, r.outputs) for r in found] == [("n[0]", 1), ("n[1]", 2), ("out", 3)]


def test_stage_router_weighs_all_edges_in_groups_by_target() -> None:
    (router,) = routers_of('reads("stage") |> gap |> fc |> sigmoid')
    assert (router.vertex, router.groups) == ("in", (1, 2, 3))
    assert router.steps[-1].params["init"] == 2.0


def test_static_weights_read_nothing() -> None:
    (router,) = routers_of("learned |> sigmoid |> threshold(0.2)")
    assert (router.reads, router.vertex, router.outputs) == ("nothing", None, 6)


def test_hidden_layers_of_a_router_keep_their_size() -> None:
    router = routers_of("gap |> fc(16) |> relu |> fc |> sigmoid")[0]
    assert [step.shape for step in router.steps] == [(4,), (16,), (16,), (3,)]


def test_nets_and_blocks_may_have_routers() -> None:
    built = net(
        "node a: skip node b: relu image -> a a -> b via gap |> fc |> sigmoid output b",
        "block skip { node body: conv in -> body in -> out"
        " body -> out via gap |> fc |> sigmoid |> threshold(0.1) }",
    )
    assert built.graph.is_gated
    block = built.graph.node("a").steps[0]
    assert isinstance(block, Block)
    assert isinstance(block.steps[0], Graph)
    assert block.steps[0].is_gated


def test_params_have_domains_and_can_be_set() -> None:
    text = "node a: conv(width) image -> a output a"
    before = "param width: int = 4 in [4, 8]"
    assert net(text, before).graph.node("a").shape[0] == 4
    assert net(text, before, width=8).graph.node("a").shape[0] == 8
    assert net(text, before, width="8").settings["width"] == 8
    with pytest.raises(dagdsl.UsageError, match="one of 4, 8, not 5"):
        net(text, before, width=5)
    with pytest.raises(dagdsl.UsageError, match="whole number"):
        net(text, before, width=4.5)
    with pytest.raises(dagdsl.UsageError, match="no param `wdith`"):
        net(text, before, wdith=8)


def test_formals_of_a_net_can_be_set() -> None:
    text = "net N(classes: int = 10) { input x: f32[4] node y: fc(classes) x -> y output y }"
    assert dagdsl.loads(text, classes=3).graph.node("y").shape == (3,)


def test_several_nets_in_a_file() -> None:
    text = "".join(f"net {n} {{ input x: f32[4] node y: fc(2) x -> y output y }} " for n in "AB")
    assert dagdsl.loads(text, net="B").name == "B"
    with pytest.raises(dagdsl.UsageError, match="A, B"):
        dagdsl.loads(text)


def test_divisible_is_the_rule_of_mobilenet() -> None:
    built = net("node a: conv(divisible(24 * 1.4, 8)) image -> a output a")
    assert built.graph.node("a").shape[0] == 32


def test_arithmetic_of_long_chains_does_not_recurse() -> None:
    long = " + ".join(["1"] * 60)
    assert net(f"node a: conv({long}) image -> a output a").graph.node("a").shape[0] == 60


def test_json_is_the_identity() -> None:
    for path in Path("examples").glob("*.dg"):
        built = dagdsl.load(path)
        again = Net.from_json(built.to_json())
        assert again == built
        assert again.hash == built.hash
        assert dump(again) == dump(built)


def test_hash_depends_on_the_network_not_on_its_spelling() -> None:
    one = net("node a: conv(2 * 4) image -> a output a", "param t: int = 1")
    two = net("# the same\nwide = 8 node a: conv(wide) image -> a output a")
    three = net("node a: conv(9) image -> a output a")
    assert one.hash == two.hash != three.hash


def test_origin_runs_through_blocks() -> None:
    built = net("node a: outer image -> a output a", "block inner = conv block outer = inner |> bn")
    outer = built.graph.node("a").steps[0]
    assert isinstance(outer, Block)
    inner = outer.steps[0]
    assert isinstance(inner, Block)
    origin = inner.steps[0].origin
    assert origin is not None
    assert origin.span.text == "conv"
    assert [frame.what for frame in origin.frames] == ["block `outer`", "block `inner`"]
    assert origin.outermost.text == "outer"
