"""The language as Lark's parser of it, loaded from tables that `generate.py` made ahead of time.

Analysing `grammar.lark` takes longer than everything else a check does, so it is done once, and
`grammar.json` holds the result. A test compares the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import lark
from lark.grammar import Rule
from lark.lexer import PatternStr
from lark.parsers.lalr_interactive_parser import InteractiveParser

END: Final = "$END"
"""The type of the token after the last one of a file."""


class Token(lark.Token):
    """A word or sign and its extent; one inserted by a repair is empty."""

    __slots__ = ()
    start: int = lark.Token.start_pos  # type: ignore[assignment]  # the same slot, a shorter name
    end: int = lark.Token.end_pos  # type: ignore[assignment]

    def __new__(cls, type: str, text: str, start: int, end: int) -> Self:
        """Create a token. Lark's own constructor also takes lines and columns, and is slower."""
        token = str.__new__(cls, text)
        token.type, token.value, token.start, token.end = type, text, start, end
        return token

    @property
    def extent(self) -> tuple[int, int]:
        """The offsets at which the token starts and ends."""
        return self.start, self.end


class Lexicon(NamedTuple):
    """The tokens of the language."""

    words: Mapping[str, str]
    """Keywords and signs: type -> spelling."""
    patterns: Mapping[str, str]
    """Other tokens: type -> regular expression. If several match, the first one counts."""
    ignored: frozenset[str]
    """The types of comments and white space."""


@cache
def language() -> lark.Lark:
    """Return Lark's parser of the language. Not to be changed."""
    # Found next to this file: importlib.resources takes longer to import than the file to read.
    saved = json.loads(Path(__file__).with_name("grammar.json").read_text(encoding="utf-8"))
    # JSON turns the integer keys of Lark's dictionaries into strings.
    table = saved["data"]["parser"]["parser"]
    table["tokens"] = _integer_keys(table["tokens"])
    table["states"] = _integer_keys(table["states"])
    for state, actions in table["states"].items():
        table["states"][state] = _integer_keys(actions)
    return lark.Lark.load({"data": saved["data"], "memo": _integer_keys(saved["memo"])})


def _integer_keys(saved: Mapping[str, Any]) -> dict[int, Any]:
    return {int(key): value for key, value in saved.items()}


def parser_with(callbacks: Mapping[Rule, Callable[[list[Any]], Any]]) -> InteractiveParser:
    """Return Lark's interactive parser at the start of a file.

    It reduces the symbols of a rule to what the rule's callback returns for their values. Without
    callbacks it only says which tokens may follow.
    """
    parser = language().parse_interactive()
    parser.parser_state.parse_conf = conf = copy(parser.parser_state.parse_conf)
    conf.callbacks = callbacks  # type: ignore[assignment]  # Lark only reads it
    return parser


@cache
def lexicon() -> Lexicon:
    """Return the tokens of the language."""
    terminals = language().terminals
    words = {t.name: t.pattern.value for t in terminals if isinstance(t.pattern, PatternStr)}
    patterns = {t.name: t.pattern.to_regexp() for t in terminals if t.name not in words}
    return Lexicon(words, patterns, frozenset(language().lexer_conf.ignore))


@cache
def scanner() -> re.Pattern[str]:
    """Return the expression that matches one token.

    The name of the matching group is the token's type; keywords and signs have no group and are
    looked up in `types()`.
    """
    signs = sorted((word for word in lexicon().words.values() if not word.isalpha()), key=len)
    parts = [f"(?P<{type}>{pattern})" for type, pattern in lexicon().patterns.items()]
    return re.compile("|".join([*parts, *map(re.escape, reversed(signs))]))


@cache
def types() -> Mapping[str, str]:
    """Return the type of each keyword and sign by its spelling."""
    return {word: type for type, word in lexicon().words.items()}
