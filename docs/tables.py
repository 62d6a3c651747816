"""The catalogues -> the tables in the docs between `<!-- name -->` and `<!-- end -->`.

`python docs/tables.py` (or `make generated`) rewrites them. A test checks that they are up to date.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import wrap

from dagdsl.analysis.cost import cost_of_net
from dagdsl.analysis.expected import expected_macs
from dagdsl.diagnostics.codes import CODES
from dagdsl.diagnostics.explain import explain
from dagdsl.diagnostics.sink import Sink
from dagdsl.frontend import analyse_file, loads
from dagdsl.ir.nodes import Net, inner_graph
from dagdsl.ir.text import dump as ir_text
from dagdsl.lsp.index import comment_above
from dagdsl.ops.catalogue import OPS
from dagdsl.ops.spec import REQUIRED, OpSpec, Param
from dagdsl.source import SourceFile, Span
from dagdsl.syntax import ast
from dagdsl.syntax.parser import parse
from dagdsl.syntax.reader import STD
from dagdsl.topology.patterns import PATTERNS, Pattern

DOCS = Path(__file__).parent
OPEN_RATE = 0.5
"""Probability that an edge is open, for the expected MACs."""
_REGION = re.compile(r"<!-- (?!end )(\w+) -->\n.*?<!-- end -->", re.DOTALL)


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
    return _of_roles("op", "tensor")


def _merges() -> Iterator[str]:
    return _of_roles("merge", "merge")


def _routers() -> Iterator[str]:
    return _of_roles("in a router", "reads", "logit", "decision")


def _of_roles(title: str, *roles: str) -> Iterator[str]:
    """A table of the ops with the given roles, in the order in which they may stand."""
    yield f"| {title} | description |"
    yield "|---|---|"
    for spec in sorted((s for s in OPS.values() if s.role in roles), key=_place):
        notes = "; ".join(f"`{param.name}`: {param.doc}" for param in spec.params)
        text = f"{spec.doc} {notes}." if notes else spec.doc
        yield f"| `{_signature(spec)}` | {text} |".replace("|>", "\\|>")


def _place(spec: OpSpec) -> int:
    return ("tensor", "merge", "reads", "logit", "decision").index(spec.role)


def _library() -> Iterator[str]:
    """The declarations of each file of `std`, with the comments above them."""
    for path in sorted(STD.glob("*.dg")):
        source = SourceFile(path.name, path.read_text())
        tree = parse(source, Sink())
        yield f"## std/{path.name}"
        yield ""
        yield comment_above(Span(source, source.text.index("edition"), 0))
        yield ""
        for item in tree.items:
            if isinstance(item, ast.Block | ast.Router):
                kind = type(item).__name__.lower()
                yield f"### {item.name.name}"
                yield ""
                yield f"`{kind} {item.name.name}{_formals(item.formals)}`"
                yield ""
                yield comment_above(item.span)
                yield ""


def _formals(formals: tuple[ast.Formal, ...]) -> str:
    """The formal parameters on one line."""
    return f"({', '.join(formal.span.text for formal in formals)})" if formals else ""


def _patterns() -> Iterator[str]:
    yield "| pattern | edges |"
    yield "|---|---|"
    for pattern in PATTERNS.values():
        notes = "; ".join(f"`{param.name}`: {param.doc}" for param in pattern.params)
        text = f"{pattern.doc} {notes}." if notes else pattern.doc
        yield f"| `{_signature(pattern)}` | {text} |"


def _families() -> Iterator[str]:
    """A row per static net of `std/models`, with the costs of its dynamic net."""
    yield (
        "| net | parameters | MACs | dynamic: parameters | MACs, all edges open | expected | "
        "least | routers, of parameters | routers and sums, of MACs | edges | nodes |"
    )
    yield "|---|" + "---:|" * 10
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
        row += _dynamic(nets[f"dg_{name}"])
        yield f"| {' | '.join(row)} |"


def _dynamic(net: Net) -> list[str]:
    costs = cost_of_net(net)
    stages = [graph for stage in net.stages if (graph := inner_graph(stage))]
    return [
        _millions(costs.parameters),
        _millions(costs.macs),
        _millions(expected_macs(net, OPEN_RATE)),
        _millions(costs.least_macs),
        f"{costs.router_parameters / costs.parameters:.2%}",
        f"{(costs.router_macs + costs.sum_macs) / costs.macs:.2%}",
        str(sum(len(graph.edges) for graph in stages)),
        str(sum(node.kind == "node" for graph in stages for node in graph.nodes)),
    ]


def _millions(count: float) -> str:
    return f"{count / 1e6:,.2f} M"


def _errors() -> Iterator[str]:
    for code, title in CODES.items():
        yield f"## {code}: {title}"
        yield ""
        yield explain(code).meaning
        yield ""


def _tiny() -> Net:
    """The example net of docs/compiler.md."""
    text = (DOCS / "compiler.md").read_text()
    return loads(text.partition("```dg\n")[2].partition("```")[0])


def _seen_ir() -> Iterator[str]:
    yield from _boxed(ir_text(_tiny()))


def _seen_dense() -> Iterator[str]:
    yield from _boxed(_graph("dense"))


def _seen_grouped() -> Iterator[str]:
    yield from _boxed(_graph("grouped"))


def _graph(mode: str) -> str:
    """The graph of the example net after the last pass of a mode."""
    import torch

    from dagdsl_compiler.driver import compile
    from dagdsl_compiler.passes.base import dump

    after: list[str] = []
    model = compile(
        _tiny(), mode=mode, backend="eager", on_pass=lambda _, module: after.append(dump(module))
    )
    model.train(mode == "dense")(torch.zeros(2, 4, 8, 8))
    return after[-1]


def _boxed(text: str) -> Iterator[str]:
    yield "```text"
    yield text.rstrip()
    yield "```"


def _passes() -> Iterator[str]:
    from dagdsl_compiler.passes.pipeline import PIPELINE, evaluation, training

    seen: set[str] = set()
    yield "| pass | description | when |"
    yield "|---|---|---|"
    for when, passes in (
        ("always", PIPELINE),
        ("evaluation", evaluation()[:-1]),
        ("compiled, or an artefact", evaluation(generated=True)[:-1]),
        ("on a CPU, for a batch of any size and in branches", evaluation(packed=True)[:-1]),
        ("modes that do not skip", evaluation()),
        ("many samples", evaluation(None)),
        ("one sample", evaluation(None, single=True)),
        ("`checkpoint`", training(checkpoint=("",))),
    ):
        for step in passes:
            if step.name not in seen:
                seen.add(step.name)
                yield f"| `{step.name}` | {(step.__doc__ or '').partition('.')[0]}. | {when} |"


def _training() -> Iterator[str]:
    """The options of `dagdsl train`, from the fields of `TrainConfig`."""
    from dagdsl.training.config import TrainConfig
    from dagdsl.training.options import command_options

    yield "| option | keyword | default | meaning |"
    yield "|---|---|---|---|"
    for option in command_options(TrainConfig):
        value = TrainConfig.model_fields[option.field].default
        default = option.extra.default or f"`{value!r}`"
        flags = option.flags.replace("/", "`, `")
        yield f"| `{flags}` | `{option.field}` | {default} | {option.help} |"


def _layers() -> Iterator[str]:
    """The layers that import-linter enforces."""
    text = (DOCS.parent / "pyproject.toml").read_text(encoding="utf-8")
    for contract in tomllib.loads(text)["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers" and "containers" in contract:
            (package,) = contract["containers"]
            yield f"Within `{package}`:"
            yield ""
            # Layers are not broken across lines.
            line = " > ".join(f"`{layer.replace(' ', '~')}`" for layer in contract["layers"])
            yield from (part.replace("~", " ") for part in wrap(line, 100))
            yield ""


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "ops": _ops,
    "merges": _merges,
    "routers": _routers,
    "library": _library,
    "seen_ir": _seen_ir,
    "seen_dense": _seen_dense,
    "seen_grouped": _seen_grouped,
    "passes": _passes,
    "patterns": _patterns,
    "families": _families,
    "errors": _errors,
    "training": _training,
    "layers": _layers,
}


def filled(text: str) -> str:
    """Return the text of a page with all tables regenerated."""

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        return "\n".join([f"<!-- {name} -->", *TABLES[name](), "<!-- end -->"])

    return _REGION.sub(fill, text)


if __name__ == "__main__":
    for page in DOCS.rglob("*.md"):
        page.write_text(filled(page.read_text()))
