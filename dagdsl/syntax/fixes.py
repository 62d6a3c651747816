"""Small changes that may repair an unexpected token, and the messages for them.

The functions here only propose. `recovery` tries the proposals and takes the one that lets the
parser get farthest; among equals the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain

from dagdsl.syntax.automaton import expected
from dagdsl.syntax.grammar import END, Token
from dagdsl.syntax.problems import OffsetEdit, quoted
from dagdsl.syntax.trace import CLOSER, STATEMENTS, TOP_LEVEL, OpenBracket, Trace
from dagdsl.syntax.wording import KEYWORDS, found, hint, spelling, wanted

_SIGNS = ("EQUAL", "COLON", "ARROW", "PIPE", "COMMA", "DOT", "DOTS")
_CLOSERS = frozenset(CLOSER.values())
_MISSING = ("COLON", "COMMA", "EQUAL", "ARROW", "LBRACE", "LPAR", "LSQB", "DOTS", "AS")
_SURE = frozenset({"COLON", "EQUAL", "LBRACE", "AS"})
_TIGHT = frozenset({"COLON", "COMMA", "DOT", "DOTS", "LPAR", "LSQB", "RPAR", "RSQB"})
_NEEDLESS = frozenset({"let", "var", "const", "def", "set", "edge", "wire"})
"""Keywords of other languages for statements that start with a name here."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """The report of a mistake: the arguments of `Problems.report`."""

    start: int
    end: int
    message: str
    help: str = ""
    notes: tuple[tuple[int, int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Repair:
    """Replace the tokens from `start` to `stop` (exclusive) by `tokens`."""

    start: int
    stop: int
    tokens: tuple[Token, ...]
    mistake: Mistake
    closes: bool = False
    """Whether it only completes a statement, so that it is good even if the next token fails."""
    enough: int = 3
    """How many tokens after the mistake must parse for the repair to be good."""
    sure: bool = False
    """Whether it is certainly what the author meant, so that it is offered as a quick fix."""


def proposals(trace: Trace, at: int) -> Iterator[Repair]:
    """Propose small changes that may repair the mistake at token `at`, likeliest first."""
    return chain(
        _slashes(trace, at),
        _needless_keyword(trace, at),
        _misspelt_keyword(trace, at),
        _keyword_as_name(trace, at),
        _unfinished(trace, at),
        _missing_closers(trace, at),
        _wrong_sign(trace, at),
        _missing_sign(trace, at),
        _foreign_keyword(trace, at),
    )


def unexpected(trace: Trace, at: int) -> Mistake:
    """Return the generic message for an unexpected token: what was expected and what was found."""
    snapshot = trace.snapshots[at]
    token = trace.tokens[at]
    before = trace.tokens[at - 1].type if at else ""
    wants = f"expected {wanted(expected(snapshot.stack), before, snapshot.kind)}"
    help = hint(trace, at)
    if at and (token.type == END or trace.first_on_line(at)) and at != snapshot.statement:
        end = trace.tokens[at - 1].end
        return Mistake(end, end, f"{wants} after {quoted(trace.tokens[at - 1])}", help)
    return Mistake(*token.extent, f"{wants}, found {found(token)}", help)


def _starts_statement(trace: Trace, index: int, at: int) -> bool:
    return trace.snapshots[at].statement == index


def _slashes(trace: Trace, at: int) -> Iterator[Repair]:
    """`// text` on a separate line."""
    for last in (at, max(at - 1, 0)):
        start = trace.line_start(last)
        if trace.tokens[start].type == "SLASHES":
            stop = start + 1
            while trace.tokens[stop].type != END and not trace.first_on_line(stop):
                stop += 1
            mistake = Mistake(
                *trace.tokens[start].extent, "`//` does not start a comment", "write `#`"
            )
            yield Repair(start, stop, (), mistake, sure=True)


def _misspelt_keyword(trace: Trace, at: int) -> Iterator[Repair]:
    for index in (at, at - 1):
        token = trace.tokens[index]
        if token.type != "NAME" or len(token) > 20:
            continue
        if index == at or _starts_statement(trace, index, at):
            usable = expected(trace.snapshots[index].stack) & KEYWORDS
            spellings = {spelling(type): type for type in sorted(usable)}
            matches = get_close_matches(token.lower(), spellings, n=2)
            for close in matches:
                mistake = Mistake(
                    *token.extent, f"unknown keyword `{token}`", f"did you mean `{close}`?"
                )
                keyword = Token(spellings[close], close, *token.extent)
                sure = len(matches) == 1
                yield Repair(index, index + 1, (keyword,), mistake, enough=1, sure=sure)


def _keyword_as_name(trace: Trace, at: int) -> Iterator[Repair]:
    for index in (at, at - 1):
        token = trace.tokens[index]
        if index < 0 or token.type not in KEYWORDS:
            continue
        if index == at and trace.first_on_line(at) and trace.tokens[at - 1].type != "COMMA":
            continue
        if "NAME" in expected(trace.snapshots[index].stack):
            mistake = Mistake(
                *token.extent,
                f"`{token}` is a keyword and cannot be a name",
                f"choose another name, such as `{token}_`",
            )
            name = Token("NAME", f"{token}_", *token.extent)
            yield Repair(index, index + 1, (name,), mistake)


def _unfinished(trace: Trace, at: int) -> Iterator[Repair]:
    """A statement that is incomplete when the next one starts: `x =` before `y = 3`."""
    statement, new = trace.snapshots[at].statement, at - 1
    if new <= statement or not trace.looks_like_statement(new):
        return
    last = trace.tokens[new - 1]
    if last.type == "COMMA":
        mistake = Mistake(*last.extent, "a `,` with nothing after it")
        yield Repair(new - 1, new, (), mistake, sure=True)
    yield Repair(statement, new, (), unexpected(trace, new))


def _missing_closers(trace: Trace, at: int) -> Iterator[Repair]:
    """Brackets of a statement that are not closed, or closed by the wrong sign."""
    brackets = trace.snapshots[at].brackets()
    token = trace.tokens[at]
    if brackets and token.type in _CLOSERS and token.type != brackets[0].closer:
        opened = _opened(trace, brackets[0])
        sign = spelling(brackets[0].closer)
        mistake = Mistake(
            *token.extent,
            f"expected `{sign}` to close `{trace.tokens[brackets[0].at]}`, found `{token}`",
            notes=(opened,),
        )
        closer = Token(brackets[0].closer, sign, *token.extent)
        yield Repair(at, at + 1, (closer,), mistake, sure=True)
    for count in range(1, len(brackets) + 1):
        closers = [bracket.closer for bracket in brackets[:count]]
        signs = "".join(map(spelling, closers))
        start, end = place(trace, at)
        notes = tuple(_opened(trace, bracket) for bracket in brackets[: min(count, 2)])
        mistake = Mistake(start, end, f"missing `{signs}`", notes=notes)
        # A pipe usually continues after a bracket, so it may have been meant to end earlier.
        sure = all(token.type != "PIPE" for token in trace.tokens[brackets[0].at : at])
        yield Repair(at, at, inserted(trace, at, closers), mistake, closes=True, sure=sure)


def _opened(trace: Trace, bracket: OpenBracket) -> tuple[int, int, str]:
    return (*trace.tokens[bracket.at].extent, "opened here")


def _wrong_sign(trace: Trace, at: int) -> Iterator[Repair]:
    """One sign in place of another, such as `=` for `:`."""
    token = trace.tokens[at]
    if token.type not in _SIGNS:
        return
    usable = expected(trace.snapshots[at].stack)
    for type in _SIGNS:
        if type in usable and (type != "PIPE" or token.type == "ARROW"):
            sign = Token(type, spelling(type), *token.extent)
            message = f"expected `{sign}`, found `{token}`"
            mistake = Mistake(*token.extent, message, hint(trace, at))
            yield Repair(at, at + 1, (sign,), mistake, sure=True)


def _missing_sign(trace: Trace, at: int) -> Iterator[Repair]:
    """A sign or short keyword is missing before this token or the previous one."""
    # After a complete statement a name starts a new one: the error in `conv bn` shows a token late.
    for index in (at - 1, at):
        late = index < at
        if late and (not _starts_statement(trace, index, at) or trace.first_on_line(index)):
            continue
        usable = expected(trace.snapshots[index].stack)
        first: tuple[str, ...] = ("PIPE", "COMMA", "VIA") if late else ()
        if not late and _starts_statement(trace, at - 1, at):
            first = ("ARROW",)
        elif trace.snapshots[at].brackets():
            is_value = trace.tokens[at - 1].type == "NAME" != trace.tokens[at].type
            first = ("EQUAL", "COMMA") if is_value else ("COMMA",)
        elif trace.snapshots[at].kind == "PARAM":
            first = ("IN",)
        # Across a line break, only signs that are required are missing.
        new_line = trace.first_on_line(index) and not trace.snapshots[index].brackets()
        for type in (*first, *_MISSING):
            if type in usable and (not new_line or type in ("COLON", "LBRACE")):
                yield _insertion(trace, index, type)


def _insertion(trace: Trace, index: int, type: str) -> Repair:
    token, before = trace.tokens[index], trace.tokens[index - 1]
    start, end = place(trace, index)
    where = f"after {quoted(before)}" if start == end else f"before {quoted(token)}"
    mistake = Mistake(start, end, f"missing `{spelling(type)}` {where}")
    sure = type in _SURE or (type == "COMMA" and bool(trace.snapshots[index].brackets()))
    return Repair(index, index, inserted(trace, index, [type]), mistake, sure=sure)


def _needless_keyword(trace: Trace, at: int) -> Iterator[Repair]:
    token = trace.tokens[at - 1]
    if token in _NEEDLESS and _starts_statement(trace, at - 1, at):
        mistake = Mistake(*token.extent, f"unknown keyword `{token}`", "remove it")
        yield Repair(at - 1, at, (), mistake, sure=True)


def _foreign_keyword(trace: Trace, at: int) -> Iterator[Repair]:
    """A word that starts a statement in another language, such as `layer a: conv`."""
    index = at - 1 if _starts_statement(trace, at - 1, at) else at
    token = trace.tokens[index]
    if token.type != "NAME" or not trace.first_on_line(index):
        return
    usable = expected(trace.snapshots[index].stack)
    for type in ("NET", "STAGE", "NODE", *sorted(STATEMENTS | TOP_LEVEL)):
        if type in usable:
            keyword = Token(type, spelling(type), *token.extent)
            mistake = Mistake(
                *token.extent, f"unknown keyword {found(token)}", f"did you mean `{keyword}`?"
            )
            yield Repair(index, index + 1, (keyword,), mistake)


def last_resort(trace: Trace, at: int) -> Iterator[Repair]:
    """Propose to drop the token, if nothing better was found."""
    token = trace.tokens[at]
    if token.type in (END, "NAME"):
        return
    mistake = unexpected(trace, at)
    if token.type in _CLOSERS and not trace.snapshots[at].brackets():
        mistake = Mistake(*token.extent, f"unmatched `{token}`")
    yield Repair(at, at + 1, (), mistake)


def place(trace: Trace, index: int) -> tuple[int, int]:
    """Return where something is missing: at a token, or after the last one on the line above."""
    if index and (trace.tokens[index].type == END or trace.first_on_line(index)):
        end = trace.tokens[index - 1].end
        return end, end
    return trace.tokens[index].extent


def inserted(trace: Trace, index: int, types: list[str]) -> tuple[Token, ...]:
    """Return tokens to insert, placed right after the token before `index`."""
    end = trace.tokens[index - 1].end
    return tuple(Token(type, spelling(type), end, end) for type in types)


def edit_of(trace: Trace, fix: Repair) -> OffsetEdit:
    """Return the edit of the text for a repair of the tokens."""
    if fix.start == fix.stop:
        return _insert(trace, fix)
    start = trace.tokens[fix.start].start
    end = trace.tokens[fix.stop - 1].end
    if trace.tokens[fix.start].type == "SLASHES":
        return OffsetEdit(start, start + len("//"), "#")
    if not fix.tokens:
        # Also remove the space before the token, or after it if it is the first on its line.
        while end < len(trace.text) and trace.text[end] == " " and trace.first_on_line(fix.start):
            end += 1
        while start and trace.text[start - 1] == " " and not trace.first_on_line(fix.start):
            start -= 1
    while fix.tokens and fix.tokens[0].type in _TIGHT and trace.text[start - 1] == " ":
        start -= 1
    return OffsetEdit(start, end, " ".join(fix.tokens))


def _insert(trace: Trace, fix: Repair) -> OffsetEdit:
    at = trace.tokens[fix.start - 1].end if fix.start else 0
    if fix.tokens[0].type != "RBRACE":
        return OffsetEdit(at, at, "".join(t if t.type in _TIGHT else f" {t}" for t in fix.tokens))
    if trace.tokens[fix.start].type != END and not trace.first_on_line(fix.start):
        return OffsetEdit(at, at, " }" * len(fix.tokens))
    # Insert after a comment at the end of the line.
    line_end = trace.text.find("\n", at)
    at = len(trace.text) if line_end < 0 else line_end
    blocks = trace.snapshots[fix.start].blocks()[: len(fix.tokens)]
    braces = ("\n" + " " * trace.indent(block.statement) + "}" for block in blocks)
    return OffsetEdit(at, at, "".join(braces))
