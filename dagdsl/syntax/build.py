"""Tokens that parse -> the tree. Works from the leaves up, so depth costs no recursion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from lark import Token, Tree

from dagdsl.limits import MAX_INTEGER, MAX_NESTING
from dagdsl.source import SourceFile, Span
from dagdsl.syntax import ast
from dagdsl.syntax.grammar import extent, lark_parser
from dagdsl.syntax.problems import Problems, shown

EDITION: Final = 1
_EXPRESSIONS = (
    ast.Literal,
    ast.Name,
    ast.Call,
    ast.ListExpr,
    ast.Index,
    ast.Unary,
    ast.Binary,
    ast.Pipe,
)


def build(source: SourceFile, tokens: Sequence[Token], problems: Problems) -> ast.File:
    """The tree of tokens that follow the grammar, the last of which is the end token."""
    parser = lark_parser().parse_interactive("")
    root = None
    for token in tokens:
        root = parser.feed_token(token)
    assert isinstance(root, Tree)
    return _Builder(source, problems).build(root)


class _Builder:
    """One method for each rule of the grammar, called with what the rule's parts became."""

    def __init__(self, source: SourceFile, problems: Problems) -> None:
        self._source = source
        self._problems = problems

    def build(self, root: Tree[Token]) -> ast.File:
        done: dict[int, tuple[Any, float]] = {}
        for node in root.iter_subtrees():
            parts = [done.pop(id(c)) if isinstance(c, Tree) else (c, 0) for c in node.children]
            value = getattr(self, node.data)(self._span(node), *(value for value, _ in parts))
            height = max((height for _, height in parts), default=0.0)
            if isinstance(value, _EXPRESSIONS):
                height += 1
                if height > MAX_NESTING:
                    value, height = self._too_deep(value), -math.inf
            done[id(node)] = value, height
        file, _ = done[id(root)]
        assert isinstance(file, ast.File)
        return file

    def _span(self, node: Tree[Token]) -> Span:
        if node.meta.empty:
            return Span(self._source, 0, 0)
        return Span(self._source, node.meta.start_pos, node.meta.end_pos)

    def _too_deep(self, expr: ast.Expr) -> ast.Expr:
        """Report it; what stands in is so shallow that nothing around it is reported again."""
        self._problems.report(
            "DG0104",
            expr.span.start,
            expr.span.end,
            f"an expression more than {MAX_NESTING} levels deep",
            help="give a part of it a name of its own: `part = ...`",
        )
        return ast.Literal(1, expr.span)

    # The file.

    def start(self, span: Span, *items: ast.Item | Token) -> ast.File:
        for index, item in enumerate(items):
            if isinstance(item, Token):
                self._check_edition(item, first=index == 0)
        kept = tuple(item for item in items if not isinstance(item, Token))
        return ast.File(self._source, EDITION, kept, Span(self._source, 0, len(self._source.text)))

    def edition(self, span: Span, number: Token) -> Token:
        return number

    def _check_edition(self, number: Token, *, first: bool) -> None:
        start, end = extent(number)
        if not first:
            message = "`edition` must stand once, before everything else"
            self._problems.report("DG0102", start, end, message)
        elif number.lstrip("0") != str(EDITION):
            message = f"unknown edition {shown(number)}"
            help = f"this version of dagdsl reads edition {EDITION}"
            self._problems.report("DG0105", start, end, message, help=help)

    # Declarations.

    def _ident(self, token: Token) -> ast.Ident:
        return ast.Ident(str(token), Span(self._source, *extent(token)))

    def import_(self, span: Span, path: Token, alias: Token | None) -> ast.Import:
        literal = ast.Literal(path[1:-1], Span(self._source, *extent(path)))
        return ast.Import(literal, None if alias is None else self._ident(alias), span)

    def param(
        self,
        span: Span,
        name: Token,
        type: ast.TypeExpr,
        default: ast.Expr,
        domain: ast.Choices | ast.Range | None,
    ) -> ast.Param:
        return ast.Param(self._ident(name), type, default, domain, span)

    def choices(self, span: Span, *items: ast.Expr) -> ast.Choices:
        return ast.Choices(items, span)

    def range(self, span: Span, low: ast.Expr, high: ast.Expr) -> ast.Range:
        return ast.Range(low, high, span)

    def router(
        self, span: Span, name: Token, formals: tuple[ast.Formal, ...] | None, body: ast.Expr
    ) -> ast.Router:
        return ast.Router(self._ident(name), formals or (), body, span)

    def block(
        self,
        span: Span,
        name: Token,
        formals: tuple[ast.Formal, ...] | None,
        body: ast.Expr | tuple[ast.GraphStatement, ...],
    ) -> ast.Block:
        return ast.Block(self._ident(name), formals or (), body, span)

    def net(
        self,
        span: Span,
        name: Token,
        formals: tuple[ast.Formal, ...] | None,
        *body: ast.NetStatement,
    ) -> ast.Net:
        return ast.Net(self._ident(name), formals or (), body, span)

    def instance(self, span: Span, name: Token, made: ast.Name | ast.Call) -> ast.Instance:
        return ast.Instance(self._ident(name), made, span)

    def formals(self, span: Span, *formals: ast.Formal) -> tuple[ast.Formal, ...]:
        return formals

    def formal(
        self, span: Span, name: Token, type: ast.TypeExpr | None, default: ast.Expr | None
    ) -> ast.Formal:
        return ast.Formal(self._ident(name), type, default, span)

    def type(self, span: Span, name: Token, *dims: ast.Expr) -> ast.TypeExpr:
        return ast.TypeExpr(str(name), dims, span)

    # Statements.

    def graph(self, span: Span, *body: ast.GraphStatement) -> tuple[ast.GraphStatement, ...]:
        return body

    def input(self, span: Span, name: Token, type: ast.TypeExpr) -> ast.Input:
        return ast.Input(self._ident(name), type, span)

    def node(self, span: Span, *parts: Any) -> ast.Node:
        *decls, body = parts
        return ast.Node(tuple(decls), body, span)

    def decl(self, span: Span, name: Token, count: ast.Expr | None) -> ast.Decl:
        return ast.Decl(self._ident(name), count, span)

    def let(self, span: Span, name: Token, value: ast.Expr) -> ast.Let:
        return ast.Let(self._ident(name), value, span)

    def wire(self, span: Span, *parts: Any) -> ast.Wire:
        *groups, via, through = parts
        return ast.Wire(tuple(groups), via, through, span)

    def refs(self, span: Span, *refs: ast.Ref) -> tuple[ast.Ref, ...]:
        return refs

    def ref(self, span: Span, *parts: Any) -> ast.Ref:
        path = tuple(str(part) for part in parts if isinstance(part, Token))
        index = None if isinstance(parts[-1], Token) else parts[-1]
        return ast.Ref(path, index, span)

    def connect(
        self,
        span: Span,
        pattern: ast.Name | ast.Call,
        via: ast.Expr | None,
        through: ast.Expr | None,
    ) -> ast.Connect:
        return ast.Connect(pattern, via, through, span)

    def stage(
        self, span: Span, decl: ast.Decl, body: tuple[ast.GraphStatement, ...]
    ) -> ast.Stage:
        return ast.Stage(decl.name, decl.count, body, span)

    def output(self, span: Span, name: Token, fields: tuple[ast.Field, ...] | None) -> ast.Output:
        return ast.Output(self._ident(name), fields, span)

    def fields(self, span: Span, *fields: ast.Field) -> tuple[ast.Field, ...]:
        return fields

    def field(self, span: Span, name: Token, ref: ast.Ref) -> ast.Field:
        return ast.Field(self._ident(name), ref, span)

    # Expressions.

    def pipe(self, span: Span, *steps: ast.Expr) -> ast.Pipe:
        return ast.Pipe(steps, span)

    def binary(self, span: Span, left: ast.Expr, op: Token, right: ast.Expr) -> ast.Binary:
        return ast.Binary(str(op), left, right, span)

    def negative(self, span: Span, operand: ast.Expr) -> ast.Unary:
        return ast.Unary(operand, span)

    def name(self, span: Span, *path: Token) -> ast.Name:
        return ast.Name(tuple(map(str, path)), span)

    def call(self, span: Span, callee: ast.Name, *args: ast.Arg) -> ast.Call:
        return ast.Call(callee, args, span)

    def arg(self, span: Span, name: Token | None, value: ast.Expr) -> ast.Arg:
        return ast.Arg(None if name is None else str(name), value, span)

    def list(self, span: Span, *items: ast.Expr) -> ast.ListExpr:
        return ast.ListExpr(items, span)

    def index(self, span: Span, value: ast.Expr, index: ast.Expr) -> ast.Index:
        return ast.Index(value, index, span)

    def literal(self, span: Span, token: Token) -> ast.Literal:
        if token.type == "STRING":
            return ast.Literal(token[1:-1], span)
        if token.type in ("TRUE", "FALSE"):
            return ast.Literal(token.type == "TRUE", span)
        return ast.Literal(self._number(token, span), span)

    def _number(self, token: Token, span: Span) -> int | float:
        if token.type == "FLOAT":
            number = float(token)
            vanished = number == 0 and token.lower().partition("e")[0].strip("0.") != ""
            if math.isfinite(number) and not vanished:
                return number
            help = "floats reach from about 1e-308 to 1e308"
        else:
            # Python refuses, slowly, to read an integer of thousands of digits.
            digits = token.lstrip("0") or "0"
            if len(digits) <= len(str(MAX_INTEGER)) and int(digits) <= MAX_INTEGER:
                return int(digits)
            help = f"the largest integer is {MAX_INTEGER}"
        message = f"the number {shown(token)} cannot be represented"
        self._problems.report("DG0106", span.start, span.end, message, help=help)
        return 1
