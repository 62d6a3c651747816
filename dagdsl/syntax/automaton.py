"""Lark's parser on an immutable stack: which tokens may follow, with free backtracking."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from lark import UnexpectedToken
from lark.parsers.lalr_parser_state import ParserState

from dagdsl.syntax.grammar import END, Token, parser_with


class Stack(NamedTuple):
    """The parser's states, the current one on top."""

    state: int
    below: Stack | None


def initial() -> Stack:
    """Return the stack of a parser that has read nothing."""
    return Stack(_reader().parse_conf.start_state, None)


def advance(stack: Stack, token: Token) -> Stack | None:
    """Return the stack after one more token, or None if the token is not allowed."""
    states = _States(stack)
    reader = _reader()
    try:
        ParserState(reader.parse_conf, reader.lexer, states).feed_token(token, token.type == END)
    except UnexpectedToken:
        return None
    return states.top


def expected(stack: Stack) -> frozenset[str]:
    """Return the types of all tokens that may come next."""
    candidates = filter(str.isupper, _reader().parse_conf.states[stack.state])
    return frozenset(
        type for type in candidates if advance(stack, Token(type, "", 0, 0)) is not None
    )


def ends_list(stack: Stack) -> bool:
    """Whether a list is on top: the statements of a block, or the parts of a statement."""
    return stack.state in _list_states()


class _States:
    """A `Stack` with the list operations that Lark's parser uses on its states."""

    __slots__ = ("top",)

    def __init__(self, top: Stack) -> None:
        self.top = top

    def __getitem__(self, last: int) -> int:
        return self.top.state

    def __delitem__(self, last: slice) -> None:
        top: Stack | None = self.top
        for _ in range(-last.start):
            assert top is not None
            top = top.below
        assert top is not None
        self.top = top

    def append(self, state: int) -> None:
        self.top = Stack(state, self.top)


@cache
def _reader() -> ParserState[int]:
    return parser_with({}).parser_state


@cache
def _list_states() -> frozenset[int]:
    """The states after one of Lark's symbols for repetition, whose names start with `__`."""
    states = _reader().parse_conf.states.values()
    return frozenset(
        arg for actions in states for symbol, (_, arg) in actions.items() if symbol.startswith("__")
    )
