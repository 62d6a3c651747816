"""Tokens as written -> tokens that follow the grammar; every mistake is reported, once."""

from __future__ import annotations

from lark import Token, UnexpectedToken

from dagdsl.source import SourceFile
from dagdsl.syntax.grammar import lark_parser
from dagdsl.syntax.problems import Problems


def repair(source: SourceFile, tokens: list[Token], problems: Problems) -> list[Token]:
    parser = lark_parser().parse_interactive("")
    for token in tokens:
        try:
            parser.feed_token(token)
        except UnexpectedToken:
            problems.report("DG0102", token.start_pos, token.end_pos, "syntax error")
            return [tokens[-1]]
    return tokens
