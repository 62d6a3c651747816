"""The symbol table of a file: declarations, occurrences of names, and lexical scopes.

Elaboration resolves names too, but only those it evaluates: neither the untaken arm of a `choose`,
nor blocks that no net uses, nor anything hidden by an error. A rename must find them all.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from dagdsl.ops.spec import Param
from dagdsl.sema.names import kind_of
from dagdsl.sema.scope import Declared, Module
from dagdsl.source import Span
from dagdsl.syntax import ast
from dagdsl.syntax.reader import STD


class Kind(StrEnum):
    """The kind of a declaration, as messages call it."""

    IMPORT = "import"
    PARAM = "param"
    ROUTER = "router"
    BLOCK = "block"
    NET = "net"
    ARGUMENT = "argument"
    CONSTANT = "constant"
    ATTRIBUTE = "attribute"
    INPUT = "input"
    NODE = "node"
    STAGE = "stage"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """A declaration. `path` is its full name, `("DGNet", "s1", "a")`; `span` covers the name."""

    kind: Kind
    path: tuple[str, ...]
    span: Span
    declared: ast.Item | ast.NetStatement | ast.Formal | ast.Decl
    statement: Span
    """The whole statement that declares it."""
    home: Module = field(repr=False)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path[-1]

    @property
    def key(self) -> tuple[Path, int]:
        """Identifies the declaration, whichever file it was reached from."""
        return path_of(self.span.file.name), self.span.start


class BuiltinKind(StrEnum):
    """The kind of a name that the language defines."""

    OP = "op"
    FUNCTION = "function"
    PATTERN = "connect pattern"
    PARAMETER = "parameter"
    ATTRIBUTE = "attribute"
    PORT = "port"


@dataclass(frozen=True, slots=True)
class Builtin:
    """A name that the language defines; `param` is set for a parameter of an op or pattern."""

    kind: BuiltinKind
    name: str
    param: Param | None = None


Target = Definition | Builtin


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A name in the text, in a declaration or a reference, and what it refers to.

    `start` is the offset of the whole dotted name, of which `span` may be the last word.
    """

    span: Span
    target: Target
    start: int


@dataclass(slots=True)
class LexicalScope:
    """The names of a file, a declaration or a stage.

    `values` are visible in expressions, `nodes` in wires.
    """

    kind: Kind | None
    path: tuple[str, ...]
    parent: LexicalScope | None = None
    values: dict[str, Target] = field(default_factory=dict)
    nodes: dict[str, Definition] = field(default_factory=dict)

    def find(self, name: str) -> Target | None:
        """Look up a name of an expression in this scope and the enclosing ones."""
        scope: LexicalScope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values[name]
            scope = scope.parent
        return None

    def visible(self) -> dict[str, Target]:
        """All names that an expression in this scope can use."""
        outer = self.parent.visible() if self.parent else {}
        return outer | self.values


@dataclass(slots=True)
class Symbols:
    """The symbol table of a file. `occurrences` are sorted and include declarations."""

    definitions: list[Definition] = field(default_factory=list)
    occurrences: list[Occurrence] = field(default_factory=list)
    scopes: dict[tuple[str, ...], LexicalScope] = field(default_factory=dict)
    """By path: `()` is the file, `("DGNet", "s1")` a stage."""

    def at(self, offset: int) -> Occurrence | None:
        """The name at an offset, or directly before it, where an editor's cursor stands."""
        index = (
            bisect_right(self.occurrences, offset, key=lambda occurrence: occurrence.span.start) - 1
        )
        if index >= 0 and self.occurrences[index].span.end >= offset:
            return self.occurrences[index]
        return None


def item_of(item: Declared, home: Module) -> Definition:
    """Return the definition of a top-level declaration."""
    return Definition(Kind(kind_of(item)), (item.name.name,), item.name.span, item, item.span, home)


def formal_of(owner: str, formal: ast.Formal, home: Module) -> Definition:
    """Return the definition of an argument of a block, router or net."""
    path = (owner, formal.name.name)
    return Definition(Kind.ARGUMENT, path, formal.name.span, formal, formal.span, home)


@lru_cache(maxsize=1024)
def path_of(name: str) -> Path:
    """Return the path of the file with this display name."""
    path = Path(name)
    if path.parts[:1] == ("std",):
        return STD.joinpath(*path.parts[1:])
    return path.resolve()


_WORD = re.compile(r"#[^\n]*|([^\W\d]\w*)")


def words_in(span: Span) -> Iterator[Span]:
    """Yield the words of a dotted name, which may span lines and contain comments."""
    for match in _WORD.finditer(span.file.text, span.start, span.end):
        if match[1]:
            yield Span(span.file, match.start(), match.end())
