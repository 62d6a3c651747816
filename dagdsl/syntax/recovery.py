"""Tokens as written -> tokens that follow the grammar; every mistake is reported, once.

A small change that lets the parser go on is made if there is one (`fixes`, `braces`): so a name is
declared although its keyword was misspelt. Otherwise the broken statement is dropped.
"""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

from dagdsl.limits import MAX_NESTING
from dagdsl.source import SourceFile
from dagdsl.syntax import braces, fixes
from dagdsl.syntax.automaton import Stack, advance, expected
from dagdsl.syntax.fixes import Fix, Mistake
from dagdsl.syntax.grammar import END, Token
from dagdsl.syntax.problems import Problems
from dagdsl.syntax.tokens import Tokens
from dagdsl.syntax.trace import CLOSER, STATEMENTS, TOP_LEVEL, Moment, Trace, step

_FAR = 8
"""A change is as good as it gets if the parser gets this many tokens beyond the mistake."""


class Repaired(NamedTuple):
    """Tokens that the parser accepts, and where statements begin that were mended by a guess."""

    tokens: list[Token]
    guessed: frozenset[int]


def repair(source: SourceFile, tokens: Tokens, problems: Problems) -> Repaired:
    """Tokens that the parser accepts: those given, but for the broken ones."""
    trace = Trace(source, tokens)
    guessed: set[int] = set()
    while (at := trace.read()) is not None:
        if problems.full:
            _give_up(trace, at)
        elif advance(trace.moments[at].stack, trace.tokens[at]):
            message = f"more than {MAX_NESTING} brackets inside one another"
            problems.report("DG0104", *trace.tokens[at].extent, message)
            _drop(trace, at)
        else:
            fix = _best(trace, at)
            mistake = fix.mistake if fix else _words(trace, at)
            statement = trace.moments[at].statement
            # What does not fit where something was no token has been reported already.
            hole = trace.has_hole(statement, at)
            if hole or not (fix and fix.sure):
                guessed.add(trace.tokens[statement].start)
            if not hole:
                problems.report(
                    "DG0102",
                    mistake.start,
                    mistake.end,
                    mistake.message,
                    notes=mistake.notes,
                    help=mistake.help,
                    edit=fixes.edit_of(trace, fix) if fix and fix.sure else None,
                )
            if fix:
                trace.replace(fix.start, fix.stop, fix.tokens)
            else:
                _drop(trace, at)
    return Repaired(trace.tokens, frozenset(guessed))


class _Trial(NamedTuple):
    """How far a change lets the parser get beyond the mistake, and whether that will do."""

    tokens: int
    good: bool


def _best(trace: Trace, at: int) -> Fix | None:
    likely = chain(braces.proposals(trace, at), fixes.proposals(trace, at))
    for proposals in (likely, fixes.last_resort(trace, at)):
        best, farthest = None, -1
        for fix in proposals:
            tokens, good = _try(trace, fix, at)
            if good and tokens > farthest:
                best, farthest = fix, tokens
        if best:
            return best
    return None


def _try(trace: Trace, fix: Fix, at: int) -> _Trial:
    moment = trace.moments[fix.start]
    for token in fix.tokens:
        # Statements are known by the index they will have, here one that no other token has.
        after = step(moment, token, -1)
        if after is None:
            return _Trial(0, False)
        moment = after
    ends_here = trace.first_on_line(at) or trace.tokens[at].type in ("RBRACE", END)
    complete = fix.closes and ends_here and _is_complete(moment.stack)
    for index in range(fix.stop, len(trace.tokens)):
        token = trace.tokens[index]
        beyond = index - at
        if beyond >= _FAR:
            return _Trial(_FAR, True)
        after = step(moment, token, index)
        if after is None:
            if beyond == 0:
                return _Trial(0, complete)
            good = beyond >= fix.enough or _is_elsewhere(trace, moment, fix.stop, index)
            return _Trial(beyond, good)
        moment = after
    return _Trial(_FAR, True)


def _is_elsewhere(trace: Trace, moment: Moment, start: int, at: int) -> bool:
    """Whether what fails at `at` is in another statement on another line: another mistake."""
    if moment.statement >= start and trace.first_on_line(moment.statement):
        return True
    return _is_complete(moment.stack) and trace.first_on_line(at)


def _is_complete(stack: Stack) -> bool:
    """Whether a statement may end here."""
    return not expected(stack).isdisjoint({"RBRACE", END})


def _words(trace: Trace, at: int) -> Mistake:
    token = trace.tokens[at]
    if _is_complete(trace.moments[at].stack) and token.type in STATEMENTS | TOP_LEVEL:
        blocks = trace.moments[at].blocks()
        place = f"in {braces.title(trace, blocks[0])}" if blocks else "outside of a net"
        home = "at the top level of the file" if token.type in TOP_LEVEL else "directly in a net"
        help = f"it stands {home}" if blocks else ""
        return Mistake(*token.extent, f"`{token}` cannot stand {place}", help)
    return fixes.unexpected(trace, at)


def _drop(trace: Trace, at: int) -> None:
    """Take the statement that is broken at `at` out; of one that has a body, only the header."""
    if _is_complete(trace.moments[at].stack):
        # What stands before it is good.
        trace.replace(at, _resume(trace, at + 1), ())
        return
    start = trace.moments[at].statement
    end = _resume(trace, at)
    if trace.tokens[start].type in ("NET", "STAGE", "BLOCK"):
        for index in range(at, end):
            if trace.tokens[index].type == "LBRACE":
                name = trace.tokens[start + 1]
                if name.type != "NAME":
                    name = Token("NAME", "_", *trace.tokens[start].extent)
                trace.replace(start + 1, index, (name,))
                return
    trace.replace(start, end, ())


def _resume(trace: Trace, at: int) -> int:
    """The first token from `at` on that starts another statement, or ends the block."""
    stops = TOP_LEVEL | {END}
    if trace.moments[min(at, len(trace.moments) - 1)].blocks():
        stops |= STATEMENTS | {"RBRACE"}
    names = "RBRACE" in stops
    pairs = _pairs(trace, at)
    while trace.tokens[at].type not in stops and not (names and trace.looks_like_statement(at)):
        at = pairs.get(at, at) + 1
    return at


def _pairs(trace: Trace, at: int) -> dict[int, int]:
    """The brackets from `at` to the next declaration that have a partner, and that partner."""
    pairs = {}
    open: list[int] = []
    for index in range(at, len(trace.tokens)):
        type = trace.tokens[index].type
        if type in TOP_LEVEL:
            break
        if type in STATEMENTS or type in ("LBRACE", "RBRACE"):
            while open and trace.tokens[open[-1]].type != "LBRACE":
                open.pop()
        if type in CLOSER:
            open.append(index)
        elif open and CLOSER[trace.tokens[open[-1]].type] == type:
            pairs[open.pop()] = index
    return pairs


def _give_up(trace: Trace, at: int) -> None:
    """Leave out all that has not been read, and close what is open."""
    start = at if _is_complete(trace.moments[at].stack) else trace.moments[at].statement
    closers = fixes.inserted(trace, start, ["RBRACE"] * len(trace.moments[start].blocks()))
    trace.replace(start, len(trace.tokens) - 1, closers)
