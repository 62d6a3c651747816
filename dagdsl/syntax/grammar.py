"""`grammar.lark` -> the LALR parser and its table, built once, when first asked for."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from lark import Lark, Token

END: Final = "$END"
"""The type of the token that stands behind the last one of a file."""


@cache
def lark_parser() -> Lark:
    """The parser. Nothing in it changes once it is built."""
    text = files("dagdsl.syntax").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        text, parser="lalr", lexer="basic", propagate_positions=True, maybe_placeholders=True
    )


def make_token(type_: str, text: str, start: int, end: int | None = None) -> Token:
    """A token at an offset; one that the parser itself adds stands at a single point."""
    # Lark's line and column go unused: `SourceFile` is the one place that knows them.
    return Token(type_, text, start, 0, 0, 0, 0, start if end is None else end)


def extent(token: Token) -> tuple[int, int]:
    """Where a token starts and ends."""
    assert token.start_pos is not None
    assert token.end_pos is not None
    return token.start_pos, token.end_pos
