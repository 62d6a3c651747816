"""The parser on an immutable stack agrees with Lark's interactive parser."""

from __future__ import annotations

import pytest

from dagdsl.diagnostics.sink import Sink
from dagdsl.source import SourceFile
from dagdsl.syntax.automaton import advance, expected, initial
from dagdsl.syntax.grammar import END, Token, parser_with
from dagdsl.syntax.problems import Problems
from dagdsl.syntax.tokens import tokenize
from tests.syntax.test_parser import SAMPLE


def tokens_of(text: str) -> list[Token]:
    source = SourceFile("test.dg", text)
    return tokenize(source, Problems(source, Sink()))


def test_the_same_tokens_are_expected_everywhere() -> None:
    parser, stack = parser_with({}), initial()
    for token in tokens_of(SAMPLE):
        assert expected(stack) == parser.accepts()  # type: ignore[no-untyped-call]
        parser.feed_token(token)
        after = advance(stack, token)
        assert after is not None
        stack = after
    assert stack.state == parser.parser_state.parse_conf.end_state


@pytest.mark.parametrize("text", ["net A {", "net A { x = }", "net A } {", "-"])
def test_an_unexpected_token_leaves_the_stack_as_it_was(text: str) -> None:
    stack = initial()
    for token in tokens_of(text):
        before = expected(stack)
        after = advance(stack, token)
        if after is None:
            assert token.type not in before
            assert expected(stack) == before
            return
        stack = after
    pytest.fail("the text has no unexpected token")


def test_old_stacks_stay_valid() -> None:
    """Reading on from a stack does not change it."""
    (net, name, brace, *_) = tokens_of("net A { }")
    after_name = advance(advance(initial(), net), name)  # type: ignore[arg-type]
    assert after_name is not None
    first = advance(after_name, brace)
    assert first == advance(after_name, brace)
    assert "EQUAL" in expected(after_name)
    assert END not in expected(after_name)
