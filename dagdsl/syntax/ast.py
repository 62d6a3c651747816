"""The syntax tree of a `.dg` file. Every node has its span; names are not resolved yet."""

from __future__ import annotations

from typing import TypeAlias

from dagdsl.source import SourceFile, Span
from dagdsl.syntax.record import Record, record


@record
class Literal(Record):
    """`3`, `0.5`, `"text"`, `true`. The value is None if the literal could not be read."""

    value: bool | int | float | str | None
    span: Span


@record
class Name(Record):
    """`x`, `mobile.ir`, `in.channels`: a dotted name without parentheses."""

    path: tuple[str, ...]
    span: Span

    def __str__(self) -> str:
        return ".".join(self.path)


@record
class Arg(Record):
    """An argument. `name` is None if it is positional."""

    name: str | None
    value: Expr
    span: Span


@record
class Call(Record):
    """`conv(24, kernel = 3)`."""

    callee: Name
    args: tuple[Arg, ...]
    span: Span


@record
class ListExpr(Record):
    """`[1, 2, 3]`."""

    items: tuple[Expr, ...]
    span: Span


@record
class Index(Record):
    """`depths[0]`: one item of a list."""

    value: Expr
    index: Expr
    span: Span


@record
class Unary(Record):
    """`-x`."""

    operand: Expr
    span: Span


@record
class Binary(Record):
    """`a op b`, where `op` is one of `+ - * / //`."""

    op: str
    left: Expr
    right: Expr
    span: Span


@record
class Pipe(Record):
    """`a |> b |> c`: two or more steps."""

    steps: tuple[Expr, ...]
    span: Span


Expr: TypeAlias = Literal | Name | Call | ListExpr | Index | Unary | Binary | Pipe


@record
class Ident(Record):
    """A name at its declaration."""

    name: str
    span: Span


@record
class TypeExpr(Record):
    """`int`, `f32[3, 32, 32]`."""

    name: str
    dims: tuple[Expr, ...]
    span: Span


@record
class Choices(Record):
    """`in [0.5, 1.0]`."""

    items: tuple[Expr, ...]
    span: Span


@record
class Range(Record):
    """`in 2..8`, including both ends."""

    low: Expr
    high: Expr
    span: Span


@record
class Formal(Record):
    """A parameter of a router, block or net: `expand: int = 6`."""

    name: Ident
    type: TypeExpr | None
    default: Expr | None
    span: Span


@record
class Ref(Record):
    """A node in a wire: `stem`, `n[2]`, `in`, `out`. The path of `s1.n[0]` is `(s1, n)`."""

    path: tuple[str, ...]
    index: Expr | None
    span: Span


@record
class Decl(Record):
    """A declared node `a`, or an array of nodes `n[4]`."""

    name: Ident
    count: Expr | None
    span: Span


# Statements of a net, a stage or the body of a block.


@record
class Input(Record):
    """`input image: f32[3, 32, 32]`."""

    name: Ident
    type: TypeExpr
    span: Span


@record
class Node(Record):
    """`node a, b[2]: conv |> bn`."""

    decls: tuple[Decl, ...]
    body: Expr
    span: Span


@record
class Let(Record):
    """`channels = 24 * width`: a stage attribute or a local constant."""

    name: Ident
    value: Expr
    span: Span


@record
class Wire(Record):
    """`a, b -> c -> d via gate through up`. `groups` are the two or more parts between arrows."""

    groups: tuple[tuple[Ref, ...], ...]
    via: Expr | None
    through: Expr | None
    span: Span


@record
class Connect(Record):
    """`connect complete via gate`: edges that a pattern generates."""

    pattern: Name | Call
    via: Expr | None
    through: Expr | None
    span: Span


@record
class Stage(Record):
    """`stage s1 { ... }`, or an array of them `stage s[4] { ... }`."""

    name: Ident
    count: Expr | None
    body: tuple[Node | Let | Wire | Connect, ...]
    span: Span


@record
class Field(Record):
    """`p3 = s1` in an output group."""

    name: Ident
    ref: Ref
    span: Span


@record
class Output(Record):
    """`output logits` (`fields` is None), or `output features { p3 = s1 }`."""

    name: Ident
    fields: tuple[Field, ...] | None
    span: Span


GraphStatement: TypeAlias = Node | Let | Wire | Connect
NetStatement: TypeAlias = Input | Node | Let | Wire | Connect | Stage | Output


# Top level.


@record
class Import(Record):
    """`import "std/mobile.dg" as mobile`. `alias` is None if it is omitted."""

    path: Literal
    alias: Ident | None
    span: Span


@record
class Param(Record):
    """`param width: float = 1.0 in [0.5, 1.0]`."""

    name: Ident
    type: TypeExpr
    default: Expr
    domain: Choices | Range | None
    span: Span


@record
class Router(Record):
    """`router gate(tau) = gap |> fc |> sigmoid |> threshold(tau)`."""

    name: Ident
    formals: tuple[Formal, ...]
    body: Expr
    span: Span


@record
class Block(Record):
    """A reusable pipe (`body` is an expression) or subgraph (`body` is a tuple of statements)."""

    name: Ident
    formals: tuple[Formal, ...]
    body: Expr | tuple[GraphStatement, ...]
    span: Span


@record
class Net(Record):
    """`net DGNet(classes: int = 10) { ... }`."""

    name: Ident
    formals: tuple[Formal, ...]
    body: tuple[NetStatement, ...]
    span: Span


@record
class Instance(Record):
    """`net resnet18 = resnet(basic, [2, 2, 2, 2])`: a net with some of its arguments."""

    name: Ident
    made: Name | Call
    span: Span


Item: TypeAlias = Import | Param | Router | Block | Net | Instance


@record
class File(Record):
    """A whole file. `edition` is 1 if it is omitted."""

    source: SourceFile
    edition: int
    items: tuple[Item, ...]
    span: Span
    dropped: frozenset[str] = frozenset()
    """The words of the statements that recovery left out."""
    guessed: tuple[Span, ...] = ()
    """The statements that recovery repaired by a guess; they may not say what was meant."""
