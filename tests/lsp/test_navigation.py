"""Go to definition, find references, and rename."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from tests.lsp.editor import Editor
from tests.lsp.texts import BLOCKS, NET, USER

pytestmark = pytest.mark.asyncio(loop_scope="module")


def line_of(text: str, part: str) -> int:
    assert text.count(part) == 1
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("place", "declared"),
    [
        ("16 * wid^th", "param width"),
        ("via ga^te", "router gate"),
        ("[2]: i^r", "block ir"),
        ("2 * ha^lf", "half = 12"),
        ("in -> ^n, d", "node n[2]"),
        ("p3 = s^1", "stage s1"),
        ("output lo^gits", "node logits"),
        ("fc(clas^ses)", "net Small"),
        ("expand = exp^and", "block ir"),
        ("= mob^ile.inv", "import"),
        ("threshold(ta^u)", "router gate"),
    ],
)
async def test_definition(editor: Editor, place: str, declared: str) -> None:
    await editor.open("net.dg", NET)
    assert await editor.definition("net.dg", place) == ("net.dg", line_of(NET, declared))


async def test_definition_in_another_file(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    found = await editor.definition("net.dg", "mobile.inv^erted")
    assert found is not None
    assert found[0] == "mobile.dg"
    assert await editor.definition("net.dg", '"std/mob^ile') == ("mobile.dg", 1)
    await editor.open("blocks.dg", BLOCKS)
    await editor.open("user.dg", USER)
    assert await editor.definition("user.dg", "twice(ker^nel") == ("blocks.dg", 2)


async def test_builtin_has_no_definition(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    assert await editor.definition("net.dg", "co^nv(16") is None


async def test_references(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    lines = [line_of(NET, part) for part in ("stage s1", "-> s1 ->", "p3 = s1")]
    assert await editor.references("net.dg", "stage s^1") == [("net.dg", line) for line in lines]
    assert await editor.references("net.dg", "p3 = s^1") == [("net.dg", line) for line in lines]


async def test_references_across_files_open_and_not(editor: Editor) -> None:
    (editor.folder / "closed.dg").write_text(USER)
    await editor.open("blocks.dg", BLOCKS)
    await editor.open("user.dg", USER)
    places = [("blocks.dg", 2), ("closed.dg", 5), ("user.dg", 5)]
    assert await editor.references("blocks.dg", "tw^ice(") == places
    assert await editor.references("user.dg", "tw^ice(") == places
    kernels = [("blocks.dg", 2)] * 3 + [("closed.dg", 5), ("user.dg", 5)]
    assert await editor.references("blocks.dg", "(ker^nel = 3") == kernels


async def test_references_into_the_standard_library(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    files = {file for file, _ in await editor.references("net.dg", "mobile.inverted^_res")}
    assert {"net.dg", "mobile.dg"} <= files


async def test_highlights_stay_in_the_file(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    answer = await editor.client.text_document_document_highlight_async(
        lsp.DocumentHighlightParams(*editor.at("net.dg", "ha^lf = 12"))
    )
    assert answer is not None
    assert [editor.text_at(editor.uri("net.dg"), one.range) for one in answer] == ["half"] * 2


async def test_rename(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    renamed = await editor.rename("net.dg", "-> st^em ->", "root")
    assert renamed == {"net.dg": NET.replace("stem", "root")}


async def test_rename_leaves_other_declarations_of_the_same_name_alone(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    # Only the argument of the router is renamed, not the param of the same name.
    renamed = await editor.rename("net.dg", "gate(ta^u) = gap", "limit")
    assert renamed == {
        "net.dg": NET.replace("gate(tau) =", "gate(limit) =").replace(
            "threshold(tau)", "threshold(limit)"
        )
    }


async def test_rename_across_files(editor: Editor) -> None:
    await editor.open("blocks.dg", BLOCKS)
    await editor.open("user.dg", USER)
    assert await editor.rename("user.dg", "b.tw^ice", "double") == {
        "blocks.dg": BLOCKS.replace("twice", "double"),
        "user.dg": USER.replace("twice", "double"),
    }
    assert await editor.rename("blocks.dg", "twice(ker^nel", "size") == {
        "blocks.dg": "# Twice a convolution.\n"
        "block twice(size = 3) = conv(kernel = size) |> conv(kernel = size)\n",
        "user.dg": USER.replace("kernel", "size"),
    }


async def test_rename_of_an_import(editor: Editor) -> None:
    await editor.open("blocks.dg", BLOCKS)
    await editor.open("user.dg", USER)
    assert await editor.rename("user.dg", "as ^b", "lib") == {
        "user.dg": USER.replace("as b", "as lib").replace("b.twice", "lib.twice")
    }
    bare = USER.replace(" as b", "").replace("b.twice", "blocks.twice")
    await editor.edit("user.dg", bare)
    assert await editor.rename("user.dg", "blo^cks.twice", "lib") == {
        "user.dg": USER.replace("as b", "as lib").replace("b.twice", "lib.twice")
    }


@pytest.mark.parametrize(
    ("place", "new", "why"),
    [
        ("co^nv(16", "x", "`conv` is part of the language"),
        ("mobile.inverted^_res", "x", "belongs to the standard library"),
        ("chan^nels = 2", "x", "is an attribute defined by the language"),
        ("node st^em", "node", "`node` is a keyword"),
        ("node st^em", "2x", "`2x` is not a valid name"),
        ("node st^em", "s1", "`s1` is already used for something else"),
        ("ha^lf = 12", "width", "`width` is already used for something else"),
        ("gate(ta^u) = gap", "width", ""),
        ("param wid^th", "half", "`half` is already used for something else"),
        ("block i^r", "conv", "`conv` is already used for something else"),
        ("edition ^1", "x", "there is no name here"),
    ],
)
async def test_rename_is_refused(editor: Editor, place: str, new: str, why: str) -> None:
    await editor.open("net.dg", NET)
    if not why:  # it hides a param that the router does not use: no name changes its meaning
        await editor.rename("net.dg", place, new)
        return
    with pytest.raises(JsonRpcException, match=why):
        await editor.rename("net.dg", place, new)


async def test_prepare_rename(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    where = await editor.client.text_document_prepare_rename_async(
        lsp.PrepareRenameParams(*editor.at("net.dg", "2 * ha^lf"))
    )
    assert isinstance(where, lsp.Range)
    assert editor.text_at(editor.uri("net.dg"), where) == "half"
    with pytest.raises(JsonRpcException, match="part of the language"):
        await editor.client.text_document_prepare_rename_async(
            lsp.PrepareRenameParams(*editor.at("net.dg", "co^nv(16"))
        )
