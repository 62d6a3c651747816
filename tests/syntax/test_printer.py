from __future__ import annotations

import pytest
from hypothesis import given, settings

from dagdsl.syntax import ast
from dagdsl.syntax.printer import print_expr, print_file
from tests.syntax.trees import bare, exprs, files, parse_good


@given(files)
@settings(max_examples=150, deadline=None)
def test_round_trip(file: ast.File) -> None:
    assert bare(parse_good(print_file(file))) == bare(file)


@given(exprs)
@settings(max_examples=300, deadline=None)
def test_round_trip_of_expressions(expr: ast.Expr) -> None:
    assert bare(_expr(print_expr(expr))) == bare(expr)


@pytest.mark.parametrize(
    "text",
    [
        "a + b - c",
        "a - (b + c)",
        "(a + b) * -c // d",
        "a |> b(x |> y) |> c",
        "(a |> b) |> c",
        "(a |> b) + 1",
        "-(a * b)",
        "--a",
        "-a * b",
        "f([1, 0.5, true], in.channels, k = -3)",
        "1e-07 + 1e+22",
    ],
)
def test_parentheses_are_minimal(text: str) -> None:
    assert print_expr(_expr(text)) == text


def test_canonical_text() -> None:
    text = """edition 1

import "std/mobile.dg" as mobile
import "other.dg"

param width: float = 1.0 in [0.5, 1.0]
param depth: int = 4 in 2..8

router gate(tau) = gap |> fc |> threshold(tau)

block ir(expand: int = 6) = conv(expand)
block two = ir |> ir

block graph {
  in -> out
}

net A(classes: int = 10) {
  input image: f32[3, 32, 32]
  node a, b[2]: conv |> bn
  stage s {
    channels = 24 * width
    connect complete via gate(0.1) through up
  }
  image -> a, b[0] -> s.n[1] via gate
  output a
  output taps { p3 = s, p4 = b[1] }
}
"""
    assert print_file(parse_good(text)) == text


def _expr(text: str) -> ast.Expr:
    (item,) = parse_good(f"router r = {text}").items
    assert isinstance(item, ast.Router)
    assert not isinstance(item.body, tuple)
    return item.body
