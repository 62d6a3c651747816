"""Hover texts."""

from __future__ import annotations

import pytest

import dagdsl
from dagdsl.analysis.cost import cost_of_node
from tests.lsp.editor import Editor
from tests.lsp.texts import BLOCKS, NET, USER

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_node_shows_its_shape_and_costs(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    net = dagdsl.loads(NET)
    stem = net.graph.node("stem")
    costs = cost_of_node(stem, net.graph)
    said = await editor.hover("net.dg", "node st^em")
    assert "node stem: conv(16 * width, kernel = 3) |> bn |> relu6" in said
    assert f"**16 x 32 x 32**, {costs.parameters:,} parameters, {costs.macs:,} MACs" in said
    # A reference shows the same as the declaration.
    assert await editor.hover("net.dg", "-> st^em ->") == said


async def test_a_node_array_and_a_stage(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    assert "**24 x 16 x 16**" in await editor.hover("net.dg", "node n^[2]")
    assert "each of 2" in await editor.hover("net.dg", "node n^[2]")
    said = await editor.hover("net.dg", "stage s^1")
    assert "stage s1" in said
    assert "**24 x 16 x 16**" in said


async def test_an_op(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    said = await editor.hover("net.dg", "co^nv(16")
    assert "conv(channels = in.channels, kernel = 3, stride = 1" in said
    assert "- `kernel`: side of the square kernel (int, 1 to 255)" in said
    assert "Here: 3 x 32 x 32 → **16 x 32 x 32**, 432 parameters, 442,368 MACs" in said


async def test_an_op_in_a_router(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    assert "Here: 24 x 16 x 16 → **24**" in await editor.hover("net.dg", "= g^ap |> fc |>")


async def test_an_argument_of_an_op(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    assert "side of the square kernel" in await editor.hover("net.dg", "width, ker^nel")


async def test_a_param(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    said = await editor.hover("net.dg", "16 * wid^th")
    assert "param width: float = 1.0 in [0.5, 1.0]" in said
    assert "How wide it is." in said
    assert "Value: `1`" in said


async def test_a_router_and_a_block(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    said = await editor.hover("net.dg", "via ga^te")
    assert "router gate(tau)" in said
    assert "Weighs the edges.\nCloses weak ones." in said
    said = await editor.hover("net.dg", "mobile.inverted^_residual")
    assert "block inverted_residual(channels = in.channels, expand = 6" in said
    assert "Pointwise expansion" in said
    assert "**24 x 16 x 16**" in said


async def test_an_argument_of_a_net(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    assert "Value: `10`" in await editor.hover("net.dg", "fc(class^es)")


async def test_a_broken_file_still_has_shapes(editor: Editor) -> None:
    await editor.open("net.dg", NET.replace("node logits: gap", "node logits: gap |> conv"))
    assert "**16 x 32 x 32**" in await editor.hover("net.dg", "node st^em")
    # Shapes hidden by the error are those of the last version without errors.
    await editor.edit("net.dg", NET)
    await editor.edit("net.dg", NET.replace("conv(16 * width", "conv(16 * widh"))
    assert "**24 x 16 x 16**" in await editor.hover("net.dg", "node d^:")


async def test_block_of_another_file(editor: Editor) -> None:
    await editor.open("blocks.dg", BLOCKS)
    await editor.open("user.dg", USER)
    said = await editor.hover("user.dg", "b.tw^ice")
    assert "Twice a convolution." in said
    assert "Here: 3 x 8 x 8 → **3 x 8 x 8**, 450 parameters" in said


async def test_no_hover_without_a_name(editor: Editor) -> None:
    await editor.open("net.dg", NET)
    assert await editor.hover("net.dg", "edition ^1") == ""
    assert await editor.hover("net.dg", "no^de logits") == ""
