"""The parser's table, without the parser: which token may come next, at no cost to go back."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from lark.parsers.lalr_analysis import Shift

from dagdsl.syntax.grammar import END, lark_parser


class Stack(NamedTuple):
    """The symbols that were read, the last one on top. Never changed, so old ones stay valid."""

    state: int
    symbol: str
    below: Stack | None


class _Table(NamedTuple):
    actions: dict[int, dict[str, int | tuple[int, str]]]
    """State, symbol -> the next state; or how many symbols are replaced by which."""
    start: int
    end: int


@cache
def _table() -> _Table:
    # Lark's own parser can only be copied together with all the trees it has built so far.
    conf = lark_parser().parse_interactive("").parser_state.parse_conf
    return _Table(
        {
            state: {
                symbol: arg if action is Shift else (len(arg.expansion), arg.origin.name)
                for symbol, (action, arg) in row.items()
            }
            for state, row in conf.states.items()
        },
        conf.start_state,
        conf.end_state,
    )


def initial() -> Stack:
    """The stack of a parser that has read nothing."""
    return Stack(_table().start, "", None)


def advance(stack: Stack, type: str) -> Stack | None:
    """The stack after one more token, or None if none like it may stand here."""
    actions, _, end = _table()
    while True:
        action = actions[stack.state].get(type)
        if action is None:
            return stack if type == END and stack.state == end else None
        if isinstance(action, int):
            return Stack(action, type, stack)
        size, symbol = action
        for _ in range(size):
            assert stack.below is not None
            stack = stack.below
        state = actions[stack.state][symbol]
        assert isinstance(state, int)
        stack = Stack(state, symbol, stack)


def expected(stack: Stack) -> frozenset[str]:
    """The types of all tokens that may come next."""
    candidates = (symbol for symbol in _table().actions[stack.state] if symbol.isupper())
    return frozenset(type for type in candidates if advance(stack, type) is not None)
