"""What a name means at a place: modules (one a file), scopes inside them, and what was used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dagdsl.ir.nodes import Shape
from dagdsl.sema.values import Worth
from dagdsl.syntax import ast

Declared = ast.Param | ast.Router | ast.Block | ast.Net | ast.Instance


@dataclass(slots=True)
class Module:
    """One `.dg` file: what it declares, what it imports, and the values of its params."""

    file: ast.File
    items: dict[str, Declared] = field(default_factory=dict)
    imports: dict[str, tuple[ast.Import, Module]] = field(default_factory=dict)
    params: dict[str, Worth] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    """Names that might mean something if all of the file and its imports could be read."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A local name: its value, and where it was declared (None for what the language gives)."""

    value: Worth
    ident: ast.Ident | None = None


@dataclass(slots=True)
class Scope:
    """The names at a place: local ones, then those around it, then those of the file.

    `input` is the shape `in` has here; None where there is no `in`.
    """

    module: Module
    parent: Scope | None = None
    names: dict[str, Binding] = field(default_factory=dict)
    input: Shape | None = None

    def child(self, input: Shape | None = None) -> Scope:
        """A scope inside this one; `in` stays what it is unless `input` is given."""
        return Scope(self.module, self, {}, self.input if input is None else input)

    def bind(self, name: str, value: Worth, ident: ast.Ident | None = None) -> None:
        """Give a name a value in this scope."""
        self.names[name] = Binding(value, ident)

    def find(self, name: str) -> Binding | None:
        """The local binding of a name, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def visible(self) -> Iterator[str]:
        """All names visible here, for "did you mean"."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.names
            scope = scope.parent
        yield from self.module.items
        yield from self.module.imports
