"""Module -> IR of its nets; and warnings about unused declarations."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from dagdsl.diagnostics.model import Edit, Fix, Label
from dagdsl.diagnostics.sink import did_you_mean, respelling
from dagdsl.ir.element import unchecked
from dagdsl.ir.nodes import Net, Output
from dagdsl.sema.arguments import as_type
from dagdsl.sema.context import Context, Exhausted
from dagdsl.sema.expressions import evaluate
from dagdsl.sema.flow import check_flow
from dagdsl.sema.graphs import STAGE_ATTRIBUTES, GraphBuilder, build_body
from dagdsl.sema.instances import Blueprint
from dagdsl.sema.merging import ATTRIBUTE
from dagdsl.sema.names import names_in
from dagdsl.sema.routers import plan_router
from dagdsl.sema.scope import Module, Scope
from dagdsl.sema.settings import Settings, as_setting, parse_setting
from dagdsl.sema.steps import expand
from dagdsl.sema.values import UNKNOWN, UNKNOWN_SHAPE, EvalValue
from dagdsl.sema.vertices import Vertex
from dagdsl.sema.wiring import Wirer
from dagdsl.source import Frame, Origin, Span
from dagdsl.syntax import ast

_ATTRIBUTES = (*STAGE_ATTRIBUTES, ATTRIBUTE)


def elaborate(plan: Blueprint, settings: Settings, context: Context) -> Net | None:
    """Return the IR of a net, or None if it exceeds a limit. Meaningless if errors were reported.

    `settings` replace the defaults of the net's open formals. Raises UsageError if one does not
    fit.
    """
    context.use(plan.name)
    net, scope, frames = plan.net, Scope(plan.module), plan.frames
    for formal in net.formals:
        name = formal.name.name
        known = name in plan.given
        value = plan.given[name] if known else _formal(formal, scope, settings, plan, context)
        scope.bind(name, value, formal.name)
    values = {name: binding.value for name, binding in scope.names.items()}
    recorded = {
        name: plain
        for name, value in (*plan.module.params.items(), *values.items())
        if (plain := as_setting(value)) is not None
    }
    name = plan.name.name
    wirer = Wirer(f"net `{name}`", "net", scope, context, frames)
    at = Origin(net.name.span, frames)
    try:
        wirer.lets(net.body)
        wiring = wirer.wire(net.body, at)
        graph, _ = GraphBuilder(wiring, scope, context, frames).build(())
    except Exhausted:
        return None
    outputs = [o for s in net.body if isinstance(s, ast.Output) for o in [_output(s, wirer)] if o]
    returned = {node for output in outputs for node in output.nodes}
    kinds = {type(statement) for statement in net.body}
    if {ast.Input, ast.Output} <= kinds:
        check_flow(graph, wiring, f"net `{name}`", context, at, returned)
    for output in _duplicates(net):
        context.sink.error("DG0202", output.span, f"output `{output.name.name}` is declared twice")
    if ast.Input not in kinds and "input" not in plan.module.lost:
        context.sink.error(
            "DG0506",
            at,
            f"net `{name}` has no input",
            help="add an input, such as `input image: f32[3, 32, 32]`",
        )
    if ast.Output not in kinds and "output" not in plan.module.lost:
        context.sink.error(
            "DG0507",
            at,
            f"net `{name}` has no output",
            help="add `output NAME` with the name of a node",
        )
    return unchecked(Net, at)(name=name, settings=recorded, graph=graph, outputs=tuple(outputs))


def check_unused_bodies(module: Module, context: Context) -> None:
    """Report errors in blocks and routers that no net of the file uses."""
    try:
        for item in module.items.values():
            if not isinstance(item, ast.Block | ast.Router) or id(item.name) in context.used:
                continue
            scope = Scope(module, input=UNKNOWN_SHAPE)
            for formal in item.formals:
                scope.bind(formal.name.name, UNKNOWN, formal.name)
            if isinstance(item, ast.Router):
                plan_router(item.body, scope, context, ())
            elif isinstance(item.body, tuple):
                frames = (Frame(f"block `{item.name.name}`", item.name.span),)
                build_body(item.body, scope, UNKNOWN_SHAPE, context, frames)
            else:
                expand(item.body, scope, UNKNOWN_SHAPE, context)
    except Exhausted:
        return


def report_unused(module: Module, context: Context) -> None:
    """Warn about declarations that are never used.

    After an error, warn only about constants that look like misspelt attributes of a stage, since
    these may have caused it. The others might be used by what could not be elaborated.
    """
    needed = context.used | context.mentioned
    declared = _declared(module)
    if context.sink.has_errors:
        read = {name.path[0] for name in names_in(*module.items.values())}
        declared = ((what, ident) for what, ident in declared if _is_misspelt(what, ident, read))
    for what, ident in declared:
        if id(ident) not in needed and not ident.name.startswith("_"):
            known = _attributes_like(what, ident)
            meant = did_you_mean(ident.name, known)
            context.sink.warning(
                "DG0801",
                ident.span,
                f"{what} `{ident.name}` is not used",
                label="nothing refers to it",
                help=meant or f"remove it, or rename it to `_{ident.name}`",
                fix=respelling(ident.name, ident.span, known),
            )
    if context.sink.has_errors:
        return
    for alias, (statement, _) in module.imports.items():
        if id(statement) not in needed:
            context.sink.warning(
                "DG0801",
                statement.span,
                f"import `{alias}` is not used",
                label="nothing refers to it",
                help="remove it",
                fix=Fix(f"remove the import `{alias}`", (Edit(_whole_line(statement.span), ""),)),
            )


def _whole_line(span: Span) -> Span:
    """Return the whole line of a span, with its line break, if it contains nothing else."""
    text = span.file.text
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.end) + 1 or len(text)
    around = text[start : span.start] + text[span.end : end]
    return span if around.strip() else Span(span.file, start, end)


def _attributes_like(what: str, ident: ast.Ident) -> list[str]:
    """Return the attribute of a stage that the name of a constant may be a misspelling of."""
    return get_close_matches(ident.name, _ATTRIBUTES if what == "constant" else (), 1, 0.8)


def _is_misspelt(what: str, ident: ast.Ident, read: set[str]) -> bool:
    """Whether a constant has almost the name of an attribute and is not among the names `read`."""
    return bool(_attributes_like(what, ident)) and ident.name not in read


def _declared(module: Module) -> Iterator[tuple[str, ast.Ident]]:
    for item in module.items.values():
        if isinstance(item, ast.Net):
            yield from (("argument", formal.name) for formal in item.formals)
            yield from (("constant", ident) for ident in _lets(item.body))
        if isinstance(item, ast.Net | ast.Instance):
            continue
        yield type(item).__name__.lower(), item.name


def _lets(body: tuple[ast.NetStatement, ...]) -> Iterator[ast.Ident]:
    for statement in body:
        if isinstance(statement, ast.Let):
            yield statement.name
        elif isinstance(statement, ast.Stage):
            yield from _lets(statement.body)


def _formal(
    formal: ast.Formal, scope: Scope, settings: Settings, plan: Blueprint, context: Context
) -> EvalValue:
    name = formal.name.name
    if name in settings:
        return parse_setting(name, settings[name], formal.type.name if formal.type else None)
    if formal.default is None:
        context.sink.error(
            "DG0212",
            Origin(formal.span, plan.frames),
            f"`{name}` has no value",
            label="no default",
            help=f"give it a default, set it with `--set {name}=...`, or declare a net that sets "
            f"it: `net NAME = {plan.name.name}({name} = ...)`",
        )
        return UNKNOWN
    value = evaluate(formal.default, scope, context)
    if formal.type is not None:
        value = as_type(value, formal.type, f"`{name}`", formal.default.span, context)
    return value


def _output(statement: ast.Output, wirer: Wirer) -> Output | None:
    at = Origin(statement.span)
    name = statement.name.name
    if statement.fields is None:
        ref = ast.Ref((name,), None, statement.name.span)
        node = _tap(ref, wirer)
        return unchecked(Output, at)(name=name, value=node) if node else None
    taps: dict[str, str] = {}
    places: dict[str, Span] = {}
    for field in statement.fields:
        node = _tap(field.ref, wirer)
        if field.name.name in places:
            wirer.sink.error(
                "DG0202",
                field.name.span,
                f"tap `{field.name.name}` is declared twice",
                notes=[Label(places[field.name.name], "first declared here")],
            )
        places[field.name.name] = field.name.span
        if node:
            taps[field.name.name] = node
    return unchecked(Output, at)(name=name, value=taps)


def _tap(ref: ast.Ref, wirer: Wirer) -> str | None:
    """Return the name of the node that an output refers to, or None after an error."""
    found: list[tuple[Vertex, Span]] = wirer.resolve([ref])
    if len(found) > 1:
        name = ref.path[0]
        wirer.sink.error(
            "DG0208",
            ref.span,
            f"`{name}` is an array of {len(found)} nodes",
            label="an output must be a single node",
            help=f"choose one, such as `{name}[{len(found) - 1}]`",
        )
        return None
    return found[0][0].name if found else None


def _duplicates(net: ast.Net) -> Iterator[ast.Output]:
    seen: set[str] = set()
    for statement in net.body:
        if isinstance(statement, ast.Output):
            if statement.name.name in seen:
                yield statement
            seen.add(statement.name.name)
