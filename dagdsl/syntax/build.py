"""Build the tree bottom-up while Lark parses, so that deep nesting needs no recursion."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

from lark import UnexpectedToken
from lark.grammar import Rule
from lark.parse_tree_builder import maybe_create_child_filter

from dagdsl.limits import MAX_INTEGER, MAX_NESTING
from dagdsl.source import SourceFile, Span
from dagdsl.syntax import ast
from dagdsl.syntax.grammar import Token, language, parser_with
from dagdsl.syntax.problems import Problems, quoted
from dagdsl.syntax.tokens import UNREADABLE

EDITION: Final = 1
_EXPRESSIONS = frozenset(
    {
        ast.Literal,
        ast.Name,
        ast.Call,
        ast.ListExpr,
        ast.Index,
        ast.Unary,
        ast.Binary,
        ast.Pipe,
    }
)


class _Part(NamedTuple):
    """The value of a symbol that was reduced, its extent, and how deep its expressions nest."""

    value: Any
    start: int
    end: int
    height: float

    @property
    def children(self) -> Any:
        """The items of a list that is inlined into the rule around it, as Lark asks for them."""
        return self.value


_Select: TypeAlias = Callable[[list[Any]], list[Any]]


class _Action(NamedTuple):
    """How the parts of a rule become one.

    `select` leaves out the punctuation, inlines lists, and puts None for omitted optional parts.
    The rule `name` of a list is empty. A rule that `collapses` stands for its part if it has only
    one.
    """

    name: str
    select: _Select
    collapses: bool


def build(source: SourceFile, tokens: Iterable[Token], problems: Problems) -> ast.File | None:
    """Return the tree of tokens, or None if they break the grammar.

    The last token is the end token.
    """
    parser = parser_with(_Builder(source, problems).callbacks())
    part = None
    try:
        for token in tokens:
            part = parser.feed_token(token)
    except UnexpectedToken:
        return None
    assert part is not None, "the end token completes the file"
    assert isinstance(part.value, ast.File)
    return part.value


@cache
def _actions() -> Mapping[Rule, _Action | None]:
    """Return the action of each rule, None if the rule only passes on its single part."""
    actions: dict[Rule, _Action | None] = {}
    for rule in language().rules:
        collapses = rule.options.expand1 and not rule.alias
        absent = list(rule.options.empty_indices)
        select = maybe_create_child_filter(rule.expansion, False, False, absent)
        name = rule.alias or rule.origin.name
        actions[rule] = _Action(
            "" if name.startswith("_") else name, select(_same) if select else _same, collapses
        )
        if collapses and len(rule.expansion) == 1 and select is None:
            actions[rule] = None
    return actions


def _same(parts: list[Any]) -> list[Any]:
    return parts


class _Builder:
    """One method for each rule of the grammar, called with the values of the rule's parts."""

    def __init__(self, source: SourceFile, problems: Problems) -> None:
        self._source = source
        self._problems = problems

    def callbacks(self) -> dict[Rule, Callable[[list[Any]], Any]]:
        """Return the functions that Lark's parser calls when it reduces a rule."""
        callbacks: dict[Rule, Callable[[list[Any]], Any]] = {}
        for rule, action in _actions().items():
            if action is None:
                callbacks[rule] = itemgetter(0)
            elif not action.name:
                callbacks[rule] = partial(self._list, action.select)
            else:
                # A rule without a method always collapses.
                method = getattr(self, action.name, None)
                callbacks[rule] = partial(self._reduce, method, action.select, action.collapses)
        return callbacks

    def _list(self, select: _Select, parts: list[_Part | Token]) -> _Part:
        start, end, height = parts[0].start, parts[-1].end, 0.0
        for part in parts:
            if type(part) is _Part and part.height > height:
                height = part.height
        return _Part(select(parts), start, end, height)

    def _reduce(
        self, method: Any, select: _Select, collapses: bool, parts: list[_Part | Token]
    ) -> _Part:
        start, end = (parts[0].start, parts[-1].end) if parts else (0, 0)
        height = 0.0
        for part in parts:
            if type(part) is _Part and part.height > height:
                height = part.height
        values = [part.value if type(part) is _Part else part for part in select(parts)]
        if collapses and len(values) == 1:
            return _Part(values[0], start, end, height)
        value = method(Span(self._source, start, end), *values)
        if type(value) in _EXPRESSIONS:
            height += 1
            if height > MAX_NESTING:
                value, height = self._too_deep(value), -math.inf
        return _Part(value, start, end, height)

    def _too_deep(self, expr: ast.Expr) -> ast.Expr:
        """Report an expression and return a shallow placeholder, so that it is reported once."""
        self._problems.report(
            "DG0104",
            expr.span.start,
            expr.span.end,
            f"an expression nested more than {MAX_NESTING} levels deep",
            help="give a part of it a name: `part = ...`",
        )
        return ast.Literal(None, expr.span)

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
        start, end = number.extent
        if not first:
            message = "`edition` must appear once, before everything else"
            self._problems.report("DG0102", start, end, message)
        elif number.lstrip("0") != str(EDITION):
            message = f"unknown edition {quoted(number)}"
            help = f"this version of dagdsl reads edition {EDITION}"
            self._problems.report("DG0105", start, end, message, help=help)

    # Declarations.

    def _ident(self, token: Token) -> ast.Ident:
        return ast.Ident(str(token), Span(self._source, *token.extent))

    def import_(self, span: Span, path: Token, alias: Token | None) -> ast.Import:
        literal = ast.Literal(_text(path), Span(self._source, *path.extent))
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

    def stage(self, span: Span, decl: ast.Decl, body: tuple[ast.GraphStatement, ...]) -> ast.Stage:
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
            return ast.Literal(_text(token), span)
        if token.type in ("TRUE", "FALSE"):
            return ast.Literal(token.type == "TRUE", span)
        return ast.Literal(self._number(token, span), span)

    def _number(self, token: Token, span: Span) -> int | float | None:
        if token.type == "FLOAT":
            number = float(token)
            vanished = number == 0 and token.lower().partition("e")[0].strip("0.") != ""
            if math.isfinite(number) and not vanished:
                return number
            help = "floats range from about 1e-308 to 1e308"
        else:
            # Python refuses to convert an integer of thousands of digits.
            digits = token.lstrip("0") or "0"
            if len(digits) <= len(str(MAX_INTEGER)) and int(digits) <= MAX_INTEGER:
                return int(digits)
            help = f"the largest integer is {MAX_INTEGER}"
        message = f"the number {quoted(token)} cannot be represented"
        self._problems.report("DG0106", span.start, span.end, message, help=help)
        return None


def _text(token: Token) -> str | None:
    """Return the contents of a string, or None if it is unterminated."""
    return None if token == UNREADABLE else token[1:-1]
