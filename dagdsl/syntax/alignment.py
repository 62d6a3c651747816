"""Align the signs of consecutive statements of the same kind in columns.

param width: int   = 16  in 8..64
param tau:   float = 0.5 in 0.0..0.9  # a comment
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dagdsl.syntax.layout import flat
from dagdsl.syntax.phrases import Pieces, equals, top_level, words


@dataclass(frozen=True, slots=True)
class Cells:
    """A one-line statement, cut where columns may start.

    Each cell except the first includes the space before it. Only statements of the same `kind` are
    aligned with each other.
    """

    kind: tuple[str, ...]
    texts: tuple[str, ...]


def cells_of(pieces: Pieces, body: Sequence[Pieces], beside: str) -> Cells:
    """Return the cells of a statement, the statements in its body, and the comment beside it."""
    comment = f"  {beside}" if beside else ""
    if body:
        return Cells(
            ("{}", *map(_kind, body)), (text_of(pieces[:-1]), *_in_braces(body), " }", comment)
        )
    match pieces[0].type:
        case "PARAM":
            cuts = [next(top_level(pieces, {"COLON"})), (equals(pieces) or 0) - 1]
            domain = [
                index - 1
                for index in top_level(pieces, {"IN"})
                if index > cuts[-1] and pieces[index + 1].type != "DOT"
            ]
            texts = [*_cut(pieces, [*cuts, *domain[:1]]), ""][:4]
        case "NAME" | "NET" if (at := equals(pieces)) is not None:
            texts = _cut(pieces, [at - 1])
        case "ROUTER" | "BLOCK" if pieces[2].type == "EQUAL":
            return Cells(("=",), (*_cut(pieces, [0, 1]), comment))
        case "ROUTER" | "BLOCK":
            # Formals are long; the signs of neighbouring statements are not moved past them.
            keyword, rest = _cut(pieces, [0])
            return Cells(("=",), (keyword, rest + comment, "", ""))
        case _:
            return Cells(("",), (text_of(pieces), comment))
    return Cells((pieces[0].type,), (*texts, comment))


def _in_braces(body: Sequence[Pieces]) -> list[str]:
    """Return the cells of the statements of a one-line body, each with the space before it."""
    cells: list[str] = []
    for statement in body:
        first, *more = _cut(statement, [*top_level(statement, {"COLON"})][:1])
        cells += [f"  {first}" if cells else f" {{ {first}", *more]
    return cells


def text_of(pieces: Pieces) -> str:
    """Return the pieces as one line of text."""
    return flat(words(pieces))


def align(rows: Sequence[Cells], room: int) -> list[str]:
    """Return the lines of the statements, aligned in as many columns as fit into `room`."""
    for columns in range(len(rows[0].texts), 0, -1):
        lines = _columns([_joined(row.texts, columns) for row in rows], room)
        if lines is not None:
            break
    return lines or ["".join(row.texts) for row in rows]


def _joined(texts: Sequence[str], columns: int) -> list[str]:
    """Join all cells from `columns - 1` up to the comment into one."""
    *cells, comment = texts
    return [*cells[: columns - 1], "".join(cells[columns - 1 :]), comment]


def _columns(rows: Sequence[Sequence[str]], room: int) -> list[str] | None:
    """Return the cells in columns, or None if a line without its comment exceeds `room`."""
    widths = [0] * len(rows[0])
    for row in rows:
        for column in range(_last(row)):
            widths[column] = max(widths[column], len(row[column]))
    lines = []
    for row in rows:
        last = _last(row)
        padded = "".join(text.ljust(width) for text, width in zip(row[:last], widths, strict=False))
        if len(padded.rstrip() if last == len(row) - 1 else padded + row[last]) > room:
            return None
        lines.append(padded + row[last])
    return lines


def _last(texts: Sequence[str]) -> int:
    return max(index for index, text in enumerate(texts) if text)


def _kind(pieces: Pieces) -> str:
    return "=" if pieces[0].type == "NAME" and equals(pieces) is not None else pieces[0].type


def _cut(pieces: Pieces, ends: Sequence[int]) -> list[str]:
    """Cut the pieces after the given indices; all texts except the first start with a space."""
    parts = [
        pieces[low:high] for low, high in pairwise([0, *(end + 1 for end in ends), len(pieces)])
    ]
    return [" " * bool(index) + text_of(part) for index, part in enumerate(parts)]
