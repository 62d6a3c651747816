"""Declared or derived net -> its declaration, its file, and the values of its formals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dagdsl.limits import MAX_NESTING, MAX_NETS
from dagdsl.sema.arguments import as_type, callee_of, match_arguments
from dagdsl.sema.context import Context
from dagdsl.sema.expressions import evaluate
from dagdsl.sema.names import kind_of, resolve, unknown_name
from dagdsl.sema.scope import Module, Scope
from dagdsl.sema.values import EvalValue
from dagdsl.source import Frame
from dagdsl.syntax import ast


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A net to elaborate, with its arguments. `frames` lead from `net` to `name`."""

    name: ast.Ident
    net: ast.Net
    module: Module
    given: Mapping[str, EvalValue]
    frames: tuple[Frame, ...] = ()

    @property
    def open(self) -> list[ast.Formal]:
        """The formals without a value."""
        return [formal for formal in self.net.formals if formal.name.name not in self.given]

    @property
    def is_generic(self) -> bool:
        """Whether the net needs more arguments: some open formal has no default."""
        return any(formal.default is None for formal in self.open)


def blueprints(
    items: Sequence[ast.Net | ast.Instance], module: Module, context: Context
) -> list[Blueprint]:
    """Return the blueprints of nets and instances, except those with errors."""
    if len(items) > MAX_NETS:
        message = f"the file has {len(items):,} nets, over the limit of {MAX_NETS:,}"
        context.sink.error("DG0508", items[MAX_NETS].name.span, message, label="too many")
    plans = (blueprint(item, module, context) for item in items[:MAX_NETS])
    return [plan for plan in plans if plan is not None]


def blueprint(
    item: ast.Net | ast.Instance,
    module: Module,
    context: Context,
    trail: tuple[ast.Instance, ...] = (),
) -> Blueprint | None:
    """Return the blueprint of a net or an instance, or None after an error.

    `trail` are the instances derived from this one.
    """
    if isinstance(item, ast.Net):
        return Blueprint(item.name, item, module, {})
    name = item.name.name
    callee, args = callee_of(item.made)
    if any(item is earlier for earlier in trail):
        message = f"net `{name}` is derived from itself"
        context.sink.error("DG0209", item.name.span, message, label="infinite recursion")
        return None
    if len(trail) >= MAX_NESTING:
        message = f"nets are derived from one another more than {MAX_NESTING} levels deep"
        context.sink.error("DG0508", item.name.span, message, label="too deep")
        return None
    scope = Scope(module)
    found = resolve(callee, scope, context)
    if found is None:
        unknown_name(callee, scope, context)
        return None
    target, home = found
    if not isinstance(target, ast.Net | ast.Instance):
        context.sink.error(
            "DG0203",
            callee.span,
            f"`{callee}` is a {kind_of(target)}, not a net",
            label=f"a {kind_of(target)}",
            help="derive a net from another net: `net small = large(depth = 2)`",
        )
        return None
    base = blueprint(target, home, context, (*trail, item))
    if base is None:
        return None
    formals = {formal.name.name: formal for formal in base.open}
    what = f"net `{target.name.name}`"
    given = dict(base.given)
    for key, arg in match_arguments(args, formals, what, context).items():
        value = evaluate(arg.value, scope, context)
        type = formals[key].type
        if type is not None:
            value = as_type(value, type, f"`{key}`", arg.value.span, context)
        given[key] = value
    frames = (*base.frames, Frame(f"net `{name}`", item.made.span))
    return Blueprint(item.name, base.net, base.module, given, frames)
