"""Nets built by hand: inputs of the drawing tests."""

from __future__ import annotations

import json
from itertools import pairwise

from dagdsl.ir.nodes import (
    Block,
    Edge,
    Gate,
    Graph,
    Net,
    Node,
    Op,
    Output,
    Router,
    Shape,
    Step,
    Value,
    inner_graph,
)


def op(name: str, shape: Shape = (), **params: Value | None) -> Op:
    return Op(op=name, params=params, shape=shape)


def conv(shape: Shape, kernel: int = 3, stride: int = 1) -> Op:
    return op("conv", shape, channels=shape[0], kernel=kernel, stride=stride, groups=1)


def gate(name: str, vertex: str | None, edges: int, tau: float = 0.1) -> Router:
    steps = (op("gap"), op("fc", channels=edges))
    return Router(
        name=name,
        reads="source",
        vertex=vertex,
        steps=steps,
        groups=(edges,),
        activation="sigmoid",
        threshold=tau,
    )


def complete_graph(depth: int, shape: Shape, block: str = "ir", tau: float = 0.1) -> Graph:
    """A complete DAG in which a node's own router weighs its outgoing edges."""
    names = ["in", *(f"n[{i}]" for i in range(depth)), "out"]
    inner = Block(name=block, steps=(conv(shape),), shape=shape)
    nodes = (
        Node(kind="in", name="in", shape=shape),
        *(Node(kind="node", name=name, steps=(inner,), shape=shape) for name in names[1:-1]),
        Node(kind="out", name="out", shape=shape),
    )
    edges: list[Edge] = []
    routers: list[Router] = []
    for i, source in enumerate(names[:-1]):
        router = "gate_" + source.replace("[", "_").replace("]", "")
        targets = names[i + 1 :]
        routers.append(gate(router, source, len(targets), tau))
        edges += [
            Edge(source=source, target=target, gate=Gate(router=router, index=k))
            for k, target in enumerate(targets)
        ]
    return Graph(nodes=nodes, edges=tuple(edges), routers=tuple(routers))


def stage(name: str, shape: Shape, graph: Graph, entry: tuple[Step, ...] = ()) -> Node:
    return Node(kind="stage", name=name, steps=(*entry, graph), shape=shape)


def chain(*nodes: Node) -> tuple[Edge, ...]:
    return tuple(Edge(source=a.name, target=b.name) for a, b in pairwise(nodes))


def dgnet(stages: int, depth: int, taps: bool = False, same: bool = True) -> Net:
    """An image classifier of complete DAGs."""
    nodes = [
        Node(kind="in", name="image", shape=(3, 32, 32)),
        Node(
            kind="node",
            name="stem",
            steps=(conv((32, 16, 16), 3, 2), op("bn"), op("relu6")),
            shape=(32, 16, 16),
        ),
    ]
    for i in range(stages):
        shape = (24 << i, max(1, 16 >> i), max(1, 16 >> i))
        graph = complete_graph(depth, shape, tau=0.1 if same else 0.1 * (i + 1))
        nodes.append(stage(f"s{i + 1}", shape, graph, (conv(shape, 1, 2), op("bn"))))
    head = (op("gap"), op("fc", channels=10))
    nodes.append(Node(kind="node", name="logits", steps=head, shape=(10,)))
    outputs = [Output(name="logits", value="logits")]
    if taps:
        outputs.append(Output(name="features", value={"p3": "s1", "p4": f"s{stages}"}))
    graph = Graph(nodes=tuple(nodes), edges=chain(*nodes))
    return Net(name="DGNet", graph=graph, outputs=tuple(outputs))


def branches() -> Net:
    """Two inputs, a fork, a skip around it, an early exit, gates between nodes of the net."""
    big, small = (16, 32, 32), (16, 16, 16)
    nodes = (
        Node(kind="in", name="image", shape=(3, 32, 32)),
        Node(kind="in", name="mask", shape=(16,)),
        Node(kind="node", name="stem", steps=(conv(big), op("bn")), shape=big),
        Node(kind="node", name="left", steps=(conv(big), op("relu")), shape=big),
        Node(kind="node", name="right", steps=(conv(big, 5),), shape=big),
        Node(kind="node", name="join", merge="concat", steps=(conv(small, 1, 2),), shape=small),
        stage("s1", small, complete_graph(3, small)),
        Node(kind="node", name="exit", steps=(op("gap"), op("fc", channels=10)), shape=(10,)),
        Node(kind="node", name="scaled", merge="mul", shape=small),
        Node(kind="node", name="head", steps=(op("gap"), op("fc", channels=10)), shape=(10,)),
    )

    def edge(source: str, target: str, index: int | None = None, *steps: Step) -> Edge:
        gate = None if index is None else Gate(router="skip", index=index)
        return Edge(source=source, target=target, gate=gate, steps=steps)

    edges = (
        edge("image", "stem"),
        edge("stem", "left", 0),
        edge("stem", "right", 1),
        edge("left", "join"),
        edge("right", "join"),
        edge("stem", "join", None, conv(big, 1), op("bn")),
        edge("join", "s1"),
        edge("s1", "scaled"),
        edge("s1", "exit"),
        edge("mask", "scaled"),
        edge("join", "scaled"),
        edge("scaled", "head"),
    )
    graph = Graph(nodes=nodes, edges=edges, routers=(gate("skip", "stem", 2, 0.5),))
    outputs = (
        Output(name="logits", value="head"),
        Output(name="early", value="exit"),
        Output(name="features", value={"p4": "s1"}),
    )
    return Net(name="Branches", graph=graph, outputs=outputs)


def merges() -> Net:
    """Explicit wires: static and gated edges, concat and mul, transforms, parallel edges."""
    wide, deep = (32, 8, 8), (64, 8, 8)
    up, project = op("upsample", scale=2), conv(deep, 1)
    nodes = (
        Node(kind="in", name="in", shape=wide),
        Node(kind="node", name="a", steps=(conv(wide),), shape=wide),
        Node(kind="node", name="b", steps=(op("maxpool", kernel=3, stride=1),), shape=wide),
        Node(kind="node", name="c", merge="concat", steps=(conv(deep, 1), op("bn")), shape=deep),
        Node(kind="node", name="squeeze", steps=(op("gap"), op("sigmoid")), shape=(64,)),
        Node(kind="node", name="scale", merge="mul", shape=deep),
        Node(kind="out", name="out", merge="concat", shape=(96, 8, 8)),
    )
    soft = Router(
        name="soft",
        reads="target",
        vertex="scale",
        steps=(op("gap"), op("fc", channels=2)),
        groups=(2,),
        activation="softmax",
    )
    edges = (
        Edge(source="in", target="a"),
        Edge(source="in", target="b"),
        Edge(source="a", target="b", gate=Gate(router="gate", index=0)),
        Edge(source="a", target="c", gate=Gate(router="gate", index=1)),
        Edge(source="b", target="c"),
        Edge(source="b", target="c", steps=(up,)),
        Edge(source="b", target="scale", steps=(project, op("bn"))),
        Edge(source="c", target="squeeze"),
        Edge(source="c", target="scale", gate=Gate(router="soft", index=0)),
        Edge(source="squeeze", target="scale", gate=Gate(router="soft", index=1)),
        Edge(source="a", target="out"),
        Edge(source="scale", target="out"),
    )
    graph = Graph(nodes=nodes, edges=edges, routers=(gate("gate", "a", 2), soft))
    image = Node(kind="in", name="image", shape=wide)
    only = stage("cell", (96, 8, 8), graph)
    net = Graph(nodes=(image, only), edges=chain(image, only))
    return Net(name="Merges", graph=net, outputs=(Output(name="y", value="cell"),))


def static() -> Net:
    """No stage at all: two nodes in a row."""
    nodes = (
        Node(kind="in", name="x", shape=(8,)),
        Node(kind="node", name="fc1", steps=(op("fc", channels=4), op("relu")), shape=(4,)),
    )
    graph = Graph(nodes=nodes, edges=chain(*nodes))
    return Net(name="Small", graph=graph, outputs=(Output(name="y", value="fc1"),))


def hostile(text: str) -> Net:
    """The net of explicit wires with `text` in the names of nodes, routers, blocks and outputs."""
    names = {"a", "b", "squeeze", "gate", "soft", "cell", "y", "Merges"}

    def spoil(value: object) -> object:
        if isinstance(value, dict):
            return {key: spoil(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [spoil(inner) for inner in value]
        return value + text if isinstance(value, str) and value in names else value

    return Net.from_json(json.dumps(spoil(json.loads(merges().to_json()))))


def graphs(net: Net) -> tuple[Graph, ...]:
    """The net's own graph and those of its stages."""
    inner = (inner_graph(node) for node in net.stages)
    return (net.graph, *(graph for graph in inner if graph))
