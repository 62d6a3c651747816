"""Completion items at a position."""

from __future__ import annotations

import pytest

from tests.lsp.editor import Editor
from tests.lsp.texts import BLOCKS, NET, USER

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Name: (replaced text, text up to the cursor, items that must be offered, items that must not).
CASES = {
    "an op": ("bn |> relu6", "bn |> ^", ["conv", "relu", "ir"], ["gate", "threshold", "width"]),
    "half an op": ("bn |> relu6", "bn |> re^", ["relu", "relu6"], ["gate"]),
    "a merge": ("node d: dwconv(5)", "node d: ^", ["concat", "conv", "mobile.separable"], ["stem"]),
    "a router": ("via gate(tau)\n", "via ^\n", ["gate", "sigmoid"], ["stem", "n"]),
    "in a router": ("fc |> sigmoid", "fc |> ^", ["sigmoid", "threshold", "fc"], ["width"]),
    "a pattern": ("in -> n, d via gate(tau)", "connect ^", ["complete", "chain", "half"], ["conv"]),
    "a merge of a stage": ("stride = 2", "merge = ^", ["mean", "concat"], ["conv", "half"]),
    "an entry": ("stride = 2", "entry = ^", ["conv", "ir"], ["half", "concat"]),
    "a node": ("in -> n, d via", "in -> ^ via", ["n", "d", "out"], ["stem", "s1", "conv"]),
    "a node of the net": ("image -> stem", "image -> ^", ["stem", "s1", "logits"], ["n", "out"]),
    "an output": ("output logits", "output ^", ["logits", "s1", "stem"], ["out", "conv"]),
    "a tap": ("p3 = s1", "p3 = ^", ["s1", "stem"], ["conv"]),
    "an argument": ("dwconv(5)", "dwconv(^", ["kernel", "stride", "half", "tau"], ["conv"]),
    "another argument": (
        "dwconv(5)",
        "dwconv(5, bias = true, ^",
        ["stride", "dilation"],
        ["kernel", "bias"],
    ),
    "a value": ("kernel = 3) |> bn", "kernel = ^) |> bn", ["width", "classes", "round"], ["stem"]),
    "a choice": ("threshold(tau)", "threshold(tau, train = ^)", ['"soft"', '"hard"'], []),
    "a choice in quotes": ("threshold(tau)", 'threshold(tau, train = "^")', ["soft", "hard"], []),
    "true or false": ("dwconv(5)", "dwconv(bias = ^", ["true", "false"], []),
    "an argument of a block": ("2]: ir", "2]: ir(^", ["expand"], ["kernel"]),
    "a member": ("= mobile.inverted_residual", "= mobile.^", ["inverted_residual"], ["conv"]),
    "a port": ("channels = 2 * half", "channels = in.^", ["channels", "height"], ["half"]),
    "a local constant": ("channels = 2 * half", "channels = 2 * ^", ["half", "width"], ["n"]),
    "a path": ('"std/mobile.dg"', '"std/|', ["mobile.dg", "resnet.dg"], ["std/"]),
    "an empty path": ('"std/mobile.dg"', '"|', ["std/"], ["mobile.dg"]),
    "a declaration": ("edition 1\n", "edition 1\n^", ["import", "param", "net"], ["node", "via"]),
    "a statement": (
        "    stride = 2\n",
        "    ^",
        ["node", "connect", "n", "stride"],
        ["net", "stage"],
    ),
    "a statement of a net": (
        "  half = 12\n",
        "  ^\n",
        ["node", "stage", "output"],
        ["connect", "net"],
    ),
    "how a wire goes on": ("n, d -> out\n", "n, d -> out ^\n", ["via", "through"], ["node"]),
    "a domain": ("= 0.1 in 0.0..0.5", "= 0.1 ^", ["in"], ["via"]),
    "a type": ("param tau: float", "param tau: ^", ["float", "int", "bool", "str"], ["conv"]),
    "the type of an input": ("image: f32", "image: ^", ["f32"], ["int"]),
    "a new name": ("node logits", "node lo^", [], ["logits", "conv"]),
    "a comment": ("# How wide it is.", "# How ^", [], ["conv", "node"]),
}


@pytest.mark.parametrize("case", CASES)
async def test_completion(editor: Editor, case: str) -> None:
    old, new, wanted, unwanted = CASES[case]
    assert NET.count(old) == 1
    before, _, after = new.partition("^")
    await editor.open("net.dg", NET.replace(old, before + after))
    at = NET.index(old) + len(before)
    items = await editor.items_at("net.dg", at)
    labels = [item.label for item in items]
    assert not set(wanted) - set(labels), labels
    assert not set(unwanted) & set(labels), labels
    inserted = [(item.label, item.insert_text) for item in items]
    assert len(inserted) == len(set(inserted)), "no item is offered twice"


async def test_items_are_documented(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    items = {item.label: item for item in await editor.items("net.dg", "f^c(classes)")}
    assert items["conv"].detail is not None
    assert items["conv"].detail.startswith("conv(channels = in.channels")
    assert items["ir"].detail == "block ir(expand = 6)"


async def test_members_of_an_unsaved_file(editor: Editor) -> None:
    await editor.open("blocks.dg", BLOCKS)
    await editor.open("user.dg", USER.replace("b.twice(kernel = 5)", "b."))
    assert await editor.complete("user.dg", "a: b.^") == ["twice"]
    await editor.edit("user.dg", USER.replace("b.twice(kernel = 5)", "b.twice("))
    assert (await editor.complete("user.dg", "b.twice(^"))[0] == "kernel"
    await editor.edit("user.dg", USER.replace("b.twice(kernel = 5)", ""))
    assert "b.twice" in await editor.complete("user.dg", "node a: ^")


async def test_at_the_end_of_an_unfinished_file(editor: Editor) -> None:
    text = NET[: NET.index("  output logits")]
    await editor.open("net.dg", text + "  output ")
    assert {"stem", "s1", "logits"} <= set(await editor.complete("net.dg", "  output ^"))
