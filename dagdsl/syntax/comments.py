"""Pieces: tokens with the comments and line breaks around them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from dagdsl.source import SourceFile
from dagdsl.syntax.grammar import Token

_COMMENT = re.compile(r"#[^\n]*")


@dataclass(slots=True)
class Piece:
    """A token, the comments that belong to it, and whether it is the first on its line.

    `above` holds the comments on separate lines before it, with an empty string for each run of
    empty lines. `beside` is the comment that ends its line.
    """

    type: str
    text: str
    above: list[str] = field(default_factory=list)
    beside: str = ""
    first: bool = False

    @property
    def has_comment(self) -> bool:
        """Whether any comment belongs to it."""
        return bool(self.beside) or any(self.above)


def comments_of(source: SourceFile, tokens: Sequence[Token]) -> list[str]:
    """Return all comments in order. `tokens` are all tokens of the text, with the end token."""
    ends = [0, *(token.end for token in tokens)]
    gaps = (source.text[end : token.start] for end, token in zip(ends, tokens, strict=False))
    return [comment.rstrip() for gap in gaps for comment in _COMMENT.findall(gap)]


def pieces_of(source: SourceFile, tokens: Sequence[Token]) -> list[Piece]:
    """Return a piece for each token of a text without errors."""
    pieces: list[Piece] = []
    end = 0
    for token in tokens:
        start, stop = token.extent
        same_line, newline, lines = source.text[end:start].partition("\n")
        if not pieces:
            lines, same_line = f"{same_line}{newline}{lines}", ""
        piece = Piece(token.type, str(token), first=bool(newline) or not pieces)
        comment = _COMMENT.search(same_line)
        if comment:
            pieces[-1].beside = comment[0].rstrip()
        piece.above = _lines(lines)
        pieces.append(piece)
        end = stop
    return pieces


def _lines(text: str) -> list[str]:
    """Return the comments before a token, with an empty string for each run of empty lines."""
    found: list[str] = []
    *lines, last = (line.strip() for line in text.split("\n"))
    for line in lines:
        if line or not found or found[-1]:
            found.append(line)
    # The last line is the token's indentation; only at the end of the file it can be a comment.
    return [*found, last] if last else found


def hand_over(comments: Sequence[str], piece: Piece, after: Piece) -> None:
    """Put one comment beside `piece`, if that place is free, and the others above `after`."""
    first, *rest = comments or [""]
    if piece.beside:
        first, rest = piece.beside, [comment for comment in (first, *rest) if comment]
    piece.beside = first
    after.above[:0] = rest
