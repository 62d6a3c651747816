"""Turn the pieces of a statement into a document with its possible line breaks.

A pipe too long for one line has one step per line, starting with `|>`; a list too long has one item
per line. A pipe or list written on several lines keeps several lines, since its line breaks may be
meaningful.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final, TypeAlias

from dagdsl.syntax.comments import Piece, hand_over
from dagdsl.syntax.layout import (
    Above,
    AsWritten,
    Beside,
    Break,
    Doc,
    Fill,
    Group,
    Indent,
    Row,
    joined,
)
from dagdsl.syntax.trace import CLOSER

Pieces: TypeAlias = Sequence[Piece]

_CLOSERS: Final = frozenset(CLOSER.values())
_VALUE_ENDS: Final = frozenset({"NAME", "INT", "FLOAT", "STRING", "TRUE", "FALSE", "RPAR", "RSQB"})
_TIGHT_BEFORE: Final = frozenset({"COMMA", "COLON", "DOT", "DOTS", *_CLOSERS} - {"RBRACE"})
_TIGHT_AFTER: Final = frozenset({"DOT", "DOTS", "LPAR", "LSQB"})
_ATOMS: Final = frozenset({"INT", "FLOAT", "STRING", "TRUE", "FALSE", "NAME", "DOT", "MINUS"})


def statement(pieces: Pieces) -> Doc:
    """Return the document of a statement, or of the header of one with a body."""
    match pieces[0].type:
        case "NODE":
            return _node(pieces)
        case "ROUTER" | "BLOCK" | "NET":
            return _definition(pieces)
        case "NAME" if equals(pieces) is not None:
            return _definition(pieces)
        case "NAME" | "IN" | "OUT" | "CONNECT":
            return _wire(pieces)
        case _:
            return words(pieces)


def tidy(pieces: Pieces) -> list[Piece]:
    """Remove trailing commas, and move comments before a comma to another place."""
    kept: list[Piece] = []
    for piece, after in pairwise([*pieces, Piece("", "")]):
        if piece.type != "COMMA":
            kept.append(piece)
            continue
        before = kept[-1]
        comments = [comment for comment in (before.beside, *piece.above, piece.beside) if comment]
        before.beside = piece.beside = ""
        piece.above = []
        if after.type in _CLOSERS or after.type == "COLON":
            hand_over(comments, before, after)
        else:
            hand_over(comments, piece, after)
            kept.append(piece)
    return kept


def equals(pieces: Pieces) -> int | None:
    """Return the index of the `=` of a definition, or None."""
    return next(top_level(pieces, {"EQUAL"}), None)


def top_level(pieces: Pieces, types: Collection[str]) -> Iterator[int]:
    """Yield the indices of pieces of the given types outside of brackets."""
    depth = 0
    for index, piece in enumerate(pieces):
        depth += (piece.type in CLOSER) - (piece.type in _CLOSERS)
        if depth == 0 and piece.type in types:
            yield index


def piece_of(piece: Piece) -> list[Doc]:
    """Return a piece with its comments."""
    return [*_above(piece), piece.text, *_beside(piece)]


def words(pieces: Pieces) -> Doc:
    """Return a sequence of pieces with spaces between them; lines break only in brackets."""
    docs: list[Doc] = []
    before: Piece | None = None
    unary = False
    index = 0
    while index < len(pieces):
        piece = pieces[index]
        docs.append("" if before is None or unary else _space(before, piece))
        if piece.type in CLOSER:
            end = _closing(pieces, index)
            docs += _bracket(pieces[index : end + 1])
            index = end
        else:
            docs += piece_of(piece)
        unary = piece.type == "MINUS" and (before is None or before.type not in _VALUE_ENDS)
        before = pieces[index]
        index += 1
    return Row(*docs)


# Statements.


def _definition(pieces: Pieces) -> Doc:
    """`head = value`."""
    at = equals(pieces)
    if at is None:
        return words(pieces)
    return Row(words(pieces[: at + 1]), _value(pieces[at + 1 :]))


def _node(pieces: Pieces) -> Doc:
    """`node a, b[2]: value`."""
    colon = next(top_level(pieces, {"COLON"}))
    names = Fill(*_comma_list(pieces[1:colon]))
    start = Row(*piece_of(pieces[0]), " ", Indent(names), *piece_of(pieces[colon]))
    return Row(start, _value(pieces[colon + 1 :]))


def _value(pieces: Pieces) -> Doc:
    """The value of a definition, on the same line or on separate lines."""
    if pieces[0].type == "LSQB" and _closing(pieces, 0) == len(pieces) - 1:
        return Row(" ", expression(pieces))
    return Group(Indent(Break(), expression(pieces)))


def _wire(pieces: Pieces) -> Doc:
    """`a, b -> c via r through p`, or `connect pattern via r through p`."""
    bounds = [*top_level(pieces, {"VIA", "THROUGH"}), len(pieces)]
    path = pieces[: bounds[0]]
    if path[0].type == "CONNECT":
        start = words(path)
    else:
        cuts = [0, *top_level(path, {"ARROW"}), len(path)]
        refs: list[Doc] = []
        for low, high in pairwise(cuts):
            first, *more = _comma_list(path[low:high])
            refs += [first, *more]
        start = Indent(Fill(*refs))
    parts: list[Doc] = [start]
    for low, high in pairwise(bounds):
        body = expression(pieces[low + 1 : high])
        parts.append(Indent(Break(), *piece_of(pieces[low]), " ", Indent(body)))
    return Group(*parts)


# Expressions.


def expression(pieces: Pieces) -> Doc:
    """Return the document of an expression: a pipe, a sum, or a part of one."""
    steps = _split_before(pieces, [*top_level(pieces, {"PIPE"})])
    if len(steps) == 1:
        return _terms(pieces)
    docs = [_terms(steps[0]), *(_prefixed(step) for step in steps[1:])]
    lines: list[list[Doc]] = [docs[:1]]
    for step, doc in zip(steps[1:], docs[1:], strict=True):
        if step[0].first or step[1].first:
            lines.append([])
        lines[-1].append(doc)
    return Group(*joined(docs, Break())) if len(lines) == 1 else AsWritten(lines)


def _terms(pieces: Pieces) -> Doc:
    """A sum, or a part of one."""
    signs = [
        index
        for index in top_level(pieces, {"PLUS", "MINUS"})
        if index and pieces[index - 1].type in _VALUE_ENDS
    ]
    if not signs:
        return words(pieces)
    first, *more = _split_before(pieces, signs)
    rest = [doc for term in more for doc in (Break(), _prefixed(term))]
    return Group(words(first), Indent(*rest))


def _prefixed(pieces: Pieces) -> Doc:
    """A sign and its operand."""
    return Row(*piece_of(pieces[0]), " ", words(pieces[1:]))


def _bracket(pieces: Pieces) -> list[Doc]:
    """Brackets around a list or an expression."""
    start, *inner, end = pieces
    if not inner:
        return [*piece_of(start), Indent(*_above(end)), end.text, *_beside(end)]
    pad = " " if start.type == "LBRACE" else ""
    items = _comma_list(inner)
    # Long lists of numbers fill the lines.
    fill = start.type == "LSQB" and all(p.type in _ATOMS or p.type == "COMMA" for p in inner)
    body = Fill(*items) if fill else Row(*joined(items, Break()))
    group = Group(
        *piece_of(start),
        Indent(Break(pad), body, *_above(end)),
        Break(pad),
        end.text,
        broken=inner[0].first,
    )
    return [group, *_beside(end)]


def _item(pieces: Pieces) -> Doc:
    """An argument, a formal, a tap or an expression."""
    at = equals(pieces)
    if at is None:
        return expression(pieces)
    return Row(words(pieces[: at + 1]), " ", Indent(expression(pieces[at + 1 :])))


def _comma_list(pieces: Pieces) -> list[Doc]:
    """Return the items of a list, each with the comma and the comment after it."""
    docs: list[Doc] = []
    for item in _split_behind(pieces, [*top_level(pieces, {"COMMA"})]):
        *body, last = item
        if last.type == "COMMA":
            docs.append(Row(_item(body), *piece_of(last)))
        else:
            docs.append(Row(_item([*body, replace(last, beside="")]), *_beside(last)))
    return docs


# Parts.


def _split_before(pieces: Pieces, cuts: Sequence[int]) -> list[Pieces]:
    return [pieces[low:high] for low, high in pairwise([0, *cuts, len(pieces)])]


def _split_behind(pieces: Pieces, cuts: Sequence[int]) -> list[Pieces]:
    return _split_before(pieces, [cut + 1 for cut in cuts])


def _closing(pieces: Pieces, start: int) -> int:
    """Return the index of the bracket that closes the one at `start`."""
    return start + next(top_level(pieces[start:], _CLOSERS))


def _above(piece: Piece) -> list[Doc]:
    return [Above(comment) for comment in piece.above if comment]


def _beside(piece: Piece) -> list[Doc]:
    return [Beside(piece.beside)] if piece.beside else []


def _space(before: Piece, piece: Piece) -> str:
    """Return the space between two pieces on a line."""
    if piece.type in _TIGHT_BEFORE or before.type in _TIGHT_AFTER:
        return ""
    if piece.type in ("LPAR", "LSQB") and before.type in ("NAME", "RPAR", "RSQB"):
        return ""
    return " "
