"""Net -> text -> net is the identity, including the hash."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

import dagdsl
from dagdsl.errors import UsageError
from dagdsl.frontend import analyse_file
from dagdsl.ir.nodes import Net
from dagdsl.unparse.writer import text_of
from tests.strategies import nets

ROOT = Path(__file__).parents[2]
SHIPPED = sorted([*ROOT.glob("examples/**/*.dg"), *ROOT.glob("dagdsl/std/models/*.dg")])


def check(net: Net) -> str:
    text = text_of(net)
    assert dagdsl.loads(text).hash == net.hash
    assert text_of(dagdsl.loads(text)) == text
    return text


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_nets(path: Path) -> None:
    for net in analyse_file(path).nets.values():
        # `text_of` loads the text again and raises if the net differs.
        text_of(net)


@given(nets())
@settings(max_examples=60, deadline=None)
def test_any_net(net: Net) -> None:
    check(net)


def test_through_json() -> None:
    net = dagdsl.load(ROOT / "examples" / "quickstart.dg", tau=0.3)
    assert check(Net.from_json(net.to_json())) == text_of(net)


def shown(text: str) -> list[str]:
    return check(dagdsl.loads(text)).splitlines()


def in_net(*lines: str) -> str:
    body = "\n".join(lines)
    return f"net N {{\n  input image: f32[3, 8, 8]\n{body}\n}}\n"


def test_uses_of_a_block_become_arguments() -> None:
    block = "block b(n, k, body: op) = conv(n, kernel = k) |> body |> conv(n, kernel = 1)\n"
    body = "node x: b(8, 3, relu)  node y: b(4, 5, tanh)  image -> x -> y  output y"
    lines = shown(block + in_net(body))
    pipe = "conv(channels, kernel = kernel) |> body |> conv(kernel = 1)"
    assert lines[2] == f"block b(channels, kernel, body: op) = {pipe}"
    assert "  node x: b(8, kernel = 3, body = relu)" in lines
    assert "  node y: b(4, kernel = 5, body = tanh)" in lines


def test_blocks_with_bodies() -> None:
    block = "block b(n, k) { node a[n]: conv(kernel = k)  in -> a -> out }\n"
    lines = shown(block + in_net("node x: b(2, 3) |> b(3, 5)", "image -> x", "output x"))
    assert "block b(count, kernel) {" in lines
    assert "  node a[count]: conv(kernel = kernel)" in lines
    assert "  in -> a -> out" in lines
    assert "  node x: b(2, kernel = 3) |> b(3, kernel = 5)" in lines


def test_arrays_pick_from_lists() -> None:
    wires = "image -> n[0] -> n[1] -> n[2] -> end"
    lines = shown(in_net("node n[3]: conv(4 * index + 4)  node end: gap", wires, "output end"))
    assert "  node n[3]: conv([4, 8, 12][index])" in lines


def test_arrays_of_stages() -> None:
    stage = "stage s[2] { channels = 4 * index + 4  node n[index + 1]: conv  connect complete }"
    lines = shown(in_net(stage, "image -> s[0] -> s[1]", "output last { x = s[1] }"))
    assert "    count      = [1, 2][index]" in lines
    assert "    node n[count]: conv" in lines
    assert "    connect complete" in lines


def test_wires_without_a_pattern() -> None:
    router = "router r = learned |> sigmoid\n"
    stage = "stage s { node n[5]: conv  connect ws(k = 2, seed = 3) via r }"
    assert any("edges(" in line for line in shown(router + in_net(stage, "image -> s", "output s")))


def test_the_order_of_nodes_is_kept() -> None:
    body = "node a: conv(3)  node n[2]: conv(3)  node end: sum  image -> n  n[0] -> a"
    net = dagdsl.loads(in_net(body, "a, n[1] -> end", "output end"))
    assert [node.name for node in net.graph.nodes] == ["image", "n[0]", "a", "n[1]", "end"]
    check(net)


def test_routers_with_numbers() -> None:
    routers = "router gate = gap |> fc |> sigmoid\nrouter gate_2 = gap |> fc |> softmax\n"
    nodes = "node a, b, c: conv(3)  image -> a via gate  a -> b via gate_2  image -> b via gate"
    rest = 'b -> c via gap |> fc |> sigmoid  a -> c via reads("stage") |> gap |> fc'
    check(dagdsl.loads(routers + in_net(nodes, rest, "output c")))


def test_nets_that_no_text_describes() -> None:
    net = dagdsl.loads(in_net("node a: conv(3)", "image -> a", "output a"))
    other = net.replace(outputs=(net.outputs[0].replace(name="b"),))
    with pytest.raises(UsageError, match="cannot be written as text: output `b`"):
        text_of(other)
