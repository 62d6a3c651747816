"""The elements of the IR: how they are made, compared, hashed, copied, pickled and written."""

from __future__ import annotations

import copy
import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

import dagdsl
from dagdsl.analysis.verify import verify
from dagdsl.frontend import analyse_file
from dagdsl.ir.element import unchecked
from dagdsl.ir.nodes import Block, Edge, Gate, Graph, Net, Node, Op, Output, Value, inner_graph
from dagdsl.source import Origin, SourceFile, Span

GOLDENS = Path(__file__).parent / "goldens"
HERE = Origin(Span(SourceFile("a.dg", "conv"), 0, 4))
FROZEN: dict[str, dict[str, str]] = json.loads((GOLDENS / "ir_0_1_0.json").read_text())
"""`FILE:NET` -> the hash of the net and the sha256 of its `ir.json`, as version 0.1.0 made them."""


def conv(**params: Value) -> Op:
    return Op(op="conv", params={**params}, shape=(4, 8, 8))


def nested(levels: int) -> Net:
    """A net of `levels` blocks inside one another, all but the innermost with a body."""
    blocks = "".join(
        f"block b{i} {{ node n: b{i - 1} in -> n -> out }}\n" for i in range(1, levels)
    )
    return dagdsl.loads(
        f"block b0 = conv\n{blocks}net N {{ input image: f32[4, 8, 8] "
        f"stage s {{ node n: b{levels - 1} in -> n -> out }} image -> s output s }}"
    )


def test_hashes_and_json_are_those_of_the_first_version() -> None:
    found = {}
    for file in {key.rpartition(":")[0] for key in FROZEN}:
        for name, net in analyse_file(Path(file)).nets.items():
            text = hashlib.sha256(net.to_json().encode()).hexdigest()
            found[f"{file}:{name}"] = {"hash": net.hash, "json": text}
    assert found == FROZEN


def test_json_of_the_first_version_is_read_and_written_unchanged() -> None:
    text = (GOLDENS / "mixture_0_1_0.json").read_text()
    net = Net.from_json(text)
    assert verify(net) is None
    assert net.to_json() == text
    assert net == dagdsl.load("examples/topologies/mixture_of_experts.dg")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Op(op="conv", shape=(4, "wide")), "shape.1"),  # type: ignore[arg-type]
        (lambda: Op(op="conv"), "Field required"),  # type: ignore[call-arg]
        (lambda: Op(op="conv", shape=(4,), size=3), "size"),  # type: ignore[call-arg]
        (lambda: Node(kind="nod", name="n", shape=(4,)), "'in', 'node'"),  # type: ignore[arg-type]
        (lambda: Block(name="b", steps=(Gate(router="r", index=0),), shape=(4,)), "steps.0"),  # type: ignore[arg-type]
        (lambda: conv().replace(shape=None), "shape"),
        (lambda: conv().replace(width=3), "width"),
    ],
)
def test_elements_made_by_hand_are_validated(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        make()
    assert isinstance(raised.value, ValidationError)


def test_unchecked_elements_are_those_that_are_validated() -> None:
    params: dict[str, int | str | None] = {"kernel": 3}
    made = unchecked(Op, HERE)(op="conv", params=dict(params), shape=(4, 8, 8))
    assert made == Op(op="conv", params=dict(params), shape=(4, 8, 8))
    assert made.origin is HERE
    assert made.model_fields_set == {"op", "params", "shape"}
    assert made.model_dump_json() == Op.model_validate(made.model_dump()).model_dump_json()
    first, second = unchecked(Op)(op="a", shape=()), unchecked(Op)(op="a", shape=())
    assert first.params == {}
    assert first.params is not second.params
    assert unchecked(Edge)(source="a", target="b") == Edge(source="a", target="b")
    with pytest.raises(ValidationError, match="shape"):
        unchecked(Op)(op="conv")  # type: ignore[call-arg]


def test_elements_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        conv().op = "bn"  # type: ignore[misc]


def test_order_of_parameters_plays_no_part() -> None:
    one, two = conv(kernel=3, stride=2), conv(stride=2, kernel=3)
    assert one == two
    assert hash(one) == hash(two)
    assert one != conv(kernel=3, stride=1)
    assert Block(name="b", steps=(one,), shape=(4,)) == Block(name="b", steps=(two,), shape=(4,))
    assert len({one, two, conv(kernel=3)}) == 2


def test_elements_of_different_classes_or_lengths_differ() -> None:
    assert conv() != Gate(router="r", index=0)
    assert conv() != "conv"
    assert Graph(nodes=()) != Graph(nodes=(Node(kind="in", name="in", shape=(4,)),))
    assert Block(name="b", steps=(conv(),), shape=(4,)) != Block(name="b", steps=(), shape=(4,))


def test_origin_is_no_part_of_an_element() -> None:
    plain = conv(kernel=3)
    placed = plain.at(HERE)
    assert plain.origin is None
    assert placed.origin is HERE
    assert placed == plain
    assert hash(placed) == hash(plain)
    assert placed.model_dump() == plain.model_dump()
    assert "origin" not in json.dumps(Net.json_schema())


def test_replace_keeps_the_origin_and_the_elements_inside() -> None:
    step = conv(kernel=3)
    node = Node(kind="node", name="a", steps=(step,), shape=(4, 8, 8)).at(HERE)
    other = node.replace(name="b")
    assert other == Node(kind="node", name="b", steps=(step,), shape=(4, 8, 8))
    assert other.origin is HERE
    assert other.steps[0] is step
    assert node.name == "a"
    assert node.model_copy(update={"name": "b"}) == other


def test_lookups_of_a_graph_are_no_part_of_it() -> None:
    nodes = (Node(kind="in", name="a", shape=(4,)), Node(kind="node", name="b", shape=(4,)))
    graph = Graph(nodes=nodes, edges=(Edge(source="a", target="b"),))
    fresh = Graph(nodes=nodes, edges=graph.edges)
    assert graph.node("b") is nodes[1]
    assert graph.edges_into("b") == graph.edges
    assert graph.edges_into("a") == ()
    assert graph == fresh
    assert hash(graph) == hash(fresh)
    assert graph.model_dump_json() == fresh.model_dump_json()
    assert Block(name="b", steps=(graph,), shape=(4,)).model_dump_json() == (
        Block(name="b", steps=(fresh,), shape=(4,)).model_dump_json()
    )
    assert graph.replace(edges=()).edges_into("b") == ()


def test_net_with_a_list_among_its_settings_is_hashable() -> None:
    graph = Graph(nodes=(Node(kind="in", name="x", shape=(4,)),))
    outputs = (Output(name="y", value={"a": "x", "b": "x"}),)
    one = Net(name="N", settings={"w": [3, 4], "d": 1}, graph=graph, outputs=outputs)
    two = Net(name="N", settings={"d": 1, "w": [3, 4]}, graph=graph, outputs=outputs)
    assert one == two
    assert hash(one) == hash(two)
    assert one != one.replace(settings={"w": [3, 4, 5], "d": 1})


def test_copies_and_pickles() -> None:
    net = dagdsl.load("examples/quickstart.dg")
    assert copy.copy(net) is net
    assert copy.deepcopy(net) is net
    for again in (pickle.loads(pickle.dumps(net)), pickle.loads(pickle.dumps([net], 2))[0]):
        assert again == net
        assert again.hash == net.hash
        assert again.origin == net.origin
        assert [n.origin for n in again.graph.nodes] == [n.origin for n in net.graph.nodes]
        assert again.to_json() == net.to_json()


def test_nets_may_nest_to_the_limit() -> None:
    net, twin = nested(32), nested(32)
    assert net == twin
    assert hash(net) == hash(twin)
    assert net.hash == twin.hash
    assert copy.deepcopy(net) == net
    assert pickle.loads(pickle.dumps(net)) == net
    assert verify(net) is None
    again = Net.from_json(net.to_json())
    assert again == net
    assert verify(again) is None
    stage = inner_graph(net.graph.node("s"))
    assert stage is not None
    assert net != net.replace(graph=stage)


def test_nets_may_not_nest_deeper() -> None:
    with pytest.raises(dagdsl.InvalidSource, match="DG0508"):
        nested(33)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"index": 0',
            '"index": "first"',
            r"`graph\.nodes\.2\..*gate\.index`: input should be a valid integer",
        ),
        ('"ir_version": 1', '"ir_version": 2', "`ir_version`: input should be 1"),
        ('"kind": "op"', '"kind": "opp"', "does not match any of the expected tags"),
        ("{", "{,", "invalid JSON"),
    ],
)
def test_wrong_json_is_refused_with_the_place(old: str, new: str, message: str) -> None:
    text = (GOLDENS / "mixture_0_1_0.json").read_text()
    with pytest.raises(ValueError, match=message):
        Net.from_json(text.replace(old, new, 1))
