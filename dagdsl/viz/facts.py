"""IR -> the texts that all drawings share: summaries of nodes and edges, routers, outputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dagdsl.ir.nodes import Block, Edge, Graph, Net, Node, Op, Router, Shape, Step
from dagdsl.ops import activation, norm
from dagdsl.ops.spec import format_shape

# Summaries leave these ops out: readers take them for granted.
_MINOR = frozenset(spec.name for spec in (*activation.OPS, *norm.OPS))


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """The routers of one graph that have the same formula: one line of a legend."""

    routers: tuple[str, ...]
    formula: str

    @property
    def text(self) -> str:
        """`gate: gap |> fc |> sigmoid > 0.1`."""
        if len(self.routers) == 1:
            return f"{self.routers[0]}: {self.formula}"
        return f"{_stem(self.routers) or ', '.join(self.routers)}: {self.formula}"


@dataclass(frozen=True, slots=True)
class Tap:
    """One tensor that the net returns: `logits`, or `features.p3`."""

    name: str
    node: str


def op_text(op: Op) -> str:
    """Return an op with its main parameters, `conv 3x3 /2`. Channels are shown by the shape."""
    words = [op.op]
    if kernel := op.params.get("kernel"):
        words.append(f"{kernel}x{kernel}")
    if (stride := op.params.get("stride")) not in (None, 1):
        words.append(f"/{stride}")
    if scale := op.params.get("scale"):
        words.append(f"x{scale}")
    if (value := op.params.get("value")) is not None:
        words.append(_number(value))
    return " ".join(words)


def summary(steps: Iterable[Step]) -> str:
    """Summarise steps. Norms and activations are left out unless there is nothing else."""
    every = tuple(steps)
    major = [step for step in every if not (isinstance(step, Op) and step.op in _MINOR)]
    return pipe(major or every)


def pipe(steps: Iterable[Step]) -> str:
    """Return all steps as a pipe, blocks by their names."""
    return " |> ".join(_step_text(step) for step in steps)


def node_summary(node: Node) -> str:
    """Summarise a node: its merge, unless it is a sum, and its steps."""
    return _behind_merge(node, summary(entry(node)))


def node_text(node: Node) -> str:
    """Return the tooltip of a node: its name, all steps, and its shape."""
    steps = _behind_merge(node, pipe(entry(node)))
    return f"{': '.join(filter(None, (node.name, steps)))}\n{shape_text(node)}"


def edge_text(edge: Edge) -> str:
    """Return the tooltip of an edge: `a -> b through conv 1x1 |> bn via gate[0]`."""
    text = f"{edge.source} -> {edge.target}"
    if edge.steps:
        text += f" through {pipe(edge.steps)}"
    if edge.gate:
        text += f" via {edge.gate.router}[{edge.gate.index}]"
    return text


def entry(node: Node) -> tuple[Step, ...]:
    """Return the steps of a node, or those before the graph of a stage."""
    if node.kind != "stage":
        return node.steps
    match node.steps[:-1]:
        case (Block(name="entry", steps=steps),):
            # The default entry, made by the front end: its name is not in the text.
            return steps
        case steps:
            return steps


def shape_text(node: Node) -> str:
    """Return the shape of a node, `24 x 16 x 16`."""
    return format_shape(node.shape)


def differing_shape(node: Node, usual: Shape) -> str:
    """Return the shape of a node inside a stage, or "" if it is the shape of the stage."""
    return "" if node.shape == usual else shape_text(node)


def formula(router: Router) -> str:
    """Return how a router weighs its edges, close to the syntax.

    >>> import dagdsl
    >>> net = dagdsl.load("examples/quickstart.dg")
    >>> formula(net.stages[0].steps[-1].routers[0])
    'gap |> fc |> sigmoid > 0.65, straight through'
    """
    parts = [f"reads {router.reads}"] if router.reads in ("target", "stage") else []
    parts += [op_text(step) for step in router.steps]
    if router.activation != "none":
        parts.append(router.activation)
    if router.topk is not None:
        parts.append(f"top {router.topk}")
    if router.normalise:
        parts.append("normalise")
    text = " |> ".join(parts)
    if router.threshold is not None:
        text += f" > {_number(router.threshold)}"
        if router.train != "hard":
            text += f", {router.train.replace('_', ' ')}"
        if router.binary:
            text += ", binary"
        if router.dead != "zero":
            text += f", {router.dead.replace('_', ' ')}"
    return text


def rules(graph: Graph) -> tuple[RoutingRule, ...]:
    """Return the routers of a graph grouped by formula, in order of appearance."""
    names: dict[str, list[str]] = {}
    for router in graph.routers:
        names.setdefault(formula(router), []).append(router.name)
    return tuple(RoutingRule(tuple(routers), text) for text, routers in names.items())


def transforms(graph: Graph) -> tuple[str, ...]:
    """Return the distinct summaries of the steps on edges, in order of appearance."""
    return tuple(dict.fromkeys(summary(edge.steps) for edge in graph.edges if edge.steps))


def taps(net: Net) -> tuple[Tap, ...]:
    """Return the outputs of a net, one tap for each tensor of a group."""
    found: list[Tap] = []
    for output in net.outputs:
        if isinstance(output.value, str):
            found.append(Tap(output.name, output.value))
        else:
            found += [Tap(f"{output.name}.{name}", node) for name, node in output.value.items()]
    return tuple(found)


def _stem(names: tuple[str, ...]) -> str:
    """The common prefix of names: `gate` for `gate_a`, `gate_n_0`."""
    first, last = min(names), max(names)
    same = 0
    while same < len(first) and first[same] == last[same]:
        same += 1
    return first[:same].rstrip("_.[(0123456789-")


def _behind_merge(node: Node, steps: str) -> str:
    merge = "" if node.merge == "sum" else str(node.merge)
    if (tau := node.merge_params.get("tau")) is not None:
        merge += f" > {_number(tau)}"
    return " |> ".join(part for part in (merge, steps) if part)


def _step_text(step: Step) -> str:
    if isinstance(step, Op):
        return op_text(step)
    if isinstance(step, Block):
        return step.name
    return f"graph of {len(step.nodes) - 2}"


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
