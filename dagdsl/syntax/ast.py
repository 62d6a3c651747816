"""The tree of a `.dg` file: what was written, not yet what it means. Every node has its span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from dagdsl.source import SourceFile, Span


@dataclass(frozen=True, slots=True)
class Literal:
    """`3`, `0.5`, `"text"`, `true`; the value of one that could not be read is None."""

    value: bool | int | float | str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    """`x`, `mobile.ir`, `in.channels`: a dotted name without parentheses."""

    path: tuple[str, ...]
    span: Span

    def __str__(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Arg:
    """An argument; `name` is None for a positional one."""

    name: str | None
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`conv(24, kernel = 3)`."""

    callee: Name
    args: tuple[Arg, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ListExpr:
    """`[1, 2, 3]`."""

    items: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """`depths[0]`: an item of a list."""

    value: Expr
    index: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x`."""

    operand: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`a op b` with op one of `+ - * / //`."""

    op: str
    left: Expr
    right: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Pipe:
    """`a |> b |> c`, at least two steps."""

    steps: tuple[Expr, ...]
    span: Span


Expr: TypeAlias = Literal | Name | Call | ListExpr | Index | Unary | Binary | Pipe


@dataclass(frozen=True, slots=True)
class Ident:
    """A name where it is declared."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class TypeExpr:
    """`int`, `f32[3, 32, 32]`."""

    name: str
    dims: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Choices:
    """`in [0.5, 1.0]`."""

    items: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Range:
    """`in 2..8`, both ends included."""

    low: Expr
    high: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Formal:
    """A parameter of a router, block or net: `expand: int = 6`."""

    name: Ident
    type: TypeExpr | None
    default: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Ref:
    """A node named in a wire: `stem`, `n[2]`, `in`, `out`; `s1.n[0]` has the path `(s1, n)`."""

    path: tuple[str, ...]
    index: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Decl:
    """`a`, or an array `n[4]`."""

    name: Ident
    count: Expr | None
    span: Span


# Statements of a net, a stage or the body of a block.


@dataclass(frozen=True, slots=True)
class Input:
    """`input image: f32[3, 32, 32]`."""

    name: Ident
    type: TypeExpr
    span: Span


@dataclass(frozen=True, slots=True)
class Node:
    """`node a, b[2]: conv |> bn`."""

    decls: tuple[Decl, ...]
    body: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Let:
    """`channels = 24 * width`: an attribute of the stage, or a local constant."""

    name: Ident
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Wire:
    """`a, b -> c -> d via gate through up`: the groups between the arrows, at least two."""

    groups: tuple[tuple[Ref, ...], ...]
    via: Expr | None
    through: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Connect:
    """`connect complete via gate`: edges by rule. The pattern is a `Name` or a `Call`."""

    pattern: Name | Call
    via: Expr | None
    through: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Stage:
    """`stage s1 { ... }`, or an array of them `stage s[4] { ... }`."""

    name: Ident
    count: Expr | None
    body: tuple[Node | Let | Wire | Connect, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Field:
    """`p3 = s1` in an output group."""

    name: Ident
    ref: Ref
    span: Span


@dataclass(frozen=True, slots=True)
class Output:
    """`output logits` (`fields` is None), or `output features { p3 = s1 }`."""

    name: Ident
    fields: tuple[Field, ...] | None
    span: Span


GraphStatement: TypeAlias = Node | Let | Wire | Connect
NetStatement: TypeAlias = Input | Node | Let | Wire | Connect | Stage | Output


# Top level.


@dataclass(frozen=True, slots=True)
class Import:
    """`import "std/mobile.dg" as mobile`; `alias` is None where none is written."""

    path: Literal
    alias: Ident | None
    span: Span


@dataclass(frozen=True, slots=True)
class Param:
    """`param width: float = 1.0 in [0.5, 1.0]`."""

    name: Ident
    type: TypeExpr
    default: Expr
    domain: Choices | Range | None
    span: Span


@dataclass(frozen=True, slots=True)
class Router:
    """`router gate(tau) = gap |> fc |> sigmoid |> threshold(tau)`."""

    name: Ident
    formals: tuple[Formal, ...]
    body: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Block:
    """A reusable pipe (`body` is an expression) or small graph (`body` is its statements)."""

    name: Ident
    formals: tuple[Formal, ...]
    body: Expr | tuple[GraphStatement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Net:
    """`net DGNet(classes: int = 10) { ... }`."""

    name: Ident
    formals: tuple[Formal, ...]
    body: tuple[NetStatement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Instance:
    """`net resnet18 = resnet(basic, [2, 2, 2, 2])`: a net with some of its formals given."""

    name: Ident
    made: Name | Call
    span: Span


Item: TypeAlias = Import | Param | Router | Block | Net | Instance


@dataclass(frozen=True, slots=True)
class File:
    """A whole file. `edition` is 1 where none is written."""

    source: SourceFile
    edition: int
    items: tuple[Item, ...]
    span: Span
    dropped: frozenset[str] = frozenset()
    """The words of statements that could not be read, and were left out."""
