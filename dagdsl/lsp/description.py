"""Markdown for hovers and completions: signatures, documentation, values, shapes and costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dagdsl.analysis.cost import CostSummary
from dagdsl.ir.nodes import Shape
from dagdsl.lsp.facts import NodeFact, StepFact
from dagdsl.lsp.index import FileIndex, comment_above
from dagdsl.lsp.symbols import Builtin, BuiltinKind, Definition, Kind, Target
from dagdsl.ops.catalogue import OPS
from dagdsl.ops.spec import REQUIRED, SAME_CHANNELS, Param, format_shape
from dagdsl.sema.functions import CHOOSE, FUNCTIONS
from dagdsl.sema.values import UNKNOWN, Unknown, describe
from dagdsl.syntax import ast
from dagdsl.topology.patterns import PATTERNS

_SHOWN = 4
"""The number of IR elements listed for one piece of text."""

ATTRIBUTES = {
    "channels": "Channels of the stage's nodes. Default: the channels of its input.",
    "stride": "Factor by which the stage reduces height and width. Default: 1.",
    "entry": "Pipe that maps the input to the stage's channels and stride. Default: a "
    "convolution, `bn` and `relu`.",
    "merge": "Merge of the edges into `out`. Default: `sum`.",
    "index": "Index of the node in its array, counted from 0.",
}

_CHOOSE = ("condition, then, otherwise", "One of two values; the other is not evaluated.")

_PORTS = {
    "in": "Input of the stage or block.",
    "out": "Output of the stage or block: the merge of all edges that end here.",
    "in.channels": "Channels of the input.",
    "in.height": "Height of the input.",
    "in.width": "Width of the input.",
}


def code(text: str) -> str:
    """Return `.dg` text as a Markdown code block."""
    return f"```dg\n{text}\n```"


def signature(target: Target) -> str:
    """Return a one-line signature in the syntax of the language."""
    match target:
        case Builtin(BuiltinKind.OP, name):
            return _call(name, map(_param, OPS[name].params))
        case Builtin(BuiltinKind.PATTERN, name):
            return _call(name, map(_param, PATTERNS[name].params))
        case Builtin(BuiltinKind.PARAMETER, _, Param() as param):
            return _param(param)
        case Builtin(BuiltinKind.FUNCTION, name):
            arguments = _CHOOSE[0] if name == CHOOSE else FUNCTIONS[name].arguments
            return f"{name}({arguments})"
        case Builtin():
            return target.name
        case Definition(declared=ast.Block() | ast.Router() | ast.Net() as item):
            formals = [formal.span.text for formal in item.formals]
            head = f"{target.kind} {item.name.name}"
            return _call(head, formals) if formals else head
        case Definition(kind=Kind.STAGE):
            return f"stage {target.name}"
        case Definition(kind=Kind.OUTPUT):
            return f"output {target.name}"
    return target.statement.text


def documentation(target: Target) -> str:
    """Return the description from the catalogue or from the comment above the declaration."""
    match target:
        case Builtin(BuiltinKind.OP, name):
            return "\n\n".join([OPS[name].doc, _parameters(OPS[name].params)]).strip()
        case Builtin(BuiltinKind.PATTERN, name):
            return "\n\n".join([PATTERNS[name].doc, _parameters(PATTERNS[name].params)]).strip()
        case Builtin(BuiltinKind.PARAMETER, name, Param() as param):
            return f"{_sentence(param)}\n\nA parameter of `{name}`."
        case Builtin(BuiltinKind.FUNCTION, name):
            return _CHOOSE[1] if name == CHOOSE else FUNCTIONS[name].doc
        case Builtin(BuiltinKind.ATTRIBUTE, name):
            return ATTRIBUTES[name]
        case Builtin(BuiltinKind.PORT, name):
            return _PORTS.get(name, "")
        case Definition(kind=Kind.ARGUMENT):
            return f"An argument of `{target.path[0]}`."
        case Definition(kind=Kind.ATTRIBUTE, path=path):
            return ATTRIBUTES[path[-1]]
        case Definition():
            return comment_above(target.statement)
    return ""


def value_of(target: Target, index: FileIndex) -> str:
    """Return the value of a `param` or of an argument of a net, or "" if it is unknown."""
    match target:
        case Definition(kind=Kind.PARAM, path=(name,), home=home):
            value = home.params.get(name, UNKNOWN)
            return "" if isinstance(value, Unknown) else f"Value: `{describe(value)}`"
        case Definition(kind=Kind.ARGUMENT, path=(owner, name)):
            for net in index.analysis.drafts.values():
                if net.name == owner and name in net.settings:
                    return f"Value: `{_written(net.settings[name])}`"
    return ""


def hover(target: Target, index: FileIndex) -> str:
    """Return signature, documentation, value, shapes and costs of a name."""
    parts = [code(signature(target)), documentation(target), value_of(target, index)]
    if isinstance(target, Definition):
        parts.append(about_nodes(index.nodes(target)))
    return "\n\n".join(part for part in parts if part)


def about_nodes(facts: Sequence[NodeFact]) -> str:
    """Return shape, parameters and MACs of the nodes that a declaration creates."""
    texts = [(fact.where, _measures(fact.node.shape, fact.costs)) for fact in facts]
    if len({measures for _, measures in texts}) == 1:
        each = f", each of {len(texts)}" if len(texts) > 1 else ""
        return texts[0][1] + each
    lines = [f"- `{where}`: {measures}" for where, measures in texts[:_SHOWN]]
    return "\n".join([*lines, *_more(len(texts))])


def about_steps(facts: Sequence[StepFact]) -> str:
    """Return input shape, output shape and costs of an op or block at one place in the text."""
    known = [fact for fact in facts if fact.step.shape]
    texts = dict.fromkeys(
        (f"{format_shape(fact.x)} → " if fact.x else "") + _measures(fact.step.shape, fact.costs)
        for fact in known
    )
    if len(texts) == 1:
        return "Here: " + next(iter(texts)) + (f", {len(known)} times" if len(known) > 1 else "")
    return "\n".join([*(f"- {line}" for line in list(texts)[:_SHOWN]), *_more(len(texts))])


def shapes(facts: Iterable[NodeFact]) -> list[str]:
    """Return the distinct shapes of some nodes, as in `24 x 16 x 16`."""
    return list(dict.fromkeys(format_shape(fact.node.shape) for fact in facts))


def _measures(shape: Shape, costs: CostSummary | None) -> str:
    text = f"**{format_shape(shape)}**"
    if costs is not None:
        text += f", {costs.parameters:,} parameters, {costs.macs:,} MACs"
    return text


def _more(count: int) -> list[str]:
    return [f"- and {count - _SHOWN} more"] if count > _SHOWN else []


def _call(name: str, arguments: Iterable[str]) -> str:
    return f"{name}({', '.join(arguments)})"


def _param(param: Param) -> str:
    if param.default is REQUIRED or param.default is None:
        return param.name
    if param.default is SAME_CHANNELS:
        return f"{param.name} = in.channels"
    return f"{param.name} = {_written(param.default)}"


def _written(value: object) -> str:
    """Return a value in the syntax of the language."""
    return describe(value)  # type: ignore[arg-type]  # a list of values is one, whatever its type


def _parameters(params: Iterable[Param]) -> str:
    return "\n".join(f"- `{param.name}`: {_sentence(param)}" for param in params)


def _sentence(param: Param) -> str:
    return f"{param.doc} ({', '.join([param.type, *_bounds(param)])})"


def _bounds(param: Param) -> list[str]:
    if param.choices:
        return ["one of " + ", ".join(f'`"{choice}"`' for choice in param.choices)]
    if param.low is not None and param.high is not None:
        return [f"{param.low:g} to {param.high:g}"]
    if param.low is not None:
        return [f"at least {param.low:g}"]
    return [] if param.high is None else [f"at most {param.high:g}"]
