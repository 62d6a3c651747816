"""Names in a net that mean something else to Python, torch or the emitted text."""

from __future__ import annotations

import json

import pytest

import dagdsl
from dagdsl.ir.nodes import Net
from dagdsl_compiler.emit import emit_source
from tests.emit.emitted import assert_same

TEMPLATE = """
router {router} = gap |> fc |> sigmoid |> threshold(0.3)
block {block} = conv |> bn |> relu
net {net} {{
  input {input}: f32[3, 8, 8]
  node {node}: conv(4)
  stage {stage} {{
    node n[3]: {block}
    node {inner}: {block} |> conv
    connect complete via {router}
  }}
  stage twin {{
    node n[3]: {block}
    node {inner}: {block} |> conv
    connect complete via {router}
  }}
  {input} -> {node} -> {stage} -> twin
  output {node}
  output twin {{ {inner} = {stage}, {block} = twin }}
}}
"""
USUAL = {
    "router": "gate",
    "block": "cell",
    "net": "Net",
    "input": "image",
    "node": "stem",
    "stage": "s1",
    "inner": "last",
}
PLACES = [("router", "node", "inner"), ("net", "stage"), ("block",), ("input",)]
SHADOWING = ("torch", "self")
SURPRISING = [
    *("torch", "nn", "Tensor", "Steps", "Modules", "close"),
    *(
        "self",
        "super",
        "x",
        "routes",
        "return_routes",
        "values",
        "weights",
        "row",
        "key",
        "incoming",
    ),
    *("forward", "train", "class", "len"),
    *("_private", "__mangled", "__init__", "routers", "edges"),
    *("keys", "outputs", "annotations", "NET", "index_"),
]


@pytest.mark.parametrize("name", SURPRISING)
def test_surprising_name(name: str) -> None:
    """Use the name in several places at once, so that it also collides with itself."""
    for places in PLACES[: 3 if name in SHADOWING else 4]:
        names = {**USUAL, **dict.fromkeys(places, name)}
        assert_same(dagdsl.loads(TEMPLATE.format(**names)), modes=(False,))


@pytest.mark.parametrize("name", SHADOWING)
def test_surprising_input(name: str) -> None:
    assert_same(dagdsl.loads(TEMPLATE.format(**{**USUAL, "input": name})), modes=(False,))


@pytest.mark.parametrize(
    "name",
    ['"""', "a b", "x\nimport os", "a.b", "", "n[0]; import os", "x[1][2]", "os.system('x')"],
)
@pytest.mark.parametrize("place", ["stem", "s1", "cell", "gate_in", "last"])
def test_invalid_name_is_rejected(name: str, place: str) -> None:
    net = dagdsl.loads(TEMPLATE.format(**USUAL))
    text = net.to_json().replace(f'"{place}"', json.dumps(name))
    with pytest.raises(ValueError, match="is not a valid name"):
        emit_source(Net.from_json(text))


def test_unchecked_text_cannot_become_code() -> None:
    """The names of the net and its outputs, and its settings, appear in strings and docstrings."""
    evil = '"""\nraise SystemExit\n\\N{BULLET}\\'
    content = json.loads(dagdsl.loads(TEMPLATE.format(**USUAL)).to_json())
    content["name"] = evil
    content["settings"] = {evil: evil}
    content["outputs"][0]["name"] = evil
    content["outputs"][1]["value"] = {evil: "twin"}
    assert_same(Net.from_json(json.dumps(content)))
