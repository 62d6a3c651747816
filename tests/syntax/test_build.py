"""The tree is built while Lark parses; it equals the tree built from Lark's own trees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lark
import pytest
from lark import Tree

from dagdsl.diagnostics.sink import Sink
from dagdsl.source import SourceFile, Span
from dagdsl.syntax import ast
from dagdsl.syntax.build import _Builder, build
from dagdsl.syntax.generate import FOLDER, parser_of
from dagdsl.syntax.grammar import Token
from dagdsl.syntax.problems import Problems
from dagdsl.syntax.recovery import repair
from dagdsl.syntax.tokens import tokenize

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("examples/**/*.dg"), *ROOT.glob("dagdsl/std/**/*.dg")])

MIXED = """
block b(x: op, y = 3,) { in -> out }
net N(a: int = 1, c,) {
  input i: f32[3, 8, 8]
  node n[2], m: ((conv(3, kernel = (1 + 2) * -4, )) |> x[0][1])
  stage s { connect complete via r(1) through (conv |> bn) a, n[1] -> b.c[2], in -> out via g }
  output o { p = s.a[1], q = n, }
}
net Z = b.N([1, 2.5, "x", true,], a = [])
"""


LARK = parser_of((FOLDER / "grammar.lark").read_text())


def as_ours(token: lark.Token) -> Token:
    assert token.start_pos is not None
    assert token.end_pos is not None
    return Token(token.type, str(token), token.start_pos, token.end_pos)


def from_larks_tree(source: SourceFile) -> ast.File:
    builder = _Builder(source, Problems(source, Sink()))
    done: dict[int, Any] = {}
    root = LARK.parse(source.text)

    def part_of(child: Tree[lark.Token] | lark.Token | None) -> Any:
        return as_ours(child) if isinstance(child, lark.Token) else child and done[id(child)]

    for node in root.iter_subtrees():
        parts = [part_of(child) for child in node.children]
        span = Span(source, 0, 0)
        if not node.meta.empty:
            span = Span(source, node.meta.start_pos, node.meta.end_pos)
        done[id(node)] = getattr(builder, node.data)(span, *parts)
    file = done[id(root)]
    assert isinstance(file, ast.File)
    return file


@pytest.mark.parametrize("text", [MIXED, "", "# nothing"], ids=["mixed", "empty", "comment"])
def test_tree_equals_larks(text: str) -> None:
    check(text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_tree_of_shipped_files_equals_larks(path: Path) -> None:
    check(path.read_text())


def check(text: str) -> None:
    source, sink = SourceFile("net.dg", text), Sink()
    problems = Problems(source, sink)
    tree = build(source, repair(source, tokenize(source, problems), problems).tokens, problems)
    assert not sink.sorted()
    read = [(token.type, str(token), *token.extent) for token in tokenize(source, problems)[:-1]]
    ours = map(as_ours, LARK.lex(text))
    assert read == [(token.type, str(token), *token.extent) for token in ours]
    assert tree == from_larks_tree(source)
    assert repr(tree) == repr(from_larks_tree(source)), "the spans are equal too"
