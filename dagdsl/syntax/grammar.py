"""The tables that `generate.py` made of `grammar.lark`: the tokens, and what may follow what.

Making them takes longer than all else a check does, and importing lark a good part of that: so it
is done ahead, and reading a text needs no lark. A test compares the tables with the grammar.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple, Self

END: Final = "$END"
"""The type of the token that stands behind the last one of a file."""


class Token(str):
    """A word or a sign, and where it stands; one that a repair adds stands at a single point."""

    __slots__ = ("end", "start", "type")
    type: str
    start: int
    end: int

    def __new__(cls, type: str, text: str, start: int, end: int) -> Self:
        """A token of some type."""
        token = super().__new__(cls, text)
        token.type, token.start, token.end = type, start, end
        return token

    @property
    def extent(self) -> tuple[int, int]:
        """Where it starts and ends."""
        return self.start, self.end


class Reduction(NamedTuple):
    """A rule of the grammar, read to its end: the last `size` symbols become one, `symbol`.

    `take` are the symbols that have a value: their index, whether they are lists whose items are
    taken instead, and how many optional parts before them were left out; `behind` counts those
    behind the last. A rule that is a list itself has no `name`; one that `collapses` is its only
    part if it has but one, and one that `is_part` has never more.
    """

    size: int
    symbol: str
    name: str
    take: tuple[tuple[int, bool, int], ...]
    behind: int
    collapses: bool
    is_part: bool


class Table(NamedTuple):
    """The LALR(1) automaton. An action is the next state, or `-1 - rule` for a reduction."""

    words: Mapping[str, str]
    """Keywords and signs: type -> spelling."""
    patterns: Mapping[str, str]
    """Other tokens: type -> regular expression. Of two that fit, the first counts."""
    ignored: frozenset[str]
    """Types that mean nothing: comments and white space."""
    rules: tuple[Reduction, ...]
    states: tuple[Mapping[str, int], ...]
    """Of each state, the first of which is where one starts: symbol -> action."""
    end: int
    """The state in which a file is complete."""


@cache
def table() -> Table:
    """The tables of the language. Nothing in them changes."""
    # Beside this file, and not by importlib.resources: that takes longer to import than to read.
    text = Path(__file__).with_name("grammar.json").read_text(encoding="utf-8")
    saved = json.loads(text)
    return Table(
        saved["words"],
        saved["patterns"],
        frozenset(saved["ignored"]),
        tuple(Reduction(*rule) for rule in saved["rules"]),
        saved["states"],
        saved["end"],
    )


@cache
def scanner() -> re.Pattern[str]:
    """Matches one token. The group is its type, but signs and keywords are known by spelling."""
    signs = sorted((word for word in table().words.values() if not word.isalpha()), key=len)
    parts = [f"(?P<{type}>{pattern})" for type, pattern in table().patterns.items()]
    return re.compile("|".join([*parts, *map(re.escape, reversed(signs))]))


@cache
def types() -> Mapping[str, str]:
    """The type of each keyword and sign, by its spelling."""
    return {word: type for type, word in table().words.items()}
