"""`SourceFile` -> syntax tree. Reports all errors and returns a tree of the statements without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import accumulate

from dagdsl.diagnostics.sink import Sink
from dagdsl.limits import MAX_NESTING
from dagdsl.source import SourceFile
from dagdsl.syntax import ast
from dagdsl.syntax.build import build
from dagdsl.syntax.grammar import Token
from dagdsl.syntax.problems import Problems
from dagdsl.syntax.tokens import Tokens, tokenize
from dagdsl.syntax.trace import CLOSER

_STEPS = dict.fromkeys(CLOSER, 1) | dict.fromkeys(CLOSER.values(), -1)


def parse(source: SourceFile, sink: Sink) -> ast.File:
    """Return the tree of a file. Errors go to the sink, and broken statements are left out."""
    problems = Problems(source, sink)
    return parse_tokens(source, tokenize(source, problems), problems)


def parse_tokens(source: SourceFile, tokens: Tokens, problems: Problems) -> ast.File:
    """Return the tree of the tokens of a file."""
    if not problems.found and (file := _at_once(source, tokens)):
        return file
    from dagdsl.syntax.recovery import repair  # not needed for most files

    repaired, guessed = repair(source, tokens, problems)
    tree = build(source, repaired, problems)
    assert tree is not None, "repaired tokens parse"
    spans = (statement.span for statement in _statements(tree.items))
    return replace(
        tree,
        dropped=_dropped(tokens, repaired),
        guessed=tuple(span for span in spans if span.start in guessed),
    )


def _at_once(source: SourceFile, tokens: Tokens) -> ast.File | None:
    """Return the tree of tokens without errors, or None without reporting anything."""
    if max(accumulate(_STEPS.get(token.type, 0) for token in tokens)) > MAX_NESTING:
        return None
    problems = Problems(source, Sink())
    file = build(source, tokens, problems)
    return None if problems.found else file


def _statements(
    items: Iterable[ast.Item | ast.NetStatement],
) -> Iterator[ast.Item | ast.NetStatement]:
    """Yield the statements without a body: declarations, and those inside of other ones."""
    for item in items:
        body = getattr(item, "body", None)
        if isinstance(body, tuple):
            yield from _statements(body)
        else:
            yield item


def _dropped(tokens: Iterable[Token], repaired: Iterable[Token]) -> frozenset[str]:
    """Return the words that the repair removed; some may be names whose declaration was broken."""
    kept = {token.start for token in repaired}
    return frozenset(str(token) for token in tokens if token.start not in kept)
