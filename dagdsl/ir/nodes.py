"""The IR: a network as data, with all numbers known and all shapes written down.

    Net ── graph: Graph, outputs
    Graph ── nodes, routers, edges        a DAG: the net itself, a stage, or the body of a block
    Node ── merge, steps                  merges its incoming edges, then applies its steps in order
    Step = Op | Block | Graph             a tensor op, an expanded block, a DAG inside a node
    Edge ── source, target, gate, steps   carries a node's output, transformed by `steps`
    Router ── steps, activation, ...      computes the weights of the edges whose `gate` names it

Nothing here depends on text (except `origin`) or on torch. Shapes are those of one sample:
`(C, H, W)` or `(C,)`; the batch dimension is left out. All elements are frozen pydantic models; see
`element.py` for how they are made, compared and copied.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeAlias

from pydantic import Field, ValidationError

from dagdsl.errors import UsageError
from dagdsl.ir.element import Element, unchecked

Shape: TypeAlias = tuple[int, ...]
Value: TypeAlias = bool | int | float | str

Merge = Literal["sum", "mean", "max", "concat", "mul", "first_confident"]
Reads = Literal["source", "target", "stage", "nothing"]
NodeKind = Literal["in", "node", "stage", "out"]
Activation = Literal["none", "sigmoid", "softmax", "relu_tanh", "hard_concrete"]
GateTraining = Literal["hard", "soft", "straight_through"]
Dead = Literal["zero", "keep_strongest"]


class Op(Element):
    """An operator of the catalogue with all its parameters; `shape` is that of its output."""

    kind: Literal["op"] = "op"
    op: str
    params: dict[str, Value | None] = Field(default_factory=dict)
    shape: Shape


class Block(Element):
    """An expanded `block`: its declared name and its steps."""

    kind: Literal["block"] = "block"
    name: str
    steps: tuple[Step, ...]
    shape: Shape


class Gate(Element):
    """The weight of an edge: output `index` of the router named `router` in the same graph."""

    router: str
    index: int


class Edge(Element):
    """An edge from `source` to `target`. Without a gate it is always open and its weight is one.

    `steps` transform what the edge carries, before the weight is applied.
    """

    source: str
    target: str
    gate: Gate | None = None
    steps: tuple[Step, ...] = ()


class Router(Element):
    """Computes, per sample, the weights of the edges whose gates refer to it.

    `reads` selects its input: the output of node `vertex` (`source`), the plain sum of what enters
    node `vertex` (`target`), the graph's input (`stage`), or nothing (`nothing`: its first step is
    a parameter or a constant). `steps` turn the input into one logit per edge. Then follow, in this
    order:

    - `activation`
    - `topk`: keeps the `topk` largest weights; the others become zero and close their edges
    - `normalise`: scales the weights to sum one
    - `threshold`: a weight at or below it becomes zero and closes its edge
    - `binary`: the weights of open edges become one

    `groups` are the sizes of runs of outputs to which softmax, `topk` and `normalise` apply
    separately: if one router serves a whole stage, the edges that enter each node.
    """

    name: str
    reads: Reads
    vertex: str | None
    steps: tuple[Op, ...]
    groups: tuple[int, ...]
    activation: Activation = "none"
    topk: int | None = None
    normalise: bool = False
    threshold: float | None = None
    binary: bool = False
    train: GateTraining = "hard"
    dead: Dead = "zero"

    @property
    def outputs(self) -> int:
        """The number of edges that it weighs."""
        return sum(self.groups)

    @property
    def closes(self) -> bool:
        """Whether it can close edges."""
        return self.topk is not None or self.threshold is not None


class Node(Element):
    """A vertex: merges its incoming edges, then applies `steps`; `shape` is that of its output.

    `merge_params` are the parameters of the merge, which is in the catalogue like an op.

    `in` and `out` are the ports of a graph. An `in` has no incoming edges; its output is the input
    of the graph. The `out` of a stage or block body only merges. A `stage` is a node whose last
    step is a graph; the steps before that are its entry.
    """

    kind: NodeKind
    name: str
    merge: Merge = "sum"
    merge_params: dict[str, Value | None] = Field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    shape: Shape


class _Lookups(NamedTuple):
    nodes: dict[str, Node]
    edges_into: dict[str, tuple[Edge, ...]]
    routers: dict[str, Router]


class Graph(Element):
    """A DAG, with `nodes` in topological order: every edge leads to a later node.

    The first node of a stage or block body is its only `in`, named `in`, and the last one its only
    `out`, named `out`. The net's own graph has an `in` per declared input and no `out`.
    """

    kind: Literal["graph"] = "graph"
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()
    routers: tuple[Router, ...] = ()

    # A slot for the lookups, because a cached property would stand among the fields in `__dict__`:
    # some versions of pydantic then try each step of a nested graph twice when they write JSON.
    __slots__ = ("_made_lookups",)
    if TYPE_CHECKING:
        _made_lookups: _Lookups

    @property
    def _lookups(self) -> _Lookups:
        try:
            return self._made_lookups
        except AttributeError:
            into: dict[str, list[Edge]] = {}
            for edge in self.edges:
                into.setdefault(edge.target, []).append(edge)
            lookups = _Lookups(
                {node.name: node for node in self.nodes},
                {target: tuple(edges) for target, edges in into.items()},
                {router.name: router for router in self.routers},
            )
            object.__setattr__(self, "_made_lookups", lookups)
            return lookups

    def node(self, name: str) -> Node:
        """Return the node of that name. Raises KeyError if there is none."""
        return self._lookups.nodes[name]

    def router(self, name: str) -> Router:
        """Return the router of that name. Raises KeyError if there is none."""
        return self._lookups.routers[name]

    def edges_into(self, name: str) -> tuple[Edge, ...]:
        """Return the incoming edges of a node, in the order in which it merges them."""
        return self._lookups.edges_into.get(name, ())

    def restricted_to(self, names: Collection[str]) -> Graph:
        """Return the graph of these nodes, the edges between them and the routers of those edges.

        Raises ValueError if a router also weighs other edges.
        """
        edges = tuple(e for e in self.edges if e.source in names and e.target in names)
        weighed = Counter(edge.gate.router for edge in edges if edge.gate is not None)
        routers = tuple(router for router in self.routers if weighed[router.name])
        for router in routers:
            if weighed[router.name] != router.outputs:
                raise ValueError(f"router `{router.name}` weighs edges on both sides of the cut")
        nodes = tuple(node for node in self.nodes if node.name in names)
        return unchecked(Graph, self.origin)(nodes=nodes, edges=edges, routers=routers)

    @property
    def is_gated(self) -> bool:
        """Whether any edge's weight comes from a router."""
        return bool(self.routers)


class Output(Element):
    """An output of the net: the output of a node, or a group of named taps."""

    name: str
    value: str | dict[str, str]

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of the nodes that it returns."""
        return (self.value,) if isinstance(self.value, str) else tuple(self.value.values())


class Net(Element):
    """A network. `settings` records the params it was elaborated with; they are not part of it.

    A notebook shows a network as a drawing.

    >>> import dagdsl
    >>> net = dagdsl.load("examples/quickstart.dg")
    >>> [stage.name for stage in net.stages]
    ['s1', 's2', 's3']
    >>> dagdsl.Net.from_json(net.to_json()) == net
    True
    """

    ir_version: Literal[1] = 1
    name: str
    settings: dict[str, Value | list[Value]] = Field(default_factory=dict)
    graph: Graph
    outputs: tuple[Output, ...]

    @property
    def hash(self) -> str:
        """The sha256 of the graph and outputs; name and settings do not count."""
        content = self.model_dump(mode="json", include={"ir_version", "graph", "outputs"})
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The declared inputs, in order."""
        return tuple(node for node in self.graph.nodes if node.kind == "in")

    @property
    def stages(self) -> tuple[Node, ...]:
        """The stages, in topological order."""
        return tuple(node for node in self.graph.nodes if node.kind == "stage")

    def only(self, *outputs: str) -> Net:
        """Return the part of the net that these outputs need, such as a backbone without its head.

        Raises UsageError if there is no such output, or if a router of the net's own graph weighs
        edges on both sides of the cut.
        """
        known = {output.name: output for output in self.outputs}
        for name in outputs:
            if name not in known:
                outputs_known = ", ".join(f"`{other}`" for other in known)
                raise UsageError(f"{self.name} has no output `{name}`; it has {outputs_known}")
        kept = tuple(known[name] for name in dict.fromkeys(outputs))
        needed = {node for output in kept for node in output.nodes}
        for node in reversed(self.graph.nodes):
            if node.name in needed:
                needed |= {edge.source for edge in self.graph.edges_into(node.name)}
        inputs = {node.name for node in self.inputs}
        try:
            graph = self.graph.restricted_to(needed | inputs)
        except ValueError as error:
            raise UsageError(f"{self.name} cannot be cut there: {error}") from error
        return self.replace(graph=graph, outputs=kept)

    def _repr_svg_(self) -> str:
        # By the public function: the IR must not depend on the drawing.
        import dagdsl

        return dagdsl.graph(self)

    def to_json(self) -> str:
        """Return the content of an `ir.json`."""
        return self.model_dump_json(indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Net:
        """Read an `ir.json`. Raises ValueError with the first invalid field."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            message = first["msg"][0].lower() + first["msg"][1:]
            where = ".".join(map(str, first["loc"]))
            raise ValueError(f"`{where}`: {message}" if where else message) from error

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of `ir.json`."""
        return cls.model_json_schema()


Step: TypeAlias = Annotated[Op | Block | Graph, Field(discriminator="kind")]


def inner_graph(node: Node) -> Graph | None:
    """Return the DAG of a stage, or None for any other node."""
    last = node.steps[-1] if node.kind == "stage" and node.steps else None
    return last if isinstance(last, Graph) else None
