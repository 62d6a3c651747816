"""The parser's table, without the parser: which token may come next, at no cost to go back."""

from __future__ import annotations

from typing import NamedTuple

from dagdsl.syntax.grammar import END, table


class Stack(NamedTuple):
    """The symbols that were read, the last one on top. Never changed, so old ones stay valid."""

    state: int
    symbol: str
    below: Stack | None


def initial() -> Stack:
    """The stack of a parser that has read nothing."""
    return Stack(0, "", None)


def advance(stack: Stack, type: str) -> Stack | None:
    """The stack after one more token, or None if none like it may stand here."""
    grammar = table()
    rules, states = grammar.rules, grammar.states
    while True:
        action = states[stack.state].get(type)
        if action is None:
            return stack if type == END and stack.state == grammar.end else None
        if action >= 0:
            return Stack(action, type, stack)
        rule = rules[-1 - action]
        for _ in range(rule.size):
            assert stack.below is not None
            stack = stack.below
        stack = Stack(states[stack.state][rule.symbol], rule.symbol, stack)


def expected(stack: Stack) -> frozenset[str]:
    """The types of all tokens that may come next."""
    candidates = (symbol for symbol in table().states[stack.state] if symbol.isupper())
    return frozenset(type for type in candidates if advance(stack, type) is not None)
