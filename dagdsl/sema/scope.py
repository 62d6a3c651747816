"""Where names are found: modules, one per file, and the scopes inside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dagdsl.ir.nodes import Shape
from dagdsl.sema.values import EvalValue
from dagdsl.syntax import ast

Declared = ast.Param | ast.Router | ast.Block | ast.Net | ast.Instance


@dataclass(slots=True)
class Module:
    """A `.dg` file: its declarations, its imports, and the values of its params."""

    file: ast.File
    items: dict[str, Declared] = field(default_factory=dict)
    imports: dict[str, tuple[ast.Import, Module]] = field(default_factory=dict)
    params: dict[str, EvalValue] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    """Names that would be declared if the file and its imports had no errors, as far as known."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A local name: its value, and its declaration (None for names that the language defines)."""

    value: EvalValue
    ident: ast.Ident | None = None


@dataclass(slots=True)
class Scope:
    """The visible names: local ones, then those of enclosing scopes, then those of the file.

    `input` is the shape of `in`, or None if `in` is not defined.
    """

    module: Module
    parent: Scope | None = None
    names: dict[str, Binding] = field(default_factory=dict)
    input: Shape | None = None

    def child(self, input: Shape | None = None) -> Scope:
        """Return a scope inside this one, with the same `in` unless `input` is given."""
        return Scope(self.module, self, {}, self.input if input is None else input)

    def bind(self, name: str, value: EvalValue, ident: ast.Ident | None = None) -> None:
        """Bind a name to a value in this scope."""
        self.names[name] = Binding(value, ident)

    def find(self, name: str) -> Binding | None:
        """Return the innermost local binding of a name, or None."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def visible(self) -> Iterator[str]:
        """Yield all visible names, for suggestions."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.names
            scope = scope.parent
        yield from self.module.items
        yield from self.module.imports
