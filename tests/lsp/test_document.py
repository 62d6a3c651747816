"""Requests about a whole file: outline, hints, formatting, quick fixes; non-BMP characters."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from dagdsl.source import SourceFile
from tests.lsp.editor import Editor, applied
from tests.lsp.texts import NET

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERYTHING = lsp.Range(lsp.Position(0, 0), lsp.Position(1000, 0))


async def outline(editor: Editor, name: str) -> list[str]:
    answer = await editor.client.text_document_document_symbol_async(
        lsp.DocumentSymbolParams(lsp.TextDocumentIdentifier(editor.uri(name)))
    )
    return list(_lines(list(answer or ()), ""))


def _lines(symbols: list[object], indent: str) -> list[str]:
    lines = []
    for symbol in symbols:
        assert isinstance(symbol, lsp.DocumentSymbol)
        lines.append(f"{indent}{symbol.name} {symbol.detail}".rstrip())
        lines += _lines(list(symbol.children or ()), indent + "  ")
    return lines


async def hints(editor: Editor, name: str, where: lsp.Range = EVERYTHING) -> list[tuple[str, str]]:
    """Return the text before each hint, and the hint."""
    answer = await editor.client.text_document_inlay_hint_async(
        lsp.InlayHintParams(lsp.TextDocumentIdentifier(editor.uri(name)), where)
    )
    file = SourceFile(name, editor.texts[name])
    found = []
    for hint in answer or ():
        assert isinstance(hint.label, str)
        line = file.line(hint.position.line + 1)
        found.append((line[: hint.position.character].strip(), hint.label))
    return found


async def test_outline(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    assert await outline(editor, "net.dg") == [
        "mobile",
        "width",
        "tau",
        "gate",
        "  tau",
        "ir",
        "  expand",
        "Small",
        "  classes",
        "  half",
        "  image 3 x 32 x 32",
        "  stem 16 x 32 x 32",
        "  s1 24 x 16 x 16",
        "    channels",
        "    stride",
        "    n 24 x 16 x 16",
        "    d 24 x 16 x 16",
        "  logits 10",
        "  taps",
    ]


async def test_inlay_hints(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    everything = [
        ("node stem: conv(16 * width, kernel = 3) |> bn |> relu6", "→ 16 x 32 x 32"),
        ("stage s1", "→ 24 x 16 x 16"),
        ("node n[2]: ir", "→ 24 x 16 x 16"),
        ("node d: dwconv(5)", "→ 24 x 16 x 16"),
        ("node logits: gap |> fc(classes)", "→ 10"),
    ]
    assert sorted(await hints(editor, "net.dg")) == sorted(everything)
    first = lsp.Range(lsp.Position(0, 0), lsp.Position(15, 0))
    assert await hints(editor, "net.dg", first) == everything[:1]


async def test_hints_survive_an_unfinished_statement(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    before = await hints(editor, "net.dg")
    await editor.edit("net.dg", NET.replace("  half = 12\n", "  half = 12\n  node x: conv(\n"))
    assert await hints(editor, "net.dg") == before


async def test_formatting(editor: Editor) -> None:
    await editor.open("net.dg", "net   N{input image:f32[3,8,8]\nnode a:conv  \nimage->a output a}")
    options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
    document = lsp.TextDocumentIdentifier(editor.uri("net.dg"))
    params = lsp.DocumentFormattingParams(document, options)
    edits = await editor.client.text_document_formatting_async(params)
    text = applied(SourceFile("", editor.texts["net.dg"]), edits or ())
    assert "image -> a" in text
    await editor.edit("net.dg", text)
    assert await editor.client.text_document_formatting_async(params) is None
    # A file with syntax errors is not formatted.
    await editor.edit("net.dg", text.replace("->", "- >"))
    assert await editor.client.text_document_formatting_async(params) is None


UNICODE = 'import "😀.dg" as b  # 😀 ü\nnet N {\n  input image: f32[3, 8, 8]  # 🧠\n'


async def test_characters_outside_the_basic_plane(editor: Editor) -> None:
    """An emoji is one character but two UTF-16 units."""
    await editor.open("😀.dg", "block one = conv |> cnv\n")
    text = UNICODE + "  node a: b.one  # 😀😀 |> b\n  image -> a\n  output a\n}\n"
    (found,) = await editor.open("net.dg", text)
    assert editor.text_at(editor.uri("net.dg"), found.range) == '"😀.dg"'
    assert await editor.references("net.dg", "as ^b") == [("net.dg", 1), ("net.dg", 4)]
    assert await editor.rename("net.dg", "as ^b", "lib") == {
        "net.dg": text.replace("as b", "as lib").replace("b.one", "lib.one")
    }
    assert await editor.complete("net.dg", "b.^one") == ["one"]


async def actions(editor: Editor, name: str, where: lsp.Range) -> list[lsp.CodeAction]:
    answer = await editor.client.text_document_code_action_async(
        lsp.CodeActionParams(
            lsp.TextDocumentIdentifier(editor.uri(name)), where, lsp.CodeActionContext([])
        )
    )
    found = []
    for action in answer or ():
        assert isinstance(action, lsp.CodeAction)
        found.append(action)
    return found


async def test_fix_removes_its_diagnostic(editor: Editor) -> None:
    (found,) = await editor.open("net.dg", NET.replace("bn |> relu6", "bn |> relu66"))
    (action,) = await actions(editor, "net.dg", found.range)
    assert action.edit is not None
    assert action.edit.changes is not None
    edits = action.edit.changes[editor.uri("net.dg")]
    mended = applied(SourceFile("", editor.texts["net.dg"]), edits)
    assert await editor.edit("net.dg", mended) == []
    assert await actions(editor, "net.dg", EVERYTHING) == []


async def test_no_fix_outside_the_range(editor: Editor) -> None:
    await editor.open("net.dg", NET.replace("bn |> relu6", "bn |> relu66"))
    assert await actions(editor, "net.dg", lsp.Range(*[lsp.Position(0, 0)] * 2)) == []
