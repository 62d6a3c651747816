"""How the parser gets through a list of tokens: what it knows before each, and how to change it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from dagdsl.limits import MAX_NESTING
from dagdsl.source import SourceFile
from dagdsl.syntax.automaton import Stack, advance, ends_list, initial
from dagdsl.syntax.grammar import END, Token
from dagdsl.syntax.tokens import Tokens

CLOSER: Final = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
TOP_LEVEL: Final = frozenset({"EDITION", "IMPORT", "PARAM", "ROUTER", "BLOCK", "NET"})
STATEMENTS: Final = frozenset({"INPUT", "NODE", "STAGE", "OUTPUT", "CONNECT"})
_BLANK = re.compile(r"[ \t]*")
_BLOCKS = frozenset({"NET", "STAGE", "BLOCK"})
_FOLLOW_NAME = frozenset({"EQUAL", "ARROW", "COMMA", "DOT", "LSQB"})


class Open(NamedTuple):
    """A bracket or brace that is not closed yet, its index, and what was known before it."""

    at: int
    closer: str
    statement: int
    kind: str
    base: Stack
    below: Open | None
    level: int

    @property
    def is_block(self) -> bool:
        """Whether statements stand in it."""
        return self.closer == "RBRACE" and self.kind in _BLOCKS


class Moment(NamedTuple):
    """What the parser knows before a token.

    `statement` is the index of the first token of the innermost statement, `kind` that token's
    type, `base` the stack on which the statements of the innermost block pile up.
    """

    stack: Stack
    statement: int
    kind: str
    base: Stack
    open: Open | None

    def opened(self) -> Iterator[Open]:
        """All that is open, the innermost first."""
        open = self.open
        while open is not None:
            yield open
            open = open.below

    def brackets(self) -> list[Open]:
        """What is open within the innermost statement."""
        found = []
        for open in self.opened():
            if open.is_block:
                break
            found.append(open)
        return found

    def blocks(self) -> list[Open]:
        """The open blocks, the innermost first."""
        return [open for open in self.opened() if open.is_block]


def begin() -> Moment:
    """What the parser knows before the first token."""
    stack = initial()
    return Moment(stack, 0, "", stack, None)


def step(moment: Moment, token: Token, index: int) -> Moment | None:
    """What it knows after one more token, or None if that cannot stand here."""
    stack = advance(moment.stack, token)
    if stack is None:
        return None
    _, statement, kind, base, open = moment
    if token.type in ("RPAR", "RSQB", "RBRACE"):
        assert open is not None
        if open.is_block:
            return Moment(stack, index + 1, "", open.base, open.below)
        return Moment(stack, statement, kind, base, open.below)
    if _starts_statement(stack, base) and token.type != END:
        statement, kind = index, token.type
    if token.type in CLOSER:
        level = open.level + 1 if open else 1
        if level > MAX_NESTING:
            return None
        open = Open(index, CLOSER[token.type], statement, kind, base, open, level)
        if open.is_block:
            base = stack
    return Moment(stack, statement, kind, base, open)


def _starts_statement(stack: Stack, base: Stack) -> bool:
    """Whether the token on top is the first of a statement: only a list of such is below it."""
    below = stack.below
    assert below is not None
    return below is base or (below.below is base and ends_list(below))


class Trace:
    """The tokens of a file, and the moments before those that were read so far."""

    def __init__(self, source: SourceFile, tokens: Tokens) -> None:
        self.text = source.text
        self.tokens: list[Token] = list(tokens)
        self._holes = tokens.holes
        self.moments = [begin()]

    def read(self) -> int | None:
        """Go on; the index of the first token that cannot stand where it does, None at the end."""
        for index in range(len(self.moments) - 1, len(self.tokens)):
            moment = step(self.moments[-1], self.tokens[index], index)
            if moment is None:
                return index
            self.moments.append(moment)
        return None

    def replace(self, start: int, stop: int, tokens: Iterable[Token]) -> None:
        """Put other tokens in the place of some, and go back to before them."""
        self.tokens[start:stop] = tokens
        del self.moments[start + 1 :]

    def has_hole(self, start: int, stop: int) -> bool:
        """Whether something in or between the tokens from `start` to `stop` was no token."""
        low = self.tokens[start - 1].end if start else 0
        high = self.tokens[stop].end
        return bisect_left(self._holes, low) < bisect_left(self._holes, high)

    def first_on_line(self, index: int) -> bool:
        """Whether no other token stands before it on its line."""
        if index <= 0:
            return True
        end = self.tokens[index - 1].end
        start = self.tokens[index].start
        return "\n" in self.text[end:start]

    def line_start(self, index: int) -> int:
        """The first token on the line of a token."""
        start = self.tokens[index].start
        line = self.text.rfind("\n", 0, start) + 1
        return bisect_left(self.tokens, line, hi=index, key=lambda token: token.start)

    def indent(self, index: int) -> int:
        """How far the line on which a token stands is indented."""
        start = self.tokens[index].start
        match = _BLANK.match(self.text, self.text.rfind("\n", 0, start) + 1)
        return len(match[0]) if match else 0

    def looks_like_statement(self, index: int) -> bool:
        """Whether a line starts here that reads like a wire or a definition."""
        return (
            self.tokens[index].type in ("NAME", "IN", "OUT")
            and self.first_on_line(index)
            and self.tokens[index + 1].type in _FOLLOW_NAME
        )
