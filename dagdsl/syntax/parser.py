"""`SourceFile` -> tree; reports every mistake and still gives a tree of all that was good."""

from __future__ import annotations

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
    return build(source, repair(source, tokens, problems), problems)
