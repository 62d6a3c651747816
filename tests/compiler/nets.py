"""Small nets for the tests of the compiler, built directly as IR."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

from dagdsl.ir.nodes import (
    Block,
    Edge,
    Gate,
    Graph,
    Merge,
    Net,
    Node,
    Op,
    Output,
    Reads,
    Router,
    Shape,
    Step,
)
from dagdsl.ops.catalogue import OPS
from dagdsl.ops.spec import SAME_CHANNELS

SHAPE: Shape = (4, 8, 8)


def op(name: str, x: Shape = SHAPE, **given: Any) -> Op:
    """Return an op of the catalogue for an input of shape `x`, with defaults filled in."""
    spec = OPS[name]
    params: dict[str, Any] = {
        p.name: x[0] if p.default is SAME_CHANNELS else p.default for p in spec.params
    }
    params.update(given)
    return Op(op=name, params=params, shape=spec.shape(x, params))


def pipe(x: Shape, *steps: tuple[str, dict[str, Any]] | str) -> tuple[Op, ...]:
    """Return a sequence of ops for an input of shape `x`."""
    made: list[Op] = []
    for step in steps:
        name, given = (step, {}) if isinstance(step, str) else step
        made.append(op(name, x, **given))
        x = made[-1].shape
    return tuple(made)


def block(name: str, x: Shape, *steps: tuple[str, dict[str, Any]] | str) -> Block:
    inner = pipe(x, *steps)
    return Block(name=name, steps=inner, shape=inner[-1].shape)


def router(
    name: str,
    vertex: str | None,
    edges: int,
    *,
    x: Shape = SHAPE,
    reads: Reads = "source",
    init: float | None = 0.0,
    **decision: Any,
) -> Router:
    """Return the router `gap |> fc |> sigmoid |> threshold(0.5)`.

    With `reads="nothing"` its logits are `learned`. `decision` overrides fields of the router.
    """
    decision = {"activation": "sigmoid", "threshold": 0.5, "groups": (edges,), **decision}
    steps = (
        (op("learned", x, channels=edges, init=1.0 if init is None else init),)
        if reads == "nothing"
        else pipe(x, "gap", ("fc", {"channels": edges, "init": init}))
    )
    return Router(name=name, reads=reads, vertex=vertex, steps=steps, **decision)


def node(name: str, *steps: Step, x: Shape = SHAPE, merge: Merge = "sum") -> Node:
    last = steps[-1] if steps else None
    shape = x if last is None else last.nodes[-1].shape if isinstance(last, Graph) else last.shape
    return Node(kind="node", name=name, steps=steps, shape=shape, merge=merge)


def work(x: Shape = SHAPE) -> Block:
    """Return some shape-preserving steps for a node."""
    return block("cell", x, "conv", "bn", "relu")


def complete(
    depth: int,
    *,
    reads: Reads = "source",
    x: Shape = SHAPE,
    init: float | None = 0.0,
    edge_steps: Sequence[Op] = (),
    **decision: Any,
) -> Graph:
    """Return a complete DAG of `depth` nodes with gates on all edges."""
    names = ["in", *(f"n[{i}]" for i in range(depth)), "out"]
    nodes = (
        Node(kind="in", name="in", shape=x),
        *(node(name, work(x), x=x) for name in names[1:-1]),
        Node(kind="out", name="out", shape=x),
    )
    pairs = list(combinations(names, 2))
    made: dict[str, Router] = {}
    gates: dict[tuple[str, str], Gate] = {}
    if reads in ("stage", "nothing"):
        pairs.sort(key=lambda pair: names.index(pair[1]))
        into = tuple(sum(pair[1] == name for pair in pairs) for name in names[1:])
        decision = {**decision, "groups": into}
        gates = {pair: Gate(router="gate", index=i) for i, pair in enumerate(pairs)}
        made["gate"] = router("gate", None, len(pairs), reads=reads, x=x, init=init, **decision)
    else:
        side = 0 if reads == "source" else 1
        for vertex in names:
            own = [pair for pair in pairs if pair[side] == vertex]
            if own:
                name = "gate_" + vertex.replace("[", "_").replace("]", "")
                gates.update({p: Gate(router=name, index=i) for i, p in enumerate(own)})
                made[name] = router(name, vertex, len(own), reads=reads, x=x, init=init, **decision)
    edges = tuple(
        Edge(source=s, target=t, gate=gates[s, t], steps=tuple(edge_steps)) for s, t in pairs
    )
    return Graph(nodes=nodes, edges=edges, routers=tuple(made.values()))


def net_of(*stages: Graph, classes: int = 3, x: Shape = SHAPE) -> Net:
    """Return a net `image -> stem -> stages -> logits`, with taps if it has several stages."""
    nodes = [Node(kind="in", name="image", shape=(3, *x[1:]))]
    stem = pipe((3, *x[1:]), ("conv", {"channels": x[0]}), "bn", "relu")
    nodes.append(node("stem", *stem))
    for i, stage in enumerate(stages, 1):
        nodes.append(Node(kind="stage", name=f"s{i}", steps=(stage,), shape=x))
    nodes.append(node("logits", *pipe(x, "gap", ("fc", {"channels": classes}))))
    names = [n.name for n in nodes]
    edges = tuple(Edge(source=s, target=t) for s, t in pairwise(names))
    outputs = [Output(name="logits", value="logits")]
    if len(stages) > 1:
        taps = {f"p{i}": f"s{i}" for i in range(1, len(stages) + 1)}
        outputs.append(Output(name="features", value=taps))
    return Net(name="Test", graph=Graph(nodes=tuple(nodes), edges=edges), outputs=tuple(outputs))


READS: tuple[Reads, ...] = ("source", "stage", "nothing")
MERGES: tuple[Merge, ...] = ("sum", "sum", "concat", "mul", "mean", "max")


def random_graph(seed: int, x: Shape) -> Graph:
    """Return a random graph with all kinds of merges, gates and routers, and steps on edges."""
    rng = random.Random(seed)
    count = rng.randint(2, 5)
    names = ["in", *(f"n[{i}]" for i in range(count)), "out"]
    pairs = [
        (s, t)
        for s, t in combinations(names, 2)
        if rng.random() < 0.6 or names.index(t) - names.index(s) == 1
    ]
    edges: list[Edge] = []
    routers = []
    for source in names[:-1]:
        own = [pair for pair in pairs if pair[0] == source]
        gated = [pair for pair in own if rng.random() < 0.75]
        if gated:
            reads: Reads = rng.choice(READS)
            vertex = source if reads == "source" else None
            activation = rng.choice(["sigmoid", "softmax", "relu_tanh", "hard_concrete", "none"])
            threshold = rng.choice([None, 0.3, 0.5, 0.5])
            dead = rng.choice(["zero", "zero", "keep_strongest"])
            train = rng.choice(["hard", "soft", "straight_through"])
            topk = rng.choice([None, None, 1, 2])
            dead = "zero" if topk else dead
            binary = threshold is not None and train != "soft" and rng.random() < 0.3
            name = f"r_{names.index(source)}"
            routers.append(
                router(
                    name, vertex, len(gated), x=x, reads=reads, activation=activation,
                    threshold=threshold, dead=dead, train=train, normalise=rng.random() < 0.2,
                    topk=topk, binary=binary,
                )
            )  # fmt: skip
        for pair in own:
            through = (op("conv", x, bias=True),) if rng.random() < 0.3 else ()
            gate = Gate(router=name, index=gated.index(pair)) if pair in gated else None
            edges.append(Edge(source=pair[0], target=pair[1], gate=gate, steps=through))
    nodes = [Node(kind="in", name="in", shape=x)]
    for name in names[1:-1]:
        width = sum(t == name for _, t in pairs)
        merge: Merge = rng.choice(MERGES)
        wide = (width * x[0], *x[1:]) if merge == "concat" else x
        steps = pipe(wide, ("conv", {"channels": x[0]}), "bn", "relu")
        nodes.append(node(name, *steps, x=x, merge=merge))
    nodes.append(
        Node(kind="out", name="out", shape=x, merge=rng.choice(["sum", "mul", "mean", "max"]))
    )
    return Graph(nodes=tuple(nodes), edges=tuple(edges), routers=tuple(routers))
