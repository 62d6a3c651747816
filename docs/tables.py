"""The catalogues -> tables in the docs, between `<!-- name -->` and `<!-- end -->`.

`python docs/tables.py` (or `make docs-tables`) rewrites them; a test checks that they are current.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from dagdsl.check.cost import cost_of_net
from dagdsl.diagnostics.codes import CODES
from dagdsl.diagnostics.explain import explain
from dagdsl.frontend import analyse_file
from dagdsl.ir.nodes import Net, inner_graph
from dagdsl.ops.catalogue import OPS
from dagdsl.ops.spec import REQUIRED, OpSpec, Param
from dagdsl.syntax.reader import STD
from dagdsl.topology.patterns import PATTERNS, Pattern

DOCS = Path(__file__).parent
_REGION = re.compile(r"<!-- (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def _default(param: Param) -> str:
    if param.default is REQUIRED:
        return param.name
    match param.default:
        case bool(value):
            shown = str(value).lower()
        case str(value):
            shown = f'"{value}"'
        case None:
            shown = "..."
        case value:
            shown = str(value)
    return f"{param.name} = {shown}"


def _signature(spec: OpSpec | Pattern) -> str:
    shown = ", ".join(map(_default, spec.params))
    return f"{spec.name}({shown})" if shown else spec.name


def _ops() -> Iterator[str]:
    yield "| op | what it does |"
    yield "|---|---|"
    for spec in OPS.values():
        notes = "; ".join(f"`{param.name}`: {param.doc}" for param in spec.params)
        text = f"{spec.doc} {notes}." if notes else spec.doc
        yield f"| `{_signature(spec)}` | {text} |".replace("|>", "\\|>")


def _patterns() -> Iterator[str]:
    yield "| pattern | edges |"
    yield "|---|---|"
    for pattern in PATTERNS.values():
        notes = "; ".join(f"`{param.name}`: {param.doc}" for param in pattern.params)
        text = f"{pattern.doc} {notes}." if notes else pattern.doc
        yield f"| `{_signature(pattern)}` | {text} |"


def _families() -> Iterator[str]:
    """A row for each static net of `std/models`, its dynamic net beside it."""
    yield (
        "| net | parameters | MACs | dynamic: parameters | MACs, all edges open | least | "
        "routers, of parameters | routers and sums, of MACs | edges | nodes |"
    )
    yield "|---|" + "---:|" * 9
    nets = {
        name: net
        for path in sorted((STD / "models").glob("*.dg"))
        for name, net in analyse_file(path).nets.items()
    }
    for name, net in nets.items():
        if name.startswith("dg_"):
            continue
        static = cost_of_net(net)
        row = [f"`{name}`", _millions(static.parameters), _millions(static.macs)]
        if f"dg_{name}" in nets:
            row += _dynamic(nets[f"dg_{name}"])
        yield f"| {' | '.join(row)} |" + " |" * (10 - len(row))


def _dynamic(net: Net) -> list[str]:
    costs = cost_of_net(net)
    stages = [graph for stage in net.stages if (graph := inner_graph(stage))]
    return [
        _millions(costs.parameters),
        _millions(costs.macs),
        _millions(costs.least_macs),
        f"{costs.router_parameters / costs.parameters:.2%}",
        f"{(costs.router_macs + costs.sum_macs) / costs.macs:.2%}",
        str(sum(len(graph.edges) for graph in stages)),
        str(sum(node.kind == "node" for graph in stages for node in graph.nodes)),
    ]


def _millions(count: int) -> str:
    return f"{count / 1e6:,.2f} M"


def _errors() -> Iterator[str]:
    for code, title in CODES.items():
        yield f"## {code}: {title}"
        yield ""
        yield explain(code).meaning
        yield ""


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "ops": _ops,
    "patterns": _patterns,
    "families": _families,
    "errors": _errors,
}


def filled(text: str) -> str:
    """The text of a page with all its tables made anew."""

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        return "\n".join([f"<!-- {name} -->", *TABLES[name](), "<!-- end -->"])

    return _REGION.sub(fill, text)


if __name__ == "__main__":
    for page in DOCS.rglob("*.md"):
        page.write_text(filled(page.read_text()))
