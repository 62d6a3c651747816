"""IR -> text for people and goldens, one line per node, edge or router. It is not read back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dagdsl.ir.nodes import Block, Edge, Graph, Net, Node, Op, Router, Shape, Step, Value


def dump(net: Net) -> str:
    """Return the text of a net, ending in a newline."""
    lines = [f"net {net.name}  # {net.hash[:12]}"]
    lines.extend(_indent(_graph(net.graph)))
    for output in net.outputs:
        if isinstance(output.value, str):
            lines.append(f"  output {output.name} = {output.value}")
        else:
            taps = ", ".join(f"{tap} = {node}" for tap, node in output.value.items())
            lines.append(f"  output {output.name} {{ {taps} }}")
    return "\n".join(lines) + "\n"


def _graph(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        yield from _node(node)
    for router in graph.routers:
        yield _router(router)
    for edge in graph.edges:
        yield _edge(edge)


def _node(node: Node) -> Iterator[str]:
    pipe, inner = _pipe(node.steps)
    merge = "" if node.merge == "sum" else _call(node.merge, node.merge_params)
    body = " |> ".join(part for part in (merge, pipe) if part)
    yield f"{node.kind} {node.name}: {_shape(node.shape)}" + (f" = {body}" if body else "")
    for graph in inner:
        yield from _indent(_graph(graph))


def _edge(edge: Edge) -> str:
    gate = f" * {edge.gate.router}[{edge.gate.index}]" if edge.gate else ""
    through = f" through {_pipe(edge.steps)[0]}" if edge.steps else ""
    return f"edge {edge.source} -> {edge.target}{gate}{through}"


def _router(router: Router) -> str:
    parts = [_pipe(router.steps)[0]]
    if router.activation != "none":
        parts.append(router.activation)
    if router.topk is not None:
        parts.append(f"topk({router.topk})")
    if router.normalise:
        parts.append("normalise")
    if router.threshold is not None:
        binary = ", binary" if router.binary else ""
        parts.append(f"threshold({router.threshold:g}, {router.train}, {router.dead}{binary})")
    reads = f" reads {router.reads}" + (f" {router.vertex}" if router.vertex else "")
    groups = "" if len(router.groups) == 1 else f" groups {_shape(router.groups, ' + ')}"
    return f"router {router.name}:{reads}{groups} = {' |> '.join(parts)}"


def _pipe(steps: Sequence[Step]) -> tuple[str, list[Graph]]:
    """Return the steps as one line, and the graphs among them, which follow on their own lines."""
    parts: list[str] = []
    graphs: list[Graph] = []
    for step in steps:
        match step:
            case Op():
                parts.append(_call(step.op, step.params))
            case Block():
                pipe, inner = _pipe(step.steps)
                parts.append(f"{step.name}{{{pipe}}}")
                graphs.extend(inner)
            case Graph():
                parts.append("graph")
                graphs.append(step)
    return " |> ".join(parts), graphs


def _call(name: str, params: Mapping[str, Value | None]) -> str:
    text = ", ".join(f"{param}={_value(value)}" for param, value in params.items())
    return f"{name}({text})" if text else name


def _value(value: Value | None) -> str:
    return (
        "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )


def _shape(shape: Shape, times: str = " x ") -> str:
    return times.join(map(str, shape))


def _indent(lines: Iterable[str]) -> Iterator[str]:
    return ("  " + line for line in lines)
