"""Format a file into its canonical form, with comments.

The author decides which statements are grouped between empty lines, which bodies are on one line
(if they fit), where a pipe is broken, and which lists have one item per line. The formatter decides
the rest. `format_text` parses its result before returning it: the tree and the comments are the
same, and formatting it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from dagdsl.diagnostics.sink import Sink
from dagdsl.source import SourceFile
from dagdsl.syntax import ast
from dagdsl.syntax.alignment import Cells, align, cells_of, text_of
from dagdsl.syntax.comments import Piece, comments_of, pieces_of
from dagdsl.syntax.grammar import END
from dagdsl.syntax.layout import STEP, WIDTH, Row, lay_out
from dagdsl.syntax.parser import parse_tokens
from dagdsl.syntax.phrases import piece_of, statement, tidy
from dagdsl.syntax.problems import Problems
from dagdsl.syntax.tokens import Tokens, tokenize
from dagdsl.syntax.trace import Trace


class FormatterBug(Exception):
    """The formatter would have damaged a file; `text` is its result."""

    def __init__(self, text: str) -> None:
        super().__init__(self.__doc__)
        self.text = text


class TreeChanged(FormatterBug):
    """The formatted text has a different tree."""


class CommentsChanged(FormatterBug):
    """The formatted text has different comments."""


class Unstable(FormatterBug):
    """Formatting the text again changes it again."""


def format_text(source: SourceFile, sink: Sink) -> str | None:
    """Return the canonical text of a file, or None if it has syntax errors, which go to the sink.

    Raises FormatterBug instead of returning a text that is not equivalent.
    """
    read = _read(source, sink)
    if read is None:
        return None
    file, tokens = read
    text = _formatted(source, tokens)
    after = SourceFile(source.name, text)
    again = _read(after, Sink())
    if again is None or not same_tree(file.items, again[0].items):
        raise TreeChanged(text)
    if comments_of(source, tokens) != comments_of(after, again[1]):
        raise CommentsChanged(text)
    if _formatted(after, again[1]) != text:
        raise Unstable(text)
    return text


def same_tree(a: Any, b: Any) -> bool:
    """Whether two trees are equal except for their spans."""
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same_tree, a, b))
    if not is_dataclass(a):
        return bool(a == b)
    names = (field.name for field in fields(a) if field.name != "span")
    return all(same_tree(getattr(a, name), getattr(b, name)) for name in names)


def _read(source: SourceFile, sink: Sink) -> tuple[ast.File, Tokens] | None:
    problems = Problems(source, sink)
    tokens = tokenize(source, problems)
    file = parse_tokens(source, tokens, problems)
    return None if problems.found else (file, tokens)


def _formatted(source: SourceFile, tokens: Tokens) -> str:
    return "".join(line + "\n" for line in _Formatter(source, tokens).lines())


@dataclass(slots=True)
class _Statement:
    """A statement and the comments around it.

    With a body, `pieces` includes the opening brace, and `end` is the closing brace.
    """

    pieces: list[Piece]
    above: list[str]
    beside: str = ""
    body: list[_Statement] | None = None
    end: Piece | None = None

    def is_one_line(self) -> bool:
        """Whether it was written on one line, without comments inside."""
        if not _is_one_line(self.pieces):
            return False
        if self.body is None or self.end is None:
            return True
        return not (self.end.first or self.end.has_comment) and all(
            not (one.pieces[0].first or one.above or one.beside) and one.is_one_line()
            for one in self.body
        )


def _is_one_line(pieces: Sequence[Piece]) -> bool:
    return not any(p.has_comment for p in pieces) and not any(p.first for p in pieces[1:])


class _Formatter:
    """Turns the tokens of a file without syntax errors into lines."""

    def __init__(self, source: SourceFile, tokens: Tokens) -> None:
        self._pieces = pieces_of(source, tokens)
        trace = Trace(source, tokens)
        stopped = trace.read()
        assert stopped is None, "the tokens parse"
        self._snapshots = trace.snapshots

    def lines(self) -> list[str]:
        """Return the lines of the file."""
        statements, end = self._statements(0)
        return _body(statements, self._pieces[end].above, 0)

    def _statements(self, at: int) -> tuple[list[_Statement], int]:
        """Return the statements from a token on, and the index of the token that ends them."""
        found: list[_Statement] = []
        while not self._ends_body(at):
            start, at = at, at + 1
            while not (self._starts_body(at - 1) or self._starts(at) or self._ends_body(at)):
                at += 1
            one = _Statement(self._pieces[start:at], self._pieces[start].above)
            one.pieces[0].above = []
            last = one.pieces[-1]
            if self._starts_body(at - 1):
                one.body, at = self._statements(at)
                one.end = last = self._pieces[at]
                at += 1
            one.beside, last.beside = last.beside, ""
            one.pieces = tidy(one.pieces)
            found.append(one)
        return found, at

    def _starts(self, at: int) -> bool:
        return self._snapshots[at + 1].statement == at

    def _starts_body(self, at: int) -> bool:
        open = self._snapshots[at + 1].open
        return open is not None and open.at == at and open.is_block

    def _ends_body(self, at: int) -> bool:
        piece, open = self._pieces[at], self._snapshots[at].open
        return piece.type == END or (piece.type == "RBRACE" and open is not None and open.is_block)


def _body(statements: Sequence[_Statement], behind: Sequence[str], indent: int) -> list[str]:
    """Return the lines of statements and of the comments after the last one."""
    blocks = [_lines(one, indent) for one in statements]
    for section in _sections(statements, blocks):
        rows = [_cells(statements[index]) for index in section]
        for index, line in zip(section, align(rows, WIDTH - indent), strict=True):
            blocks[index] = [" " * indent + line]
    is_tall = [
        one.body is not None and len(block) > 1
        for one, block in zip(statements, blocks, strict=True)
    ]
    lines: list[str] = []
    for index, (one, block) in enumerate(zip(statements, blocks, strict=True)):
        above = one.above
        if indent == 0 and index and (is_tall[index] or is_tall[index - 1]):
            above = above if "" in above else ["", *above]
        lines += [*_comments(above, indent), *block]
    lines += _comments(behind, indent)
    filled = [index for index, line in enumerate(lines) if line]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def _sections(
    statements: Sequence[_Statement], blocks: Sequence[Sequence[str]]
) -> Iterator[list[int]]:
    """Yield runs of consecutive statements to align with each other."""
    section: list[int] = []
    kind: tuple[str, ...] = ()
    for index, (one, block) in enumerate(zip(statements, blocks, strict=True)):
        is_new = len(block) > 1 or one.above or _cells(one).kind != kind
        if section and is_new:
            yield section
            section = []
        if len(block) == 1:
            section.append(index)
            kind = _cells(one).kind
    if section:
        yield section


def _cells(one: _Statement) -> Cells:
    """Return the cells of a one-line statement."""
    if one.body is None:
        return cells_of(one.pieces, [], one.beside)
    if one.body and all(inner.body is None for inner in one.body):
        return cells_of(one.pieces, [inner.pieces for inner in one.body], one.beside)
    return Cells(("{}",), (_short(one), f"  {one.beside}" if one.beside else ""))


def _lines(one: _Statement, indent: int) -> list[str]:
    """Return the indented lines of a statement."""
    if one.body is None:
        lines = lay_out(statement(one.pieces), indent)
    elif (short := _on_one_line(one)) is not None and len(short) <= WIDTH - indent:
        lines = [" " * indent + short]
    else:
        assert one.end is not None
        *head, brace = one.pieces
        lines = lay_out(Row(statement(head), " ", *piece_of(brace)), indent)
        body = _body(one.body, one.end.above, indent + STEP)
        if body or brace.beside:
            lines += [*body, " " * indent + one.end.text]
        else:
            lines[-1] += one.end.text
    if one.beside:
        lines[-1] += f"  {one.beside}"
    return lines


def _on_one_line(one: _Statement) -> str | None:
    """Return a statement with a body as one line, or None if it was not written on one."""
    if not one.is_one_line():
        return None
    return _short(one)


def _short(one: _Statement) -> str:
    if one.body is None:
        return text_of(one.pieces)
    head, body = text_of(one.pieces[:-1]), "  ".join(map(_short, one.body))
    return f"{head} {{ {body} }}" if body else f"{head} {{}}"


def _comments(comments: Sequence[str], indent: int) -> list[str]:
    return [" " * indent + comment if comment else "" for comment in comments]
