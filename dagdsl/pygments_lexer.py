"""A Pygments lexer for `.dg` files, used by Sphinx, LaTeX and terminals. It is an entry point.

Keywords come from the grammar, ops from the catalogue, functions and types from elaboration.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups, words
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
    _TokenType,
)

from dagdsl.ops.catalogue import OPS
from dagdsl.sema.arguments import TYPES
from dagdsl.sema.functions import CHOOSE, FUNCTIONS
from dagdsl.syntax.grammar import lexicon
from dagdsl.syntax.wording import KEYWORDS, spelling
from dagdsl.topology.patterns import PATTERNS

_PATTERNS = lexicon().patterns
_NAME = _PATTERNS["NAME"]
_CONSTANTS = {"TRUE", "FALSE"}
_PORTS = {"IN", "OUT"}
_NAMED = {"PARAM", "ROUTER", "BLOCK", "NET", "INPUT", "STAGE", "OUTPUT"}
"""Keywords that are followed by a new name."""


def _word(names: Iterable[str]) -> words:
    return words(sorted(names), prefix=r"(?<!\.)\b", suffix=r"\b")


def _keywords(types: Iterable[str]) -> str:
    return "|".join(sorted(map(spelling, types)))


class DgLexer(RegexLexer):  # type: ignore[misc]  # pygments has no types
    """The lexer of the `.dg` language."""

    name = "dagdsl"
    aliases: ClassVar = ["dg", "dagdsl"]
    filenames: ClassVar = ["*.dg"]
    mimetypes: ClassVar = ["text/x-dagdsl"]

    tokens: ClassVar[dict[str, list[tuple[object, _TokenType]]]] = {
        "root": [
            (r"\s+", Whitespace),
            (_PATTERNS["COMMENT"], Comment.Single),
            (_PATTERNS["STRING"], String.Double),
            (
                rf"\b({_keywords(_NAMED)})(\s+)({_NAME})",
                bygroups(Keyword.Declaration, Whitespace, Name.Variable),
            ),
            (rf"\b({_keywords(_CONSTANTS)})\b", Keyword.Constant),
            (rf"\b({_keywords(_PORTS)})\b", Keyword.Pseudo),
            (rf"\b({_keywords(KEYWORDS - _CONSTANTS - _PORTS)})\b", Keyword),
            (_word({*TYPES, "f32"}), Keyword.Type),
            (rf"({_NAME})(\s*)(=)", bygroups(Name.Attribute, Whitespace, Operator)),
            (_word({*OPS, *FUNCTIONS, CHOOSE, *PATTERNS}), Name.Builtin),
            (_NAME, Name),
            (_PATTERNS["FLOAT"], Number.Float),
            (_PATTERNS["INT"], Number.Integer),
            (r"->|\|>|\.\.|//|[-+*/=]", Operator),
            (r"[][(){},:.]", Punctuation),
        ]
    }
