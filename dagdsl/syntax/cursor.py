"""A text and a place in it -> what may be written there: the parser's own opinion, for an editor.

Only what stands before the place counts. Where that is broken, the statement it is in is forgotten
and the next one is read as if nothing had been.
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
from dagdsl.syntax.trace import TOP_LEVEL, Moment, begin, step

_WORD_BEFORE: Final = re.compile(r"(?:[^\W\d]\w*)?\Z")
_UNFINISHED: Final = re.compile(r'(?:[^"#\n]|"[^"\n]*")*(?:(#.*)|"([^"\n]*))\Z')


class Written(NamedTuple):
    """A token: its type in the grammar, and its text."""

    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose parentheses are open: what is called, and what it has been given so far."""

    callee: tuple[str, ...]
    named: frozenset[str]
    positional: int
    argument: str | None
    """The name of the argument whose value comes next."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a text.

    `start` is where the word begins that is being written. `expected` are the types of the tokens
    that may stand there; empty in a comment. `statement` are the tokens of the innermost statement
    so far, `brackets` the types of those open in it, and `blocks` the names of the net and stage
    around it. `string` is what stands in an open string.
    """

    start: int
    expected: frozenset[str]
    statement: tuple[Written, ...] = ()
    brackets: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    call: Call | None = None
    string: str | None = None
    first_on_line: bool = False

    @property
    def kind(self) -> str:
        """The type of the token the statement starts with."""
        return self.statement[0].type if self.statement else ""

    @property
    def last(self) -> str:
        """The type of the token before the place, within the statement."""
        return self.statement[-1].type if self.statement else ""

    def has(self, type: str) -> bool:
        """Whether a token of this type stands in the statement so far."""
        return any(token.type == type for token in self.statement)


def cursor_at(text: str, offset: int) -> Cursor:
    """What may be written at `offset`."""
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
        assert word, "it matches nothing at the end of every text"
        start = word.start()
        before = before[:start]
    tokens, moment = _read(before)
    here = range(moment.statement, len(tokens) - 1)
    brackets = [tokens[open.at].type for open in moment.brackets()]
    return Cursor(
        start,
        expected(moment.stack),
        tuple(Written(tokens[i].type, str(tokens[i])) for i in here),
        tuple(brackets),
        tuple(str(tokens[block.statement + 1]) for block in reversed(moment.blocks())),
        _call(tokens, moment),
        string,
        not before[line:].strip(),
    )


def _read(text: str) -> tuple[Tokens, Moment]:
    source = SourceFile("", text)
    tokens = tokenize(source, Problems(source, Sink()))
    moment = begin()
    for index, token in enumerate(tokens):
        if token.type == END:
            break
        after = step(moment, token, index)
        if after is None:
            moment = _without_statement(moment, index, leave=token.type in TOP_LEVEL)
            after = step(moment, token, index)
        moment = after or moment._replace(statement=index + 1)
    if moment.stack is moment.base:
        moment = moment._replace(statement=len(tokens) - 1)
    return tokens, moment


def _without_statement(moment: Moment, index: int, *, leave: bool) -> Moment:
    """As if the innermost statement, or with `leave` everything that is open, were not there."""
    base, open = moment.base, moment.open
    while open is not None and (leave or not open.is_block):
        base, open = open.base, open.below
    return Moment(base, index, "", base, open)


def _call(tokens: Tokens, moment: Moment) -> Call | None:
    """The innermost call that is open; nothing if it is a list or an index that is open."""
    open = next(iter(moment.brackets()), None)
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
    return Call(callee, frozenset(named), positional, argument)
