"""The tokens that the parser accepts at an offset of a text, for completion in an editor.

Only the text before the offset counts. A broken statement is dropped, and parsing continues after
it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from dagdsl.diagnostics.sink import Sink
from dagdsl.source import SourceFile
from dagdsl.syntax.automaton import expected
from dagdsl.syntax.grammar import END
from dagdsl.syntax.problems import Problems
from dagdsl.syntax.tokens import Tokens, tokenize
from dagdsl.syntax.trace import TOP_LEVEL, Snapshot, begin, step

_WORD_BEFORE: Final = re.compile(r"(?:[^\W\d]\w*)?\Z")
_UNFINISHED: Final = re.compile(r'(?:[^"#\n]|"[^"\n]*")*(?:(#.*)|"([^"\n]*))\Z')


class Written(NamedTuple):
    """The type and text of a token."""

    type: str
    text: str


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call whose parenthesis is still open, and the arguments it has so far."""

    callee: tuple[str, ...]
    named: frozenset[str]
    positional: int
    argument: str | None
    """The name of the argument whose value comes next, or None if it is positional."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a text.

    `start` is the offset of the word being written. `expected` holds the types of the tokens that
    may stand there, and is empty in a comment. `statement` holds the tokens of the innermost
    statement so far, `brackets` the types of its open brackets, and `blocks` the names of the net
    and stage around it. `string` is the text of an open string so far.
    """

    start: int
    expected: frozenset[str]
    statement: tuple[Written, ...] = ()
    brackets: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    call: OpenCall | None = None
    string: str | None = None
    first_on_line: bool = False

    @property
    def kind(self) -> str:
        """The type of the first token of the statement."""
        return self.statement[0].type if self.statement else ""

    @property
    def last(self) -> str:
        """The type of the last token of the statement before the cursor."""
        return self.statement[-1].type if self.statement else ""

    def has(self, type: str) -> bool:
        """Whether the statement so far contains a token of this type."""
        return any(token.type == type for token in self.statement)


def cursor_at(text: str, offset: int) -> Cursor:
    """Return what may be written at `offset`."""
    before = text[:offset]
    line = before.rfind("\n") + 1
    string: str | None = None
    unfinished = _UNFINISHED.match(before, line)
    if unfinished and unfinished[1] is not None:
        return Cursor(offset, frozenset())
    if unfinished:
        string = unfinished[2]
        start = offset - len(string)
        before = before[: start - 1]
    else:
        word = _WORD_BEFORE.search(before, line)
        assert word, "the pattern matches the empty string at the end of any text"
        start = word.start()
        before = before[:start]
    tokens, snapshot = _read(before)
    here = range(snapshot.statement, len(tokens) - 1)
    brackets = [tokens[open.at].type for open in snapshot.brackets()]
    return Cursor(
        start,
        expected(snapshot.stack),
        tuple(Written(tokens[i].type, str(tokens[i])) for i in here),
        tuple(brackets),
        tuple(str(tokens[block.statement + 1]) for block in reversed(snapshot.blocks())),
        _call(tokens, snapshot),
        string,
        not before[line:].strip(),
    )


def _read(text: str) -> tuple[Tokens, Snapshot]:
    source = SourceFile("", text)
    tokens = tokenize(source, Problems(source, Sink()))
    snapshot = begin()
    for index, token in enumerate(tokens):
        if token.type == END:
            break
        after = step(snapshot, token, index)
        if after is None:
            snapshot = _without_statement(snapshot, index, leave=token.type in TOP_LEVEL)
            after = step(snapshot, token, index)
        snapshot = after or snapshot._replace(statement=index + 1)
    if snapshot.stack is snapshot.base:
        snapshot = snapshot._replace(statement=len(tokens) - 1)
    return tokens, snapshot


def _without_statement(snapshot: Snapshot, index: int, *, leave: bool) -> Snapshot:
    """Return the snapshot before the innermost statement, or with `leave` outside of all blocks."""
    base, open = snapshot.base, snapshot.open
    while open is not None and (leave or not open.is_block):
        base, open = open.base, open.below
    return Snapshot(base, index, "", base, open)


def _call(tokens: Tokens, snapshot: Snapshot) -> OpenCall | None:
    """Return the innermost open call; None if the innermost open bracket is a list or an index."""
    open = next(iter(snapshot.brackets()), None)
    if open is None or tokens[open.at].type != "LPAR":
        return None
    first = open.at
    while first > 0 and tokens[first - 1].type in ("NAME", "DOT", "IN"):
        first -= 1
    callee = tuple(str(token) for token in tokens[first : open.at] if token.type != "DOT")
    if not callee or (first <= open.statement + 1 and open.kind in ("BLOCK", "ROUTER", "NET")):
        return None  # the formals of a declaration
    depth = 0
    named, positional = set[str](), 0
    argument: str | None = None
    for index in range(open.at + 1, len(tokens) - 1):
        type = tokens[index].type
        depth += (type in ("LPAR", "LSQB")) - (type in ("RPAR", "RSQB"))
        if depth == 0 and type == "EQUAL":
            argument = str(tokens[index - 1])
            named.add(argument)
        elif depth == 0 and type == "COMMA":
            positional += argument is None
            argument = None
    return OpenCall(callee, frozenset(named), positional, argument)
