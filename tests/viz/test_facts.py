from __future__ import annotations

import pytest

from dagdsl.ir.nodes import Block, Edge, Gate, Graph, Node, Router, Step
from dagdsl.viz import facts
from tests.viz.nets import conv, gate, op


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ((conv((8, 4, 4), 3, 2), op("bn"), op("relu6")), "conv 3x3 /2"),
        ((op("bn"), op("relu")), "bn |> relu"),
        ((op("relu"), op("gap"), op("fc", channels=10)), "gap |> fc"),
        ((op("upsample", scale=2, mode="nearest"),), "upsample x2"),
        ((Block(name="ir", steps=(conv((8, 4, 4)),), shape=(8, 4, 4)), op("bn")), "ir"),
        ((), ""),
    ],
)
def test_summary(steps: tuple[Step, ...], text: str) -> None:
    assert facts.summary(steps) == text


def test_merge_comes_first() -> None:
    node = Node(kind="node", name="n", merge="concat", steps=(conv((8, 4, 4), 1),), shape=(8, 4, 4))
    assert facts.node_summary(node) == "concat |> conv 1x1"
    assert facts.node_text(node) == "n: concat |> conv 1x1\n8 x 4 x 4"
    assert facts.node_text(Node(kind="in", name="in", shape=(8,))) == "in\n8"


@pytest.mark.parametrize(
    ("router", "text"),
    [
        (gate("g", "n", 2, 0.1), "gap |> fc |> sigmoid > 0.1"),
        (
            gate("g", "n", 2).replace(
                reads="target", train="straight_through", dead="keep_strongest"
            ),
            "reads target |> gap |> fc |> sigmoid > 0.1, straight through, keep strongest",
        ),
        (
            Router(
                name="g",
                reads="nothing",
                vertex=None,
                steps=(op("learned", channels=2, init=1.0),),
                groups=(2,),
                activation="softmax",
                normalise=True,
            ),
            "learned |> softmax |> normalise",
        ),
        (
            Router(
                name="g",
                reads="nothing",
                vertex=None,
                steps=(op("constant", channels=2, value=0.5),),
                groups=(2,),
            ),
            "constant 0.5",
        ),
    ],
)
def test_formula(router: Router, text: str) -> None:
    assert facts.formula(router) == text


def test_routers_with_the_same_formula_are_one_rule() -> None:
    routers = (gate("gate_in", "in", 1), gate("gate_n_0", "a", 1), gate("skip", "b", 1, 0.5))
    assert [rule.text for rule in facts.rules(Graph(nodes=(), routers=routers))] == [
        "gate: gap |> fc |> sigmoid > 0.1",
        "skip: gap |> fc |> sigmoid > 0.5",
    ]


def test_edge_text() -> None:
    edge = Edge(
        source="a",
        target="b",
        gate=Gate(router="g", index=1),
        steps=(conv((8, 4, 4), 1), op("bn")),
    )
    assert facts.edge_text(edge) == "a -> b through conv 1x1 |> bn via g[1]"


def test_entry_is_shown_by_its_steps() -> None:
    shape = (8, 4, 4)
    entry = Block(name="entry", steps=(op("relu"), conv(shape, 1, 2)), shape=shape)
    stage = Node(kind="stage", name="s", steps=(entry, Graph(nodes=())), shape=shape)
    assert facts.node_summary(stage) == "conv 1x1 /2"
