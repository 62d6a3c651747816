"""Names of a net that Python, torch or the emitted text itself would take for something else."""

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
SURPRISING = [
    *("torch", "nn", "Tensor", "F", "Module", "Steps", "Modules", "conv", "masked", "gate"),
    *("self", "super", "x", "routes", "return_routes", "values", "weights", "alive", "row", "key"),
    *("forward", "train", "class", "lambda", "None", "print", "dict", "len", "list", "zip"),
    *("_", "__", "_private", "__mangled", "__init__", "größe", "\ufb01ne", "routers", "edges"),
    *("append", "keys", "items", "outputs", "annotations", "match", "e1", "NET", "index_"),
]


@pytest.mark.parametrize("name", SURPRISING)
def test_surprising_name(name: str) -> None:
    """The name stands everywhere at once, so that it also collides with itself."""
    places = [[place] for place in ("router", "block", "net", "input", "node", "stage", "inner")]
    nets = [_net({**USUAL, **dict.fromkeys(chosen, name)}) for chosen in places]
    nets.append(_net({**USUAL, **dict.fromkeys(("router", "net", "node", "inner"), name)}))
    for text in {emit_source(net) for net in nets if net is not None}:
        compile(text, "model.py", "exec")
    whole = next((net for net in reversed(nets) if net is not None), None)
    if whole is not None:
        assert_same(whole)


def _net(names: dict[str, str]) -> Net | None:
    """The net with these names, or None where the language does not allow them."""
    try:
        return dagdsl.loads(TEMPLATE.format(**names))
    except dagdsl.InvalidSource:
        return None


@pytest.mark.parametrize(
    "name",
    ['"""', "a b", "x\nimport os", "a.b", "", "n[0]; import os", "x[1][2]", "os.system('x')"],
)
@pytest.mark.parametrize("place", ["stem", "s1", "cell", "gate_in", "last"])
def test_a_name_that_is_none_is_refused(name: str, place: str) -> None:
    net = dagdsl.loads(TEMPLATE.format(**USUAL))
    text = net.to_json().replace(f'"{place}"', json.dumps(name))
    with pytest.raises(ValueError, match="is no name"):
        emit_source(Net.from_json(text))


def test_text_that_is_not_checked_stays_text() -> None:
    """The net's name, its settings and the names of its outputs go into strings and comments."""
    evil = '"""\nraise SystemExit\n\\N{BULLET}\\'
    content = json.loads(dagdsl.loads(TEMPLATE.format(**USUAL)).to_json())
    content["name"] = evil
    content["settings"] = {evil: evil}
    content["outputs"][0]["name"] = evil
    content["outputs"][1]["value"] = {evil: "twin"}
    assert_same(Net.from_json(json.dumps(content)))
