from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from dagdsl.ir.nodes import Net
from dagdsl.viz import facts
from dagdsl.viz.dot import to_dot
from dagdsl.viz.formats import FORMATS, draw
from dagdsl.viz.mermaid import to_mermaid
from tests.viz import nets

HOSTILE = ["<b>", '"]; x --> y', "\\N\\", "\nend", "%%{init: {}}%%", "`**`", "#quot;", "|x|", "\0"]


def edges_and_taps(net: Net) -> tuple[int, int]:
    """Return the number of lines to draw, and the number of gated ones."""
    edges = [edge for graph in nets.graphs(net) for edge in graph.edges]
    return len(edges) + len(facts.taps(net)), sum(edge.gate is not None for edge in edges)


@pytest.mark.parametrize("net", [nets.dgnet(5, 8), nets.branches(), nets.merges()])
def test_every_edge_is_drawn_once(net: Net) -> None:
    lines, gated = edges_and_taps(net)
    dot, mermaid = to_dot(net), to_mermaid(net)
    assert len(re.findall(r"^  \w+ -> \w+", dot, re.MULTILINE)) == lines
    assert dot.count('style="dashed"') == gated
    assert len(re.findall(r"^  \w+ -->", mermaid, re.MULTILINE)) == lines - gated
    assert len(re.findall(r"^  \w+ -\.->", mermaid, re.MULTILINE)) == gated


@pytest.mark.parametrize("text", HOSTILE)
def test_names_change_nothing_but_labels(text: str) -> None:
    """Without its quoted strings, a drawing does not depend on the names."""
    for write, quoted in ((to_dot, r'"(\\.|[^"\\])*"'), (to_mermaid, r'"[^"\n]*"')):
        bare, spoilt = (re.sub(quoted, "", write(n)) for n in (nets.merges(), nets.hostile(text)))
        assert bare == spoilt


@pytest.mark.parametrize("text", HOSTILE)
def test_mermaid_labels_hold_no_markup(text: str) -> None:
    for label in re.findall(r'"([^"\n]*)"', to_mermaid(nets.hostile(text))):
        assert not re.search(r"[<>`|{}%\\]", label.replace("<br/>", ""))


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("text", ["", *HOSTILE])
def test_graphviz_accepts_it(text: str) -> None:
    done = subprocess.run(
        ["dot", "-Tplain"], input=to_dot(nets.hostile(text)), capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_suffix_selects_the_format() -> None:
    net = nets.static()
    assert draw(net, ".svg").startswith("<svg ")
    assert draw(net, "DOT").startswith("digraph ")
    assert draw(net, "mmd").startswith("flowchart ")
    with pytest.raises(KeyError):
        draw(net, ".png")
    assert set(FORMATS) == {".svg", ".dot", ".mmd"}
