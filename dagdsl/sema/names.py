"""Names in expressions: resolving them, and reporting unknown ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dagdsl.diagnostics.model import Edit, Fix
from dagdsl.diagnostics.sink import did_you_mean, respelling
from dagdsl.ops.catalogue import ELSEWHERE
from dagdsl.sema.context import Context
from dagdsl.sema.functions import CHOOSE, FUNCTIONS
from dagdsl.sema.scope import Declared, Module, Scope
from dagdsl.source import Span
from dagdsl.syntax import ast


def is_function(callee: ast.Name, scope: Scope) -> bool:
    """Whether a call refers to a function of the language, which declarations can shadow."""
    name = str(callee)
    shadowed = scope.find(name) or name in scope.module.items
    return (name in FUNCTIONS or name == CHOOSE) and not shadowed


def mention(expr: ast.Expr, scope: Scope, context: Context) -> None:
    """Record the names in an expression that is not evaluated, so that they count as used."""
    if id(expr) in context.not_taken:
        return
    context.not_taken[id(expr)] = expr
    for name in names_in(expr):
        binding = scope.find(name.path[0])
        if binding is not None:
            context.mention(binding.ident)
            continue
        module = scope.module
        for alias in name.path[:-1]:
            if alias not in module.imports:
                break
            statement, module = module.imports[alias]
            context.mentioned.add(id(statement))
        if name.path[-1] in module.items:
            context.mention(module.items[name.path[-1]].name)


def names_in(*things: object) -> Iterator[ast.Name]:
    """Yield all names in parts of the syntax tree."""
    todo = list(things)
    while todo:
        thing = todo.pop()
        if isinstance(thing, tuple):
            todo.extend(thing)
        elif isinstance(thing, ast.Name):
            yield thing
        elif hasattr(thing, "__slots__") and not isinstance(thing, Span | ast.Ident):
            todo.extend(getattr(thing, slot) for slot in thing.__slots__ if slot != "span")


def resolve(name: ast.Name, scope: Scope, context: Context) -> tuple[Declared, Module] | None:
    """Return the declaration that a name at file level refers to, and its file; mark it as used."""
    module = scope.module
    for alias in name.path[:-1]:
        if alias not in module.imports:
            return None
        statement, module = module.imports[alias]
        context.use(statement.alias)
        context.used.add(id(statement))
    item = module.items.get(name.path[-1])
    if item is None:
        return None
    context.use(item.name)
    return item, module


def unknown_name(name: ast.Name, scope: Scope, context: Context, extra: Iterable[str] = ()) -> None:
    """Report an unknown name, and suggest the closest known one."""
    known = [*scope.visible(), *extra]
    *spaces, last = name.path
    if spaces:
        module: Module | None = scope.module
        for alias in spaces:
            module = module.imports[alias][1] if module and alias in module.imports else None
        if module is None and spaces[0] in scope.module.lost:
            return
        if module is not None:
            if last in module.lost:
                return
            message = f"`{'.'.join(spaces)}` has no `{last}`"
            at = Span(name.span.file, name.span.end - len(last), name.span.end)
            context.sink.error(
                "DG0201",
                name.span,
                message,
                label="not found",
                help=did_you_mean(last, module.items),
                fix=respelling(last, at, module.items),
            )
            return
        last = spaces[0]
        known = list(scope.module.imports)
    elif last in scope.module.lost:
        return  # its declaration is broken, which was reported
    at = Span(name.span.file, name.span.start, name.span.start + len(last))
    here = ELSEWHERE.get(last.lower())
    context.sink.error(
        "DG0201",
        name.span,
        f"unknown name `{last}`",
        label="not found",
        help=f"dagdsl calls it `{here}`" if here else did_you_mean(last, known),
        fix=respelling(last, at, known)
        if here is None
        else Fix(f"change `{last}` to `{here}`", (Edit(at, here),)),
    )


def kind_of(item: Declared) -> str:
    """Return the kind of a declaration for messages; an instance of a net is a net."""
    return "net" if isinstance(item, ast.Instance) else type(item).__name__.lower()
