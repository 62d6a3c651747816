"""Diagnostics published while the user types."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from tests.lsp.editor import Editor
from tests.lsp.texts import BLOCKS, NET, USER

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_come_and_go(editor: Editor) -> None:
    assert await editor.open("net.dg", NET) == []
    (found,) = await editor.edit("net.dg", NET.replace("bn |> relu6", "bn |> relu66"))
    assert found.code == "DG0201"
    assert found.severity == lsp.DiagnosticSeverity.Error
    assert editor.text_at(editor.uri("net.dg"), found.range) == "relu66"
    assert "did you mean `relu6`?" in found.message
    assert await editor.edit("net.dg", NET) == []


async def test_last_of_many_versions_wins(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    for end in range(10, 1, -1):
        editor.send("net.dg", NET[:-end])
    editor.send("net.dg", NET)
    while await editor.published("net.dg"):
        pass


async def test_several_errors(editor: Editor) -> None:
    broken = (
        NET.replace("half = 12", "half 12")
        .replace("2 * half", "24")
        .replace("-> logits", "-> logit")
    )
    found = await editor.open("net.dg", broken)
    assert [one.code for one in found if one.severity == lsp.DiagnosticSeverity.Error] == [
        "DG0102",
        "DG0201",
    ]


async def test_unused_declaration_is_tagged_unnecessary(editor: Editor) -> None:
    (found,) = await editor.open("net.dg", NET.replace("router", "param depth: int = 3\nrouter"))
    assert found.code == "DG0801"
    assert found.tags == (lsp.DiagnosticTag.Unnecessary,)


async def test_notes_become_related_information(editor: Editor) -> None:
    found = await editor.open("net.dg", NET.replace("  half = 12\n", "  half = 12\n  half = 13\n"))
    (related,) = found[0].related_information or ()
    assert editor.text_at(related.location.uri, related.location.range) == "half"


async def test_error_in_an_unsaved_import_is_shown_at_the_import(editor: Editor) -> None:
    await editor.open("blocks.dg", BLOCKS)
    assert await editor.open("user.dg", USER) == []
    (there,) = await editor.edit("blocks.dg", BLOCKS.replace("conv(kernel = kernel) |>", "cnv |>"))
    assert editor.text_at(editor.uri("blocks.dg"), there.range) == "cnv"
    (here,) = await editor.published("user.dg")
    assert here.code == "DG0201"
    (related, *_) = here.related_information or ()
    assert editor.text_at(related.location.uri, related.location.range) == "cnv"
    editor.send("blocks.dg", BLOCKS)
    assert await editor.published("user.dg") == []


async def test_an_import_that_appears(editor: Editor) -> None:
    (found,) = await editor.open("user.dg", USER)
    assert found.code == "DG0204"
    await editor.open("blocks.dg", BLOCKS)
    assert await editor.published("user.dg") == []


async def test_closed_file_is_read_from_disk(editor: Editor) -> None:
    (editor.folder / "blocks.dg").write_text(BLOCKS)
    await editor.open("blocks.dg", "")
    (found, *_) = await editor.open("user.dg", USER)
    assert found.code == "DG0201"
    editor.close("blocks.dg")
    assert await editor.published("user.dg") == []


async def test_a_change_on_disk_is_noticed(editor: Editor) -> None:
    (editor.folder / "blocks.dg").write_text(BLOCKS)
    assert await editor.open("user.dg", USER) == []
    (editor.folder / "blocks.dg").write_text(BLOCKS.replace("twice", "thrice"))
    change = lsp.FileEvent(editor.uri("blocks.dg"), lsp.FileChangeType.Changed)
    editor.client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([change]))
    (found,) = await editor.published("user.dg")
    assert found.code == "DG0201"


async def test_document_that_is_not_on_disk(editor: Editor) -> None:
    found = await editor.open_at("untitled:Untitled-1", NET.replace("via gate", "via gat"))
    assert "DG0206" in [one.code for one in found]
