"""Each pass on a small graph, before and after; and the faults that the verifier finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from torch import fx, nn

from dagdsl.ir.paths import paths_of
from dagdsl.source import Origin, SourceFile, Span
from dagdsl_compiler.blocks.route import Constant
from dagdsl_compiler.lower.graph import lower
from dagdsl_compiler.lower.modules import build_modules
from dagdsl_compiler.lower.writer import IR, ORIGIN, Provenance, Writer
from dagdsl_compiler.passes.base import Pass, dump
from dagdsl_compiler.passes.common import CommonSubexpressions
from dagdsl_compiler.passes.dead_code import DeadCode
from dagdsl_compiler.passes.merges import SimplifyMerges
from dagdsl_compiler.passes.pipeline import PIPELINE, run_passes
from dagdsl_compiler.passes.verify import VerifyError
from dagdsl_compiler.runtime import aggregate, liveness
from tests.compiler.nets import complete, net_of

HERE = Provenance("here", None)


class Drawing:
    """A writer that needs no provenance."""

    def __init__(self) -> None:
        self.write = Writer()

    def input(self, name: str) -> fx.Node:
        return self.write.input(name, HERE)

    def call(self, name: str, function: Any, *args: Any, **kwargs: Any) -> fx.Node:
        return self.write.call(name, HERE, function, *args, **kwargs)

    def done(self, result: Any, **modules: nn.Module) -> fx.GraphModule:
        self.write.output(result, HERE)
        return fx.GraphModule(nn.ModuleDict(modules), self.write.graph)


def text(module: fx.GraphModule) -> list[str]:
    return [line.split("#")[0].rstrip() for line in dump(module).splitlines()]


def after(step: Pass, module: fx.GraphModule) -> list[str]:
    run_passes(module, passes=(step,))
    return text(module)


def test_dead_code() -> None:
    d = Drawing()
    x, _ = d.input("x"), d.input("unused")
    y = d.call("y", torch.relu, x)
    d.call("b", torch.relu, d.call("a", torch.relu, x))
    d.write.module("bn", HERE, "bn", y)
    module = d.done(y, bn=nn.BatchNorm2d(2))
    assert len(text(module)) == 7
    assert after(DeadCode(), module) == ["x = input", "unused = input", "y = relu(x)", "return y"]


def test_common_subexpressions() -> None:
    d = Drawing()
    x = d.input("x")
    means = [d.call(name, torch.mean, x, dim=(2, 3)) for name in ("first", "second")]
    other = d.call("other", torch.mean, x, dim=(2,))
    drops = [d.write.module(name, HERE, "drop", means[1]) for name in ("drop_1", "drop_2")]
    lists = [d.call(name, liveness.any_open, [x, m]) for name, m in zip("ab", means, strict=True)]
    assert after(CommonSubexpressions(), d.done([*drops, *lists, other], drop=nn.Dropout())) == [
        "x = input",
        "first = mean(x, dim=(2, 3))",
        "other = mean(x, dim=(2,))",
        "drop_1 = drop(first)",
        "drop_2 = drop(first)",
        "a = any_open([x, first])",
        "return [drop_1, drop_2, a, a, other]",
    ]


def test_equal_numbers_of_different_types_are_different_arguments() -> None:
    d = Drawing()
    x = d.input("x")
    results = [d.call("y", torch.mul, x, number) for number in (1, 1.0, True, 1)]
    assert len(after(CommonSubexpressions(), d.done(results))) == 5


def test_the_merge_of_one_edge_is_that_edge() -> None:
    for merge in (aggregate.weighted_sum, aggregate.concat, aggregate.product):
        d = Drawing()
        x, w = d.input("x"), d.input("w")
        alone = d.call("alone", merge, [x], [None])
        weighted = d.call("weighted", merge, [alone], [w])
        lines = after(SimplifyMerges(), d.done(weighted))
        assert f"weighted = {merge.__name__}([x], [w])" in lines


def test_a_value_masked_like_its_weight() -> None:
    d = Drawing()
    x, w, alive, other = (d.input(name) for name in ("x", "w", "alive", "other"))
    y = d.call("y", liveness.masked, x, alive)
    g = d.call("g", liveness.masked, w, alive)
    h = d.call("h", liveness.masked, w, other)
    merged = d.call("merged", aggregate.weighted_sum, [y, y, y, x, y], [g, alive, h, g, w])
    assert after(SimplifyMerges(), d.done(merged))[-2] == (
        "merged = weighted_sum([y, y, y, x, y], [w, None, h, g, w])"
    )


@pytest.mark.parametrize(("value", "weight"), [(1.0, "None"), (0.5, "w")])
def test_constant_weights(value: float, weight: str) -> None:
    d = Drawing()
    x = d.input("x")
    constant = d.write.module("constant", HERE, "constant")
    w = d.write.item("w", HERE, d.call("ws", torch.unbind, constant, 1), 0)
    merged = d.call("merged", aggregate.weighted_sum, [x, x], [None, w])
    lines = after(SimplifyMerges(), d.done(merged, constant=Constant(1, value)))
    assert lines[-2] == f"merged = weighted_sum([x, x], [None, {weight}])"


@dataclass(frozen=True)
class Forgetful:
    name: ClassVar[str] = "forgetful"

    def run(self, module: fx.GraphModule) -> None:
        output = module.graph.output_node()
        with module.graph.inserting_before(output):
            output.args = (module.graph.call_function(torch.relu, output.args),)


@dataclass(frozen=True)
class Doubling:
    name: ClassVar[str] = "doubling"

    def run(self, module: fx.GraphModule) -> None:
        output = module.graph.output_node()
        output.args = ([output.args[0], output.args[0]],)


@pytest.mark.parametrize("step", [Forgetful(), Doubling()])
def test_the_verifier_names_the_pass(step: Pass) -> None:
    d = Drawing()
    module = d.done(d.call("y", torch.relu, d.input("x")))
    with pytest.raises(VerifyError, match=f"after {step.name}: "):
        run_passes(module, passes=(step,))


def test_a_router_shares_the_average_of_its_node_with_others() -> None:
    graph = complete(2, reads="stage")
    twin = graph.routers[0].replace(name="twin")
    edges = tuple(
        e.replace(gate=e.gate.replace(router="twin")) if e.gate and e.target == "out" else e
        for e in graph.edges
    )
    graph = graph.replace(routers=(*graph.routers, twin), edges=edges)
    net = net_of(graph)
    names = paths_of(net)
    module = lower(net, names, build_modules(net, names), routes=False)
    seen: list[tuple[str, int]] = []
    run_passes(module, lambda name, m: seen.append((name, dump(m).count("= mean("))))
    assert dict(seen[:2]) == {"lower": 3, "common_subexpressions": 2}
    assert seen[-1][1] == 2


def test_unrequested_routes_cost_nothing() -> None:
    net = net_of(complete(2))
    names = paths_of(net)
    module = lower(net, names, build_modules(net, names), routes=False)
    run_passes(module)
    lines = "\n".join(text(module))
    assert "adjacency" not in lines
    assert "unbind(s1_routers_gate_in_sigmoid" not in lines  # weights from before the threshold
    assert len({step.name for step in PIPELINE}) == len(PIPELINE)


@pytest.mark.parametrize("routes", [False, True])
def test_every_node_has_provenance(routes: bool) -> None:
    origin = Origin(Span(SourceFile("a.dg", "conv"), 0, 4))
    net = net_of(complete(2, dead="keep_strongest"))
    nodes = tuple(
        node.replace(steps=(node.steps[0].at(origin), *node.steps[1:]))
        if node.name == "stem"
        else node
        for node in net.graph.nodes
    )
    net = net.replace(graph=net.graph.replace(nodes=nodes))
    names = paths_of(net)
    module = lower(net, names, build_modules(net, names), routes=routes)
    run_passes(module)
    places = {node.name: (node.meta[IR], node.meta[ORIGIN]) for node in module.graph.nodes}
    assert places["stem_conv"] == ("stem.conv", origin)
    assert places["s1_n_0_cell_bn"] == ("s1.n[0].cell.bn", None)
    assert places["s1_routers_gate_n_1_fc"][0] == "s1.routers.gate_n_1.fc"
    assert places["s1_in_to_out_kept"][0] == "s1: in -> out"
    assert all(ir for ir, _ in places.values())
