from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from dagdsl.limits import MAX_INTEGER, MAX_NESTING
from dagdsl.source import Span
from dagdsl.syntax import ast
from dagdsl.syntax.printer import print_expr
from tests.syntax.trees import bare, parse_good, parse_text

SAMPLE = """# dgnet.dg: a DG-Net classifier with detection taps
edition 1
import "std/mobile.dg" as mobile

param width: float = 1.0 in [0.5, 0.75, 1.0, 1.4,]
param tau:   float = 0.1 in 0.0..0.5
param depth: int   = 4   in 2..8

router gate(tau) = gap |> fc |> sigmoid |> threshold(tau)
block  ir(expand: int = 6,) = mobile.inverted_residual(expand = expand, kernel = 3)
block  shortcut {
  channels = in.channels in -> a
  node a: conv
  a, in -> out
}

net DGNet(classes: int = 10) {
  input image: f32[3, 32, 32]
  node stem, n[2],: conv(32 * width, kernel = 3,) |> bn
  stage s3 {
    entry = conv(24) |> bn
    a -> b, n[2 * 1] via gate(tau) |> x through up
    connect ws(k = 4) via (a |> b)
  }
  connect chain
  image -> stem -> s3.n[0] -> out
  output logits
  output features { p3 = s1, p4 = s3.n[1], }
}
"""


def test_items() -> None:
    file = parse_good(SAMPLE)
    assert file.edition == 1
    names = [type(item).__name__ for item in file.items]
    assert names == ["Import", "Param", "Param", "Param", "Router", "Block", "Block", "Net"]


def test_values() -> None:
    import_, width, tau, depth, gate, ir, _, net = parse_good(SAMPLE).items
    assert isinstance(import_, ast.Import)
    assert import_.path.value == "std/mobile.dg"
    assert import_.alias is not None
    assert import_.alias.name == "mobile"
    assert isinstance(width, ast.Param)
    assert isinstance(width.domain, ast.Choices)
    assert [print_expr(item) for item in width.domain.items] == ["0.5", "0.75", "1.0", "1.4"]
    assert isinstance(tau, ast.Param)
    assert isinstance(tau.domain, ast.Range)
    assert (print_expr(tau.domain.low), print_expr(tau.domain.high)) == ("0.0", "0.5")
    assert isinstance(depth, ast.Param)
    assert isinstance(depth.domain, ast.Range)
    assert (print_expr(depth.domain.low), print_expr(depth.domain.high)) == ("2", "8")
    assert isinstance(gate, ast.Router)
    assert isinstance(gate.body, ast.Pipe)
    assert len(gate.body.steps) == 4
    assert isinstance(ir, ast.Block)
    assert ir.formals[0].type is not None
    assert ir.formals[0].type.name == "int"
    assert isinstance(net, ast.Net)
    assert [formal.name.name for formal in net.formals] == ["classes"]


def test_statements() -> None:
    *_, shortcut, net = parse_good(SAMPLE).items
    assert isinstance(shortcut, ast.Block)
    assert isinstance(shortcut.body, tuple)
    let, first, _, last = shortcut.body
    assert isinstance(let, ast.Let)
    assert bare(let.value) == bare(ast.Name(("in", "channels"), let.span))
    assert isinstance(first, ast.Wire)
    assert [[ref.path for ref in group] for group in first.groups] == [[("in",)], [("a",)]]
    assert isinstance(last, ast.Wire)
    assert [[ref.path for ref in group] for group in last.groups] == [[("a",), ("in",)], [("out",)]]
    assert isinstance(net, ast.Net)
    input_, node, stage, connect, wire, plain, group = net.body
    assert isinstance(input_, ast.Input)
    assert [print_expr(dim) for dim in input_.type.dims] == ["3", "32", "32"]
    assert isinstance(node, ast.Node)
    assert [(decl.name.name, decl.count is None) for decl in node.decls] == [
        ("stem", True),
        ("n", False),
    ]
    assert isinstance(stage, ast.Stage)
    assert isinstance(connect, ast.Connect)
    assert isinstance(connect.pattern, ast.Name)
    assert isinstance(wire, ast.Wire)
    (ref,) = wire.groups[2]
    assert ref.path == ("s3", "n")
    assert ref.index is not None
    assert isinstance(plain, ast.Output)
    assert plain.fields is None
    assert isinstance(group, ast.Output)
    assert group.fields is not None
    assert [field.name.name for field in group.fields] == ["p3", "p4"]


def test_via_and_through_are_pipes() -> None:
    net = parse_good(SAMPLE).items[-1]
    assert isinstance(net, ast.Net)
    stage = net.body[2]
    assert isinstance(stage, ast.Stage)
    _, wire, connect = stage.body
    assert isinstance(wire, ast.Wire)
    assert wire.via is not None
    assert wire.through is not None
    assert print_expr(wire.via) == "gate(tau) |> x"
    assert print_expr(wire.through) == "up"
    assert isinstance(connect, ast.Connect)
    assert isinstance(connect.pattern, ast.Call)
    assert connect.via is not None
    assert print_expr(connect.via) == "a |> b"


def test_spans_cover_the_text_of_their_nodes() -> None:
    file = parse_good(SAMPLE)
    for node in _nodes(file):
        match node:
            case ast.Ident(name, span):
                assert span.text == name
            case ast.Name(path, span):
                assert span.text == ".".join(path)
            case ast.Ref(path, index, span):
                assert span.text.startswith(".".join(path))
                assert span.text.endswith("]") == (index is not None)
            case ast.Stage(span=span) | ast.Net(span=span):
                assert span.text[-1] == "}"
    assert file.span.text == SAMPLE


def test_spans_include_the_parentheses_of_operands() -> None:
    (item,) = parse_good("router r = (a + b) * (c)").items
    assert isinstance(item, ast.Router)
    assert isinstance(item.body, ast.Binary)
    assert item.body.span.text == "(a + b) * (c)"
    assert item.body.left.span.text == "a + b"


def test_newlines_have_no_meaning() -> None:
    text = SAMPLE.replace("# dgnet.dg: a DG-Net classifier with detection taps\n", "")
    assert bare(parse_good(" ".join(text.split()))) == bare(parse_good(SAMPLE))
    assert bare(parse_good(SAMPLE.replace("\n", "\r\n"))) == bare(parse_good(SAMPLE))


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "edition 1"])
def test_empty_files(text: str) -> None:
    assert parse_good(text).items == ()


def test_long_pipes_and_lists_are_not_nested() -> None:
    parse_good("router r = a" + " |> a" * 5000)
    parse_good("router r = [" + "1, " * 5000 + "]")


def test_expressions_of_maximum_depth() -> None:
    parse_good("router r = a" + " + a" * (MAX_NESTING - 1))
    parse_good("router r = " + "-" * (MAX_NESTING - 1) + "a")
    parse_good("router r = " + "(" * MAX_NESTING + "a" + ")" * MAX_NESTING)
    parse_good(f"router r = {MAX_INTEGER}")


@pytest.mark.parametrize(
    "opening", ["(", "[", "f(", "-", "{", "a + ", "net A {", "a -> ", "((a + "]
)
def test_any_depth_is_reported(opening: str) -> None:
    for head in ("router r = ", "net A { x = ", "net A { "):
        file, diagnostics = parse_text(head + opening * 3000)
        assert diagnostics
        assert len(repr(file.items)) < 100_000


def test_good_statements_are_kept() -> None:
    file, diagnostics = parse_text("net A {\n  node a: conv\n  node b: = )\n  node c: bn\n}\n")
    assert len(diagnostics) == 1
    (net,) = file.items
    assert isinstance(net, ast.Net)
    assert [type(statement) for statement in net.body] == [ast.Node, ast.Node]


def test_parsing_stops_after_too_many_problems() -> None:
    _, diagnostics = parse_text("net A {\n" + "  x = = 3\n" * 500)
    assert len(diagnostics) == 101
    assert diagnostics[-1].code == "DG0004"
    _, diagnostics = parse_text("@ " * 500)
    assert len(diagnostics) == 101


def _nodes(node: Any) -> Iterator[Any]:
    if isinstance(node, tuple):
        for part in node:
            yield from _nodes(part)
    elif is_dataclass(node) and not isinstance(node, Span):
        yield node
        for field in fields(node):
            if field.name != "source":
                yield from _nodes(getattr(node, field.name))
