"""Each pass on a minimal net: its changes to the graph, and its remarks.

`- ` marks lines of the graph before the pass, `+ ` lines of the graph after it.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
import torch
from torch import fx

import dagdsl
from dagdsl.ir.nodes import Net
from dagdsl_compiler.driver import compile, explain
from dagdsl_compiler.inference import Mode
from dagdsl_compiler.lower.pins import Pins
from dagdsl_compiler.passes.base import dump
from dagdsl_compiler.passes.pipeline import evaluation, training
from tests.conftest import Golden

HERE = Path(__file__).parent / "golden"

MODES: dict[str, Mode] = {
    "branch_regions": "branch",
    "checkpoint_stages": "dense",
    "common_subexpressions": "dense",
    "compose_takes": "grouped",
    "dead_code": "dense",
    "evaluation_only": "static",
    "fold_batch_norm": "static",
    "fold_constants": "static",
    "group_regions": "grouped",
    "keep_regions": "static",
    "merge_linears": "static",
    "order_for_memory": "static",
    "pack_convolutions": "grouped",
    "simplify_liveness": "dense",
    "simplify_merges": "dense",
    "unmask_values": "dense",
    "decompose_small_linears": "grouped",
}
"""Pass -> a mode in which it runs."""


def graphs(net: Net, mode: Mode, pins: Pins | None = None) -> tuple[dict[str, str], fx.GraphModule]:
    """Step -> the graph after its first run; and the final graph."""
    found: dict[str, str] = {}

    def keep(name: str, module: fx.GraphModule) -> None:
        found.setdefault(name, dump(module))

    # The model is never called, so it is never compiled.
    backend = "inductor" if mode in ("branch", "grouped") else "eager"
    checkpoint = [stage.name for stage in net.stages] if mode == "dense" else []
    model = compile(
        net, mode=mode, pins=pins, backend=backend, seed=0, checkpoint=checkpoint, on_pass=keep
    )
    return found, model.graph


def changes(before: str, after: str) -> str:
    """The differences between two graphs. Comments are not aligned, to keep the lines stable."""
    one, other = (
        [" # ".join(map(str.rstrip, line.split("  # "))) for line in graph.splitlines()]
        for graph in (before, after)
    )
    found = difflib.ndiff(one, other)
    return "".join(f"{line.rstrip()}\n" for line in found if not line.startswith("?"))


def said(module: fx.GraphModule, step: str) -> str:
    return str(next(found for found in explain(module) if found.name == step))


@pytest.mark.parametrize("name", MODES)
def test_a_pass(name: str, golden: Golden) -> None:
    found, module = graphs(dagdsl.load(HERE / f"{name}.dg"), MODES[name])
    names = list(found)
    before, after = found[names[names.index(name) - 1]], found[name]
    assert before != after or "+" not in said(module, name)
    golden(HERE / f"{name}.txt", f"{changes(before, after)}\n{said(module, name)}\n")


def test_dead_nodes_and_edges(golden: Golden) -> None:
    """Dead parts are never lowered: only the IR tells how a dead node affects others."""
    net = dagdsl.load(HERE / "lower.dg")
    before, _ = graphs(net, "static")
    after, module = graphs(net, "static", {"x -> a": False, "x -> b": True})
    changed = changes(before["lower"], after["lower"])
    golden(HERE / "lower.txt", f"{changed}\n{said(module, 'lower')}\n")


def test_threshold_and_sum(golden: Golden) -> None:
    """Between a router and the sums is one threshold, and nothing is computed edge by edge."""
    _, module = graphs(dagdsl.load(HERE / "threshold_and_sum.dg"), "static")
    golden(HERE / "threshold_and_sum.txt", dump(module))


def test_every_pass_has_a_golden() -> None:
    pipelines = (
        training(("s",)),
        evaluation(),
        evaluation(None, generated=True, packed=True),
        evaluation(None, single=True),
    )
    assert {step.name for passes in pipelines for step in passes} == MODES.keys()


@pytest.mark.parametrize("name", [name for name, mode in MODES.items() if mode != "dense"])
def test_results_stay_the_same(name: str) -> None:
    net, mode = dagdsl.load(HERE / f"{name}.dg"), MODES[name]
    plain = compile(net, backend="eager", seed=0).eval()
    model = compile(net, mode=mode, backend="eager", seed=0)
    for scale in (1.0, 10.0):
        x = scale * torch.randn(1 if mode == "branch" else 6, *net.inputs[0].shape)
        torch.testing.assert_close(model(x), plain(x))
