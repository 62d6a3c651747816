"""Names -> what they refer to: built-ins, top-level declarations, parameters and attributes."""

from __future__ import annotations

from dagdsl.lsp.symbols import (
    Builtin,
    BuiltinKind,
    Definition,
    Kind,
    LexicalScope,
    Target,
    formal_of,
    item_of,
)
from dagdsl.ops.catalogue import OPS
from dagdsl.sema.arguments import callee_of
from dagdsl.sema.functions import CHOOSE, FUNCTIONS
from dagdsl.sema.graphs import STAGE_ATTRIBUTES
from dagdsl.sema.merging import ATTRIBUTE as MERGE
from dagdsl.sema.scope import Declared, Module
from dagdsl.syntax import ast
from dagdsl.topology.patterns import PATTERNS


def builtin(name: str, *, called: bool = False) -> Builtin | None:
    """Return the op, function or pattern of that name."""
    # `max` is a merge, `max(a, b)` is a function.
    if name in OPS and not (called and name in FUNCTIONS):
        return Builtin(BuiltinKind.OP, name)
    if name in FUNCTIONS or name == CHOOSE:
        return Builtin(BuiltinKind.FUNCTION, name)
    return Builtin(BuiltinKind.PATTERN, name) if name in PATTERNS else None


def attributes_of(scope: LexicalScope) -> tuple[str, ...]:
    """Return the attributes that may be set in the body of a stage or a block."""
    match scope.kind:
        case Kind.STAGE:
            return (*STAGE_ATTRIBUTES, MERGE)
        case Kind.BLOCK:
            return (MERGE,)
    return ()


def parameter_of(callee: Target | None, name: str) -> Target | None:
    """Return the parameter that `name = ...` sets in a call, or None if there is none."""
    return next((target for target in parameters_of(callee) if target_name(target) == name), None)


def parameters_of(callee: Target | None) -> list[Target]:
    """Return the parameters of what is called, in order."""
    match callee:
        case Builtin(BuiltinKind.OP, name):
            params = OPS[name].params
        case Builtin(BuiltinKind.PATTERN, name):
            params = PATTERNS[name].params
        case Definition(declared=ast.Block() | ast.Router() | ast.Net() as item, home=home):
            return [formal_of(item.name.name, formal, home) for formal in item.formals]
        case Definition(declared=ast.Instance() as item, home=home):
            return _unset_parameters(item, home)
        case _:
            return []
    return [Builtin(BuiltinKind.PARAMETER, name, param) for param in params]


def _unset_parameters(
    item: ast.Instance, home: Module, trail: tuple[ast.Instance, ...] = ()
) -> list[Target]:
    """The parameters of a net made from another one: those that the instance does not set."""
    name, args = callee_of(item.made)
    found = lookup(name, home)
    if found is None or any(item is other for other in trail):
        return []
    made_from, there = found
    if isinstance(made_from, ast.Instance):
        formals = _unset_parameters(made_from, there, (*trail, item))
    else:
        formals = parameters_of(item_of(made_from, there))
    given = {arg.name for arg in args}
    positional = sum(arg.name is None for arg in args)
    return [formal for formal in formals[positional:] if target_name(formal) not in given]


def lookup(name: ast.Name, module: Module) -> tuple[Declared, Module] | None:
    """Return the top-level declaration a dotted name refers to, and the module that contains it."""
    for alias in name.path[:-1]:
        if alias not in module.imports:
            return None
        module = module.imports[alias][1]
    item = module.items.get(name.path[-1])
    return (item, module) if item else None


def target_name(target: Target) -> str:
    """Return the name as it is written: of a parameter its own name, not that of its op."""
    if isinstance(target, Builtin) and target.param is not None:
        return target.param.name
    return target.name
