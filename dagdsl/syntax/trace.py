"""A parse that records the parser's state before each token, so that tokens can be replaced."""

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


class OpenBracket(NamedTuple):
    """An open bracket or brace: its index, and the state before it."""

    at: int
    closer: str
    statement: int
    kind: str
    base: Stack
    below: OpenBracket | None
    level: int

    @property
    def is_block(self) -> bool:
        """Whether it contains statements."""
        return self.closer == "RBRACE" and self.kind in _BLOCKS


class Snapshot(NamedTuple):
    """The state of the parser before a token.

    `statement` is the index of the first token of the innermost statement, and `kind` the type of
    that token. `base` is the stack at the start of the innermost block.
    """

    stack: Stack
    statement: int
    kind: str
    base: Stack
    open: OpenBracket | None

    def opened(self) -> Iterator[OpenBracket]:
        """Yield all open brackets and braces, innermost first."""
        open = self.open
        while open is not None:
            yield open
            open = open.below

    def brackets(self) -> list[OpenBracket]:
        """Return the open brackets of the innermost statement, innermost first."""
        found = []
        for open in self.opened():
            if open.is_block:
                break
            found.append(open)
        return found

    def blocks(self) -> list[OpenBracket]:
        """Return the open blocks, innermost first."""
        return [open for open in self.opened() if open.is_block]


def begin() -> Snapshot:
    """Return the snapshot before the first token."""
    stack = initial()
    return Snapshot(stack, 0, "", stack, None)


def step(snapshot: Snapshot, token: Token, index: int) -> Snapshot | None:
    """Return the snapshot after one more token, or None if the token is not allowed here."""
    stack = advance(snapshot.stack, token)
    if stack is None:
        return None
    _, statement, kind, base, open = snapshot
    if token.type in ("RPAR", "RSQB", "RBRACE"):
        assert open is not None
        if open.is_block:
            return Snapshot(stack, index + 1, "", open.base, open.below)
        return Snapshot(stack, statement, kind, base, open.below)
    if _starts_statement(stack, base) and token.type != END:
        statement, kind = index, token.type
    if token.type in CLOSER:
        level = open.level + 1 if open else 1
        if level > MAX_NESTING:
            return None
        open = OpenBracket(index, CLOSER[token.type], statement, kind, base, open, level)
        if open.is_block:
            base = stack
    return Snapshot(stack, statement, kind, base, open)


def _starts_statement(stack: Stack, base: Stack) -> bool:
    """Whether the token on top starts a statement: only a list is between it and `base`."""
    below = stack.below
    assert below is not None
    return below is base or (below.below is base and ends_list(below))


class Trace:
    """The tokens of a file, and the snapshots before those that were parsed so far."""

    def __init__(self, source: SourceFile, tokens: Tokens) -> None:
        self.text = source.text
        self.tokens: list[Token] = list(tokens)
        self._gaps = tokens.gaps
        self.snapshots = [begin()]

    def read(self) -> int | None:
        """Continue parsing. Return the index of the first unexpected token, or None at the end."""
        for index in range(len(self.snapshots) - 1, len(self.tokens)):
            snapshot = step(self.snapshots[-1], self.tokens[index], index)
            if snapshot is None:
                return index
            self.snapshots.append(snapshot)
        return None

    def replace(self, start: int, stop: int, tokens: Iterable[Token]) -> None:
        """Replace the tokens from `start` to `stop` (exclusive), and go back to `start`."""
        self.tokens[start:stop] = tokens
        del self.snapshots[start + 1 :]

    def has_gap(self, start: int, stop: int) -> bool:
        """Whether there were invalid characters in or next to the tokens from `start` to `stop`."""
        low = self.tokens[start - 1].end if start else 0
        high = self.tokens[stop].end
        return bisect_left(self._gaps, low) < bisect_left(self._gaps, high)

    def first_on_line(self, index: int) -> bool:
        """Whether a token is the first on its line."""
        if index <= 0:
            return True
        end = self.tokens[index - 1].end
        start = self.tokens[index].start
        return "\n" in self.text[end:start]

    def line_start(self, index: int) -> int:
        """Return the first token on the line of a token."""
        start = self.tokens[index].start
        line = self.text.rfind("\n", 0, start) + 1
        return bisect_left(self.tokens, line, hi=index, key=lambda token: token.start)

    def indent(self, index: int) -> int:
        """Return the indentation of the line of a token, in columns."""
        start = self.tokens[index].start
        match = _BLANK.match(self.text, self.text.rfind("\n", 0, start) + 1)
        return len(match[0]) if match else 0

    def looks_like_statement(self, index: int) -> bool:
        """Whether a token starts a line that looks like a wire or a definition."""
        return (
            self.tokens[index].type in ("NAME", "IN", "OUT")
            and self.first_on_line(index)
            and self.tokens[index + 1].type in _FOLLOW_NAME
        )
