from __future__ import annotations

import logging
from importlib.resources import files

import pytest
from lark import Lark, logger

from dagdsl.syntax.grammar import lexicon
from dagdsl.syntax.wording import KEYWORDS, spelling

GRAMMAR = files("dagdsl.syntax").joinpath("grammar.lark").read_text(encoding="utf-8")


def test_no_conflicts(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    # Lark resolves shift/reduce conflicts silently, and only logs them at debug level.
    monkeypatch.setattr(logger, "level", logging.DEBUG)
    monkeypatch.setattr(logger, "handlers", [caplog.handler])
    Lark(GRAMMAR, parser="lalr", lexer="basic", debug=True)
    assert "conflict" not in caplog.text.lower()


def test_strict() -> None:
    pytest.importorskip("interegular")
    Lark(GRAMMAR, parser="lalr", lexer="basic", strict=True)


def test_every_word_of_the_grammar_is_a_known_keyword() -> None:
    words = {type for type, word in lexicon().words.items() if word.isalpha()}
    assert words == KEYWORDS
    assert {spelling(word) for word in words} == {word.lower() for word in words}
