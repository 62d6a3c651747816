"""Lay out documents of words, groups and possible line breaks within a maximum line width.

After Wadler, *A prettier printer*. Widths are computed in advance, so that it takes linear time.

    "text"            a word
    Row(a, b, ...)    a sequence
    Break(flat)       `flat` (a space or nothing) or a new line, as the enclosing group decides
    Group(a)          on one line if it fits; otherwise all of its own breaks are new lines
    Indent(a)         new lines inside are indented further
    Fill(a, b, ...)   words with breaks in between, as many to a line as fit
    AsWritten(lines)       lines of words as written if all fit, otherwise one word per line
    Above(c), Beside(c)   a comment on a separate line; a comment that ends its line
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

WIDTH: Final = 100
STEP: Final = 2
"""Columns per level of indentation."""


class Break:
    """A possible line break."""

    def __init__(self, flat: str = " ") -> None:
        self.flat = flat


class Above:
    """A comment on a separate line."""

    def __init__(self, comment: str) -> None:
        self.comment = comment


class Beside:
    """A comment that ends its line."""

    def __init__(self, comment: str) -> None:
        self.comment = comment


class _Composite:
    """A document made of others.

    `width` is its width on one line, infinite if it does not fit on one. `head` is the width up to
    its first break, and `breaks` says whether it has one.
    """

    def __init__(self, parts: Sequence[Doc]) -> None:
        self.parts = tuple(parts)
        self.width = sum(map(width_of, self.parts))
        self.head = 0.0
        self.breaks = False
        for part in self.parts:
            self.head += head_of(part)
            if has_break(part):
                self.breaks = True
                break


class Row(_Composite):
    """A sequence of documents."""

    def __init__(self, *parts: Doc) -> None:
        super().__init__(parts)


class Indent(Row):
    """A sequence of documents whose new lines are indented further."""


class Group(_Composite):
    """A document that is on one line if it fits, unless it is `broken`."""

    def __init__(self, *parts: Doc, broken: bool = False) -> None:
        super().__init__(parts)
        if broken:
            self.width = math.inf


class Fill(_Composite):
    """Words separated by breaks. A break is a new line if the next word does not fit."""

    def __init__(self, *words: Doc) -> None:
        super().__init__(joined(words, Break()))


class AsWritten(_Composite):
    """Lines of words as written if all lines fit, otherwise one word per line.

    A word that is too long for a line may take several.
    """

    def __init__(self, lines: Sequence[Sequence[Doc]]) -> None:
        super().__init__(joined([Row(*joined(line, " ")) for line in lines], Break()))
        self.width = math.inf
        self.otherwise = Row(*joined([word for line in lines for word in line], Break()))
        self.widest = max(
            (width_of(Row(*joined(line, " "))) for line in lines if len(line) > 1), default=0
        )


def joined(docs: Sequence[Doc], between: Doc) -> list[Doc]:
    """Return the documents with `between` between each two."""
    found: list[Doc] = []
    for doc in docs:
        found += [between, doc] if found else [doc]
    return found


Doc: TypeAlias = str | Break | Above | Beside | Row | Group | Fill | AsWritten


def width_of(doc: Doc) -> float:
    """Return the width of a document on one line."""
    match doc:
        case str():
            return len(doc)
        case Break(flat=flat):
            return len(flat)
        case Above() | Beside():
            return math.inf
        case _:
            return doc.width


def head_of(doc: Doc) -> float:
    """Return the width of a document up to its first break."""
    match doc:
        case str():
            return len(doc)
        case Break() | Above() | Beside():
            return 0
        case _:
            return doc.head


def has_break(doc: Doc) -> bool:
    """Whether a document contains a possible line break."""
    return doc.breaks if isinstance(doc, _Composite) else not isinstance(doc, str)


def lay_out(doc: Doc, indent: int) -> list[str]:
    """Return the lines of a document."""
    page = _Page(indent)
    page.write(doc, indent, 0, flat=False)
    return [line.rstrip() for line in page.lines]


def flat(doc: Doc) -> str:
    """Return a document without comments as one line."""
    page = _Page(0)
    page.write(doc, 0, 0, flat=True)
    return "".join(page.lines)


class _Page:
    def __init__(self, indent: int) -> None:
        self._indent = indent
        self.lines: list[str] = []
        self._open = False
        """Whether text may be appended to the last line."""

    def write(self, doc: Doc, indent: int, tail: float, *, flat: bool) -> None:
        """Write a document. `tail` is the width of the text after it up to the next break."""
        match doc:
            case str():
                self._word(doc, indent)
            case Break():
                if flat:
                    self._word(doc.flat, indent)
                else:
                    self._open = False
            case Above():
                self._open = False
                self._word(doc.comment, indent)
                self._open = False
            case Beside():
                self._word(f"  {doc.comment}", indent)
                self._open = False
            case Fill():
                self._fill(doc, indent, tail, flat)
            case AsWritten() if doc.widest > WIDTH - indent:
                self.write(doc.otherwise, indent, tail, flat=flat)
            case Group():
                fits = doc.width + tail <= WIDTH - self._column(indent)
                self._row(doc, indent, tail, flat or fits)
            case _:
                deeper = STEP if isinstance(doc, Indent) else 0
                self._row(doc, indent + deeper, tail, flat)

    def _row(self, doc: _Composite, indent: int, tail: float, flat: bool) -> None:
        # The width of the text after each part up to the next break, from last to first.
        tails: list[float] = []
        for part in reversed(doc.parts):
            tails.append(tail)
            tail = head_of(part) + (0 if has_break(part) else tail)
        for part, follows in zip(doc.parts, reversed(tails), strict=True):
            self.write(part, indent, follows, flat=flat)

    def _fill(self, doc: Fill, indent: int, tail: float, flat: bool) -> None:
        last = len(doc.parts) - 1
        for index, part in enumerate(doc.parts):
            follows = tail if index == last else 0
            if isinstance(part, Break):
                after = tail if index + 1 == last else 0
                needs = width_of(part) + width_of(doc.parts[index + 1]) + after
                fits = needs <= WIDTH - self._column(indent)
                self.write(part, indent, 0, flat=flat or (fits and self._open))
            else:
                self.write(part, indent, follows, flat=flat)

    def _column(self, indent: int) -> int:
        return len(self.lines[-1]) if self._open else indent

    def _word(self, text: str, indent: int) -> None:
        if self._open:
            self.lines[-1] += text
        elif text.strip():
            self.lines.append(" " * (indent if self.lines else self._indent) + text.lstrip())
            self._open = True
