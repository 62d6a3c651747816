"""Error recovery: turn tokens with mistakes into tokens that parse, and report each mistake once.

If a small change lets the parser continue, it is made (`fixes`, `braces`): a declaration with a
misspelt keyword still declares its name. Otherwise the broken statement is dropped.
"""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

from dagdsl.limits import MAX_NESTING
from dagdsl.source import SourceFile
from dagdsl.syntax import braces, fixes
from dagdsl.syntax.automaton import Stack, advance, expected
from dagdsl.syntax.fixes import Mistake, Repair
from dagdsl.syntax.grammar import END, Token
from dagdsl.syntax.problems import Problems
from dagdsl.syntax.tokens import Tokens
from dagdsl.syntax.trace import CLOSER, STATEMENTS, TOP_LEVEL, Snapshot, Trace, step

_FAR = 8
"""Repairs that parse this many tokens after the mistake count as equally good."""


class Repaired(NamedTuple):
    """Tokens that parse, and the offsets of the statements that were repaired by a guess."""

    tokens: list[Token]
    guessed: frozenset[int]


def repair(source: SourceFile, tokens: Tokens, problems: Problems) -> Repaired:
    """Return tokens that parse: those given, with repairs and without broken statements."""
    trace = Trace(source, tokens)
    guessed: set[int] = set()
    while (at := trace.read()) is not None:
        if problems.full:
            _give_up(trace, at)
        elif advance(trace.snapshots[at].stack, trace.tokens[at]):
            message = f"brackets nested more than {MAX_NESTING} deep"
            problems.report("DG0104", *trace.tokens[at].extent, message)
            _drop(trace, at)
        else:
            fix = _best(trace, at)
            mistake = fix.mistake if fix else _words(trace, at)
            statement = trace.snapshots[at].statement
            # A mistake next to characters that are not a token has already been reported.
            gap = trace.has_gap(statement, at)
            if gap or not (fix and fix.sure):
                guessed.add(trace.tokens[statement].start)
            if not gap:
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
    """How many tokens after the mistake parse with a repair, and whether these are enough."""

    tokens: int
    good: bool


def _best(trace: Trace, at: int) -> Repair | None:
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


def _try(trace: Trace, fix: Repair, at: int) -> _Trial:
    snapshot = trace.snapshots[fix.start]
    for token in fix.tokens:
        # A statement is identified by the index of its first token; -1 is not the index of any.
        after = step(snapshot, token, -1)
        if after is None:
            return _Trial(0, False)
        snapshot = after
    ends_here = trace.first_on_line(at) or trace.tokens[at].type in ("RBRACE", END)
    complete = fix.closes and ends_here and _is_complete(snapshot.stack)
    for index in range(fix.stop, len(trace.tokens)):
        token = trace.tokens[index]
        beyond = index - at
        if beyond >= _FAR:
            return _Trial(_FAR, True)
        after = step(snapshot, token, index)
        if after is None:
            if beyond == 0:
                return _Trial(0, complete)
            good = beyond >= fix.enough or _is_elsewhere(trace, snapshot, fix.stop, index)
            return _Trial(beyond, good)
        snapshot = after
    return _Trial(_FAR, True)


def _is_elsewhere(trace: Trace, snapshot: Snapshot, start: int, at: int) -> bool:
    """Whether the error at `at` is another mistake: in another statement on another line."""
    if snapshot.statement >= start and trace.first_on_line(snapshot.statement):
        return True
    return _is_complete(snapshot.stack) and trace.first_on_line(at)


def _is_complete(stack: Stack) -> bool:
    """Whether a statement may be complete here."""
    return not expected(stack).isdisjoint({"RBRACE", END})


def _words(trace: Trace, at: int) -> Mistake:
    token = trace.tokens[at]
    if _is_complete(trace.snapshots[at].stack) and token.type in STATEMENTS | TOP_LEVEL:
        blocks = trace.snapshots[at].blocks()
        place = f"in {braces.title(trace, blocks[0])}" if blocks else "outside a net"
        home = "at the top level of the file" if token.type in TOP_LEVEL else "directly in a net"
        help = f"it belongs {home}" if blocks else ""
        return Mistake(*token.extent, f"`{token}` is not allowed {place}", help)
    return fixes.unexpected(trace, at)


def _drop(trace: Trace, at: int) -> None:
    """Remove the statement with the error at `at`; keep the body if it has one."""
    if _is_complete(trace.snapshots[at].stack):
        # The statement before it is correct.
        trace.replace(at, _resume(trace, at + 1), ())
        return
    start = trace.snapshots[at].statement
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
    """Return the first token from `at` on that starts another statement or ends the block."""
    stops = TOP_LEVEL | {END}
    if trace.snapshots[min(at, len(trace.snapshots) - 1)].blocks():
        stops |= STATEMENTS | {"RBRACE"}
    names = "RBRACE" in stops
    pairs = _pairs(trace, at)
    while trace.tokens[at].type not in stops and not (names and trace.looks_like_statement(at)):
        at = pairs.get(at, at) + 1
    return at


def _pairs(trace: Trace, at: int) -> dict[int, int]:
    """Return the closing bracket of each matched bracket from `at` to the next declaration."""
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
    """Remove all tokens that have not been parsed, and close all open blocks."""
    start = at if _is_complete(trace.snapshots[at].stack) else trace.snapshots[at].statement
    closers = fixes.inserted(trace, start, ["RBRACE"] * len(trace.snapshots[start].blocks()))
    trace.replace(start, len(trace.tokens) - 1, closers)
