"""Check that IR describes a valid net: for IR read from JSON or rewritten by a pass.

IR built by the front end is always valid. A violation is therefore reported to a developer: one
sentence, without a source location.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dagdsl.analysis.shapes import carried_by, input_of, output_of, read_by
from dagdsl.ir.nodes import Block, Graph, Net, Node, Op, Router, Shape, Step
from dagdsl.limits import MAX_EDGES, MAX_NESTING, MAX_NODES, MAX_OPS, MAX_PARAMETERS, MAX_TENSOR
from dagdsl.ops.catalogue import OPS
from dagdsl.ops.route import clash_of
from dagdsl.ops.spec import OpSpec, Params, ShapeError, format_shape

_TYPES = {"int": int, "float": float, "bool": bool, "str": str}


class _Invalid(Exception):
    pass


def verify(net: Net) -> str | None:
    """Return the first flaw of a net as a sentence, or None if it is valid."""
    try:
        _Verifier().net(net)
    except _Invalid as flaw:
        return str(flaw)
    return None


class _Verifier:
    def __init__(self) -> None:
        self.nodes = self.edges = self.ops = self.parameters = 0

    def net(self, net: Net) -> None:
        _need(bool(net.inputs), "it has no inputs")
        for node in net.inputs:
            _need(len(node.shape) in (1, 3), f"input `{node.name}` must have 1 or 3 dimensions")
        self.graph(net.graph, None, 0)
        names = {node.name for node in net.graph.nodes}
        _need(bool(net.outputs), "it has no outputs")
        for output in net.outputs:
            for name in output.nodes:
                _need(name in names, f"output `{output.name}` refers to an unknown node")

    def graph(self, graph: Graph, x: Shape | None, depth: int) -> Shape:
        _need(depth <= MAX_NESTING, "its graphs are nested too deeply")
        self.nodes += len(graph.nodes)
        self.edges += len(graph.edges)
        _need(self.nodes <= MAX_NODES * 2 and self.edges <= MAX_EDGES, "it is too large")
        order = {node.name: i for i, node in enumerate(graph.nodes)}
        _need(len(order) == len(graph.nodes), "two nodes have the same name")
        if x is not None:
            ports = [(node.name, node.kind) for node in (graph.nodes[0], graph.nodes[-1])]
            _need(ports == [("in", "in"), ("out", "out")], "a graph lacks its `in` or `out`")
            _need(
                graph.nodes[0].shape == x,
                "the `in` of a graph does not have the shape of the graph's input",
            )
        _need(
            len({router.name for router in graph.routers}) == len(graph.routers),
            "two routers of a graph have the same name",
        )
        seen: set[tuple[str, str]] = set()
        for edge in graph.edges:
            where = f"the edge from `{edge.source}` to `{edge.target}`"
            _need(
                edge.source in order and edge.target in order, f"{where} refers to an unknown node"
            )
            _need(order[edge.source] < order[edge.target], f"{where} runs backwards")
            _need((edge.source, edge.target) not in seen, f"{where} is duplicated")
            _need(graph.node(edge.target).kind != "in", f"{where} enters an input")
            seen.add((edge.source, edge.target))
            self.steps(edge.steps, graph.node(edge.source).shape, depth)
        for node in graph.nodes:
            if node.kind == "in":
                _need(not node.steps, f"input `{node.name}` has steps")
                continue
            try:
                y = self.steps(node.steps, input_of(node, graph), depth)
            except ValueError as error:
                raise _Invalid(str(error)) from None
            _need(y == node.shape, f"`{node.name}` does not compute its declared shape")
            self._merge(node, graph)
            is_stage = bool(node.steps) and isinstance(node.steps[-1], Graph)
            _need(node.kind != "stage" or is_stage, f"stage `{node.name}` has no graph")
        self.routers(graph, depth)
        return graph.nodes[-1].shape

    def _merge(self, node: Node, graph: Graph) -> None:
        spec = OPS[node.merge]
        for flaw in _params(node.merge_params, spec):
            raise _Invalid(flaw)
        try:
            spec.shape(input_of(node, graph), node.merge_params)
        except ShapeError as error:
            raise _Invalid(str(error)) from None

    def routers(self, graph: Graph, depth: int) -> None:
        names = {node.name for node in graph.nodes}
        indices: dict[str, list[int]] = {router.name: [] for router in graph.routers}
        for edge in graph.edges:
            if edge.gate is not None:
                _need(
                    edge.gate.router in indices,
                    f"an edge refers to an unknown router `{edge.gate.router}`",
                )
                indices[edge.gate.router].append(edge.gate.index)
        for router in graph.routers:
            where = f"router `{router.name}`"
            weighed = sorted(indices[router.name])
            _need(
                weighed == list(range(router.outputs)),
                f"{where} has more or fewer outputs than edges",
            )
            _need(bool(router.steps), f"{where} has no steps")
            _need(
                (router.vertex is None) == (router.reads == "nothing"),
                f"{where} has an inconsistent `reads`",
            )
            _need(router.vertex is None or router.vertex in names, f"{where} reads an unknown node")
            tau = router.threshold
            _need(tau is None or 0 <= tau < 1, f"{where} has a threshold outside [0, 1)")
            _need(router.topk is None or router.topk > 0, f"{where} has a `topk` below 1")
            clash = clash_of(router.topk, router.binary, router.train, router.dead)
            _need(tau is not None or not router.binary, f"{where} is binary but has no threshold")
            _need(clash is None, f"{where}: {clash}")
            logit = OPS.get(router.steps[0].op)
            reads_nothing = logit is not None and logit.role == "logit"
            _need(
                reads_nothing == (router.reads == "nothing"),
                f"{where} reads a node that its steps ignore, or the reverse",
            )
            if router.reads == "target":
                into = graph.edges_into(router.vertex or "")
                _need(
                    len({carried_by(edge, graph) for edge in into}) == 1,
                    f"{where} reads a sum of different shapes",
                )
            self._reads_before_it_weighs(router, graph)
            y = self.steps(router.steps, read_by(router, graph), depth)
            _need(y == (router.outputs,), f"{where} does not compute one weight per edge")

    def _reads_before_it_weighs(self, router: Router, graph: Graph) -> None:
        """A router can only weigh edges that end after the node it reads."""
        order = {node.name: i for i, node in enumerate(graph.nodes)}
        weighed = (e for e in graph.edges if e.gate is not None and e.gate.router == router.name)
        for edge in weighed:
            late = router.vertex is not None and order[router.vertex] > order[edge.target]
            equal = router.vertex == edge.target and router.reads != "target"
            _need(
                not late and not equal,
                f"router `{router.name}` reads a node that runs after its edges",
            )

    def steps(self, steps: Sequence[Step], x: Shape, depth: int) -> Shape:
        for step in steps:
            match step:
                case Op():
                    self._op(step, x)
                case Block():
                    _need(depth <= MAX_NESTING, "its blocks are nested too deeply")
                    y = self.steps(step.steps, x, depth + 1)
                    _need(
                        y == step.shape, f"block `{step.name}` does not compute its declared shape"
                    )
                case Graph():
                    self.graph(step, x, depth + 1)
            x = output_of(step)
        return x

    def _op(self, op: Op, x: Shape) -> None:
        spec = OPS.get(op.op)
        self.ops += 1
        _need(self.ops <= MAX_OPS, "it has too many ops")
        if spec is None or spec.role not in ("tensor", "logit"):
            raise _Invalid(f"unknown op `{op.op}`")
        for flaw in _params(op.params, spec):
            raise _Invalid(flaw)
        try:
            y = spec.shape(x, op.params)
        except ShapeError as error:
            raise _Invalid(str(error)) from None
        _need(y == op.shape, f"`{op.op}` computes {format_shape(y)}, not {format_shape(op.shape)}")
        size = 1
        for dim in y:
            size *= dim
        _need(0 < size <= MAX_TENSOR, f"`{op.op}` computes an empty or too large tensor")
        self.parameters += spec.cost(x, y, op.params).parameters
        _need(self.parameters <= MAX_PARAMETERS, "it has too many parameters")


def _params(params: Params, spec: OpSpec) -> Iterator[str]:
    if set(params) != {param.name for param in spec.params}:
        yield f"`{spec.name}` has missing or unknown parameters"
        return
    for param in spec.params:
        value = params[param.name]
        if value is None and param.default is None:
            continue
        expected = _TYPES[param.type]
        right = type(value) is expected or (expected is float and type(value) is int)
        low, high = param.low, param.high
        if not right or (param.choices and value not in param.choices):
            yield f"`{param.name}` of `{spec.name}` has an invalid value"
        elif isinstance(value, bool | str) or value is None:
            continue
        elif (low is not None and value < low) or (high is not None and value > high):
            yield f"`{param.name}` of `{spec.name}` is out of range"


def _need(condition: bool, flaw: str) -> None:
    if not condition:
        raise _Invalid(flaw)
