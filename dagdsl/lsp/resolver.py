"""A module -> its symbol table: the declaration that each name in the file refers to.

The scoping rules are those of `dagdsl.sema`; a test compares the two on every example.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from dagdsl.lsp.lookup import attributes_of, builtin, lookup, parameter_of
from dagdsl.lsp.symbols import (
    Builtin,
    BuiltinKind,
    Definition,
    Kind,
    LexicalScope,
    Occurrence,
    Symbols,
    Target,
    formal_of,
    item_of,
    words_in,
)
from dagdsl.sema.graphs import STAGE_ATTRIBUTES
from dagdsl.sema.names import kind_of
from dagdsl.sema.scope import Declared, Module
from dagdsl.source import Span
from dagdsl.syntax import ast


def symbols_of(module: Module) -> Symbols:
    """Return the symbol table of a module's file."""
    return _Resolver(module).run()


class _Resolver:
    def __init__(self, module: Module) -> None:
        self.module = module
        self.symbols = Symbols()
        self.imports: dict[str, Definition] = {}

    def run(self) -> Symbols:
        top = self._scope(None, (), None)
        for item in self.module.file.items:
            if isinstance(item, ast.Import):
                self._import(item)
            else:
                self._define(item_of(item, self.module), top.values)
        for item in self.module.file.items:
            if not isinstance(item, ast.Import):
                self._item(item, top)
        self.symbols.occurrences.sort(key=lambda occurrence: occurrence.span.start)
        return self.symbols

    # Declarations

    def _scope(
        self, kind: Kind | None, path: tuple[str, ...], parent: LexicalScope | None
    ) -> LexicalScope:
        scope = LexicalScope(kind, path, parent)
        return self.symbols.scopes.setdefault(path, scope)

    def _define(self, definition: Definition, names: dict[str, Target] | None = None) -> None:
        self.symbols.definitions.append(definition)
        self._record(definition.span, definition)
        if names is not None:
            names.setdefault(definition.name, definition)

    def _import(self, item: ast.Import) -> None:
        # Without an alias, the path declares the name.
        name = item.alias.name if item.alias else Path(str(item.path.value)).stem
        at = item.alias.span if item.alias else item.path.span
        definition = Definition(Kind.IMPORT, (name,), at, item, item.span, self.module)
        self._define(definition)
        if item.alias:
            self._record(item.path.span, definition)
        self.imports.setdefault(name, definition)

    def _item(self, item: Declared, top: LexicalScope) -> None:
        name = item.name.name
        match item:
            case ast.Param():
                self._expressions(top, item.default)
                if isinstance(item.domain, ast.Choices):
                    self._expressions(top, *item.domain.items)
                elif item.domain is not None:
                    self._expressions(top, item.domain.low, item.domain.high)
            case ast.Instance():
                self._expressions(top, item.made)
            case _:
                scope = self._scope(Kind(kind_of(item)), (name,), top)
                for formal in item.formals:
                    # A default may refer to the arguments before it.
                    self._expressions(scope, formal.default)
                    self._define(formal_of(name, formal, self.module), scope.values)
                if isinstance(item.body, tuple):
                    self._body(item.body, scope)
                else:
                    self._expressions(scope, item.body)

    def _body(self, statements: Sequence[ast.NetStatement], scope: LexicalScope) -> None:
        for statement in statements:
            if isinstance(statement, ast.Let):
                self._let(statement, scope)
        if scope.kind is Kind.STAGE:
            for name in STAGE_ATTRIBUTES:
                scope.values.setdefault(name, _attribute(name))
        for statement in statements:
            self._declare(statement, scope)
        for statement in statements:
            self._statement(statement, scope)

    def _let(self, let: ast.Let, scope: LexicalScope) -> None:
        # A constant may refer to those before it.
        self._expressions(scope, let.value)
        name = let.name.name
        kind = Kind.CONSTANT
        if name in attributes_of(scope):
            kind = Kind.ATTRIBUTE
        path = (*scope.path, name)
        self._define(
            Definition(kind, path, let.name.span, let, let.span, self.module), scope.values
        )

    def _declare(self, statement: ast.NetStatement, scope: LexicalScope) -> None:
        found: Iterable[tuple[Kind, ast.Ident, ast.NetStatement | ast.Decl]] = ()
        match statement:
            case ast.Input():
                found = [(Kind.INPUT, statement.name, statement)]
            case ast.Stage():
                found = [(Kind.STAGE, statement.name, statement)]
            case ast.Node():
                found = [(Kind.NODE, decl.name, decl) for decl in statement.decls]
        for kind, name, declared in found:
            path = (*scope.path, name.name)
            definition = Definition(kind, path, name.span, declared, statement.span, self.module)
            self._define(definition)
            scope.nodes.setdefault(name.name, definition)

    # References

    def _statement(self, statement: ast.NetStatement, scope: LexicalScope) -> None:
        match statement:
            case ast.Input():
                self._expressions(scope, *statement.type.dims)
            case ast.Node():
                inside = scope
                for decl in statement.decls:
                    self._expressions(scope, decl.count)
                    if decl.count is not None and inside is scope:
                        inside = LexicalScope(
                            None, scope.path, scope, {"index": _attribute("index")}
                        )
                self._expressions(inside, statement.body)
            case ast.Wire():
                for group in statement.groups:
                    for ref in group:
                        self._ref(ref, scope)
                self._expressions(scope, statement.via, statement.through)
            case ast.Connect():
                self._expressions(scope, statement.pattern, statement.via, statement.through)
            case ast.Stage():
                self._expressions(scope, statement.count)
                path = (*scope.path, statement.name.name)
                stage = self._scope(Kind.STAGE, path, scope)
                if statement.count is not None:
                    stage.values["index"] = _attribute("index")
                self._body(statement.body, stage)
            case ast.Output():
                self._output(statement, scope)

    def _output(self, statement: ast.Output, scope: LexicalScope) -> None:
        name = statement.name
        if statement.fields is None:
            # `output NAME` refers to the node of that name.
            self._ref(ast.Ref((name.name,), None, name.span), scope)
            return
        path = (*scope.path, name.name)
        self._define(
            Definition(Kind.OUTPUT, path, name.span, statement, statement.span, self.module)
        )
        for tap in statement.fields:
            self._ref(tap.ref, scope)

    def _ref(self, ref: ast.Ref, scope: LexicalScope) -> None:
        self._expressions(scope, ref.index)
        word = next(words_in(ref.span))
        if ref.path[0] in ("in", "out"):
            self._record(word, Builtin(BuiltinKind.PORT, ref.path[0]))
        elif ref.path[0] in scope.nodes:
            self._record(word, scope.nodes[ref.path[0]])

    def _expressions(self, scope: LexicalScope, *expressions: ast.Expr | None) -> None:
        todo = [expr for expr in expressions if expr is not None]
        while todo:
            expr = todo.pop()
            match expr:
                case ast.Name():
                    self._name(expr, scope)
                case ast.Call():
                    self._arguments(expr.args, self._name(expr.callee, scope, called=True))
                    todo.extend(arg.value for arg in expr.args)
                case ast.ListExpr():
                    todo.extend(expr.items)
                case ast.Pipe():
                    todo.extend(expr.steps)
                case ast.Unary():
                    todo.append(expr.operand)
                case ast.Binary():
                    todo += expr.left, expr.right
                case ast.Index():
                    todo += expr.value, expr.index

    def _name(self, name: ast.Name, scope: LexicalScope, *, called: bool = False) -> Target | None:
        """Resolve a name in an expression, word by word. Return the target of the last word."""
        words = list(words_in(name.span))
        *spaces, last = name.path
        if name.path[0] == "in":
            return self._record(name.span, Builtin(BuiltinKind.PORT, str(name)))
        if not spaces:
            return self._record(name.span, scope.find(last) or builtin(last, called=called))
        self._record(words[0], self.imports.get(spaces[0]))
        found = lookup(name, self.module)
        target = item_of(*found) if found else None
        return self._record(words[-1], target, name.span.start)

    def _arguments(self, args: Sequence[ast.Arg], callee: Target | None) -> None:
        for arg in args:
            if arg.name is not None:
                word = next(words_in(arg.span))
                self._record(word, parameter_of(callee, arg.name))

    def _record(self, span: Span, target: Target | None, start: int | None = None) -> Target | None:
        if target is not None:
            start = span.start if start is None else start
            self.symbols.occurrences.append(Occurrence(span, target, start))
        return target


def _attribute(name: str) -> Target:
    return Builtin(BuiltinKind.ATTRIBUTE, name)
