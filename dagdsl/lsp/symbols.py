"""The tree of a file -> its names: where each is declared, used, and which are known where.

Elaboration resolves names too, but only those it evaluates: not the untaken arm of a `choose`, not
the blocks of a library that no net uses, nothing behind a mistake. A rename must find them all.
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
    """What a name is, as it is called in messages."""

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
    """A declared name. `path` leads there: `("DGNet", "s1", "a")`; `span` is the name itself."""

    kind: Kind
    path: tuple[str, ...]
    span: Span
    declared: ast.Item | ast.NetStatement | ast.Formal | ast.Decl
    statement: Span
    """All of what declares it."""
    home: Module = field(repr=False)

    @property
    def name(self) -> str:
        """The name."""
        return self.path[-1]

    @property
    def key(self) -> tuple[Path, int]:
        """The same for the same declaration, whichever file it was reached from."""
        return path_of(self.span.file.name), self.span.start


class BuiltinKind(StrEnum):
    """What a name that the language gives is."""

    OP = "op"
    FUNCTION = "function"
    PATTERN = "connect pattern"
    PARAMETER = "parameter"
    ATTRIBUTE = "attribute"
    PORT = "port"


@dataclass(frozen=True, slots=True)
class Builtin:
    """A name that the language gives; `param` is what a named argument of an op is."""

    kind: BuiltinKind
    name: str
    param: Param | None = None


Target = Definition | Builtin


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A name where it is used, or declared, and what it stands for.

    `start` is where the dotted name starts whose last word it is.
    """

    span: Span
    target: Target
    start: int


@dataclass(slots=True)
class LexicalScope:
    """A part of the file with names of its own: the file, a declaration, a stage.

    `values` are what expressions see, `nodes` what wires see.
    """

    kind: Kind | None
    path: tuple[str, ...]
    parent: LexicalScope | None = None
    values: dict[str, Target] = field(default_factory=dict)
    nodes: dict[str, Definition] = field(default_factory=dict)

    def find(self, name: str) -> Target | None:
        """What a name in an expression stands for, innermost first."""
        scope: LexicalScope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values[name]
            scope = scope.parent
        return None

    def visible(self) -> dict[str, Target]:
        """All names an expression sees here."""
        outer = self.parent.visible() if self.parent else {}
        return outer | self.values


@dataclass(slots=True)
class Symbols:
    """The names of a file. `uses` are sorted, and declarations are among them."""

    definitions: list[Definition] = field(default_factory=list)
    occurrences: list[Occurrence] = field(default_factory=list)
    scopes: dict[tuple[str, ...], LexicalScope] = field(default_factory=dict)
    """By path: `()` is the file, `("DGNet", "s1")` a stage."""

    def at(self, offset: int) -> Occurrence | None:
        """The name at a place; also directly behind it, where the cursor of an editor stands."""
        index = (
            bisect_right(self.occurrences, offset, key=lambda occurrence: occurrence.span.start) - 1
        )
        if index >= 0 and self.occurrences[index].span.end >= offset:
            return self.occurrences[index]
        return None


def item_of(item: Declared, home: Module) -> Definition:
    """The definition of a declaration at the top of a file."""
    return Definition(Kind(kind_of(item)), (item.name.name,), item.name.span, item, item.span, home)


def formal_of(owner: str, formal: ast.Formal, home: Module) -> Definition:
    """The definition of an argument of a block, router or net."""
    path = (owner, formal.name.name)
    return Definition(Kind.ARGUMENT, path, formal.name.span, formal, formal.span, home)


@lru_cache(maxsize=1024)
def path_of(name: str) -> Path:
    """Where the file that people are shown as `name` lies."""
    path = Path(name)
    if path.parts[:1] == ("std",):
        return STD.joinpath(*path.parts[1:])
    return path.resolve()


_WORD = re.compile(r"#[^\n]*|([^\W\d]\w*)")


def words_in(span: Span) -> Iterator[Span]:
    """The words of a dotted name, which may stand on several lines with comments in between."""
    for match in _WORD.finditer(span.file.text, span.start, span.end):
        if match[1]:
            yield Span(span.file, match.start(), match.end())
