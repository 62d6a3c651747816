"""`SourceFile` -> tree; reports every mistake and still gives a tree of all that was good."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lark import Token

from dagdsl.diagnostics.sink import Sink
from dagdsl.source import SourceFile
from dagdsl.syntax import ast
from dagdsl.syntax.build import build
from dagdsl.syntax.problems import Problems
from dagdsl.syntax.recovery import repair
from dagdsl.syntax.tokens import tokenize


def parse(source: SourceFile, sink: Sink) -> ast.File:
    """The tree of a file. Mistakes go to the sink; broken statements are left out of the tree."""
    problems = Problems(source, sink)
    tokens = tokenize(source, problems)
    repaired = repair(source, tokens, problems)
    file = build(source, repaired, problems)
    return replace(file, dropped=_dropped(tokens, repaired)) if problems.found else file


def _dropped(tokens: Iterable[Token], repaired: Iterable[Token]) -> frozenset[str]:
    """The words that repairing took out: names perhaps, whose declaration was broken."""
    kept = {token.start_pos for token in repaired}
    return frozenset(str(token) for token in tokens if token.start_pos not in kept)
