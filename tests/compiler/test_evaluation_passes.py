"""Each pass for evaluation on a small graph: before and after."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import fx, nn

from dagdsl_compiler.blocks.route import Learned
from dagdsl_compiler.lower.remarks import explain
from dagdsl_compiler.lower.writer import SHAPE
from dagdsl_compiler.passes.base import Pass
from dagdsl_compiler.passes.common import CommonSubexpressions
from dagdsl_compiler.passes.constants import FoldConstants
from dagdsl_compiler.passes.dead_code import DeadCode
from dagdsl_compiler.passes.evaluation import ChannelScale, EvaluationOnly, FoldBatchNorm
from dagdsl_compiler.passes.group import ComposeTakes, GroupRegions
from dagdsl_compiler.passes.linears import MergeLinears
from dagdsl_compiler.passes.merges import SimplifyMerges
from dagdsl_compiler.passes.order import OrderForMemory, peak
from dagdsl_compiler.passes.outline import BranchRegions
from dagdsl_compiler.passes.pipeline import run_passes
from dagdsl_compiler.passes.regions import KeepRegions
from dagdsl_compiler.runtime import aggregate, liveness, rows
from dagdsl_compiler.runtime.branch import Branch
from dagdsl_compiler.runtime.gate import SoftThreshold
from tests.compiler.test_passes import HERE, Drawing, after, text


def worn(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> nn.Module:
    """The normalisation in evaluation mode, with random statistics and weights."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    for tensor in (norm.weight.data, norm.bias.data, norm.running_mean):
        tensor.normal_()
    norm.running_var.uniform_(0.5, 2)
    return norm.eval()


def test_evaluation_only() -> None:
    d = Drawing()
    dropped = d.write.module("dropped", HERE, "drop", d.input("x"))
    opened = d.write.module("opened", HERE, "soft", dropped)
    module = d.done(opened, drop=nn.Dropout(), soft=SoftThreshold(0.3))
    assert text(module) == [
        "x = input",
        "dropped = drop(x)",
        "opened = soft(dropped)",
        "return opened",
    ]
    assert after(EvaluationOnly(), module) == [
        "x = input",
        "opened = above(x, 0.3)",
        "return opened",
    ]


def test_fold_batch_norm() -> None:
    d = Drawing()
    x = d.input("x")
    conv = d.write.module("conv", HERE, "conv", x)
    y = d.call("y", torch.relu, d.write.module("bn", HERE, "bn", conv))
    flat = d.write.module("fc", HERE, "fc", d.call("gap", torch.mean, y, dim=(2, 3)))
    module = d.done(
        d.write.module("bn_2", HERE, "bn_2", flat),
        conv=nn.Conv2d(3, 4, 3, bias=False),
        bn=worn(nn.BatchNorm2d(4)),
        fc=nn.Linear(4, 5),
        bn_2=worn(nn.BatchNorm1d(5)),
    ).eval()
    image = torch.randn(2, 3, 6, 6)
    before = module(image)
    assert after(FoldBatchNorm(), module) == [
        "x = input",
        "conv = conv(x)",
        "y = relu(conv)",
        "gap = mean(y, dim=(2, 3))",
        "fc = fc(gap)",
        "return fc",
    ]
    torch.testing.assert_close(module(image), before)


def test_batch_norm_without_a_layer_of_its_own() -> None:
    d = Drawing()
    x = d.input("x")
    read_twice = d.write.module("conv", HERE, "conv", x)
    norms = [d.write.module(f"bn_{i}", HERE, f"bn_{i}", y) for i, y in enumerate([x, read_twice])]
    module = d.done(
        [*norms, read_twice],
        conv=nn.Conv2d(3, 3, 1),
        bn_0=worn(nn.BatchNorm2d(3)),
        bn_1=worn(nn.BatchNorm2d(3)),
    ).eval()
    image = torch.randn(2, 3, 4, 4)
    before = module(image)
    lines = text(module)
    assert after(FoldBatchNorm(), module) == lines
    assert isinstance(module.get_submodule("bn_0"), ChannelScale)
    torch.testing.assert_close(module(image), before)


def regions(*, nested: bool = False) -> fx.GraphModule:
    """`masked(relu(a * w + b), run)`, where `a` comes from another region."""
    d = Drawing()
    x, first, second, w = (d.input(name) for name in ("x", "first", "second", "w"))
    with d.write.region("one"):
        y = d.call("y", torch.relu, x)
        if nested:
            with d.write.region("inside"):
                z = d.call("z", torch.neg, y)
            y = d.call("inner", liveness.masked, z, second)
            y.meta[SHAPE] = (2, 3, 3)
    a = d.call("a", liveness.masked, y, first)
    a.meta[SHAPE] = (2, 3, 3)
    if nested:
        return d.done(a)
    with d.write.region("two"):
        merged = d.call("merged", aggregate.weighted_sum, [a, x], [w, None])
        b = d.call("b", torch.tanh, merged)
        mean = d.call("mean", torch.mean, b, dim=(2, 3))
    results = [d.call("c", liveness.masked, b, second), d.call("m", liveness.masked, mean, second)]
    for result, shape in zip(results, [(2, 3, 3), (2,)], strict=True):
        result.meta[SHAPE] = shape
    return d.done([a, *results])


def test_group_regions_and_compose_takes() -> None:
    module = regions()
    x, first, second = (
        torch.randn(4, 2, 3, 3),
        torch.tensor([True, True, False, False]),
        torch.zeros(4),
    )
    for chosen in (second.bool(), first, ~first, torch.tensor([True, False, True, False])):
        inputs = (x, first, chosen, torch.rand(4))
        module = regions()
        before = module(*inputs)
        after(GroupRegions(), module)
        torch.testing.assert_close(module(*inputs), before)
        after(ComposeTakes(), module)
        torch.testing.assert_close(module(*inputs), before)
    module = regions()
    grouped = after(GroupRegions(), module)
    assert grouped[4:10] == [
        "a_rows = rows(first)",
        "x_of_a = take(x, a_rows)",
        "y = relu(x_of_a)",
        "a_places = places(first)",
        "a_padded = with_zero(y)",
        "a_all = take(a_padded, a_places)",
    ]
    assert grouped[10:] == [
        "c_rows = rows(second)",
        "a_all_of_c = take(a_all, c_rows)",
        "x_of_c = take(x, c_rows)",
        "w_of_c = take(w, c_rows)",
        "merged = weighted_sum([a_all_of_c, x_of_c], [w_of_c, None])",
        "b = tanh(merged)",
        "mean = mean(b, dim=(2, 3))",
        "c_places = places(second)",
        "c_padded = with_zero(b)",
        "c_all = take(c_padded, c_places)",
        "m_places = places(second)",
        "m_padded = with_zero(mean)",
        "m_all = take(m_padded, m_places)",
        "return [a_all, c_all, m_all]",
    ]
    composed = after(ComposeTakes(), module)
    assert composed[11:13] == [
        "a_all_of_c_rows = take(a_places, c_rows)",
        "a_all_of_c = take(a_padded, a_all_of_c_rows)",
    ]


def test_a_region_inside_a_region() -> None:
    lines = after(GroupRegions(), regions(nested=True))
    assert lines[4:] == [
        "a_rows = rows(first)",
        "x_of_a = take(x, a_rows)",
        "second_of_a = take(second, a_rows)",
        "y = relu(x_of_a)",
        "inner_rows = rows(second_of_a)",
        "y_of_inner = take(y, inner_rows)",
        "z = neg(y_of_inner)",
        "inner_places = places(second_of_a)",
        "inner_padded = with_zero(z)",
        "inner_all = take(inner_padded, inner_places)",
        "a_places = places(first)",
        "a_padded = with_zero(inner_all)",
        "a_all = take(a_padded, a_places)",
        "return a_all",
    ]


def test_chosen_regions_only() -> None:
    one, two = regions(), regions()
    after(KeepRegions(frozenset({"one"})), one)
    assert "c = masked(b, second)" in after(GroupRegions(), one)
    after(KeepRegions(frozenset({"two"})), two)
    assert "a = masked(y, first)" in after(BranchRegions(), two)


def test_a_region_that_all_samples_need_or_none() -> None:
    d = Drawing()
    x = d.input("x")
    ws = d.write.module("ws", HERE, "ws")
    with d.write.region("one"):
        y = d.call("y", torch.relu, x)
    module = d.done(d.call("a", liveness.masked, y, ws), ws=nn.Identity())
    assert after(GroupRegions(), module)[-2:] == ["a = masked(y, ws)", "return a"]


def test_branch_regions() -> None:
    module = regions()
    for run in (True, False):
        inputs = (
            torch.randn(1, 2, 3, 3),
            torch.tensor([not run]),
            torch.tensor([run]),
            torch.rand(1),
        )
        module = regions()
        before = module(*inputs)
        lines = after(BranchRegions(), module)
        torch.testing.assert_close(module(*inputs), before)
    assert lines[4:] == [
        "a_branch = _branches.a(first, x)",
        "a_or_zero = getitem(a_branch, 0)",
        "c_branch = _branches.c(second, a_or_zero, x, w)",
        "c_or_zero = getitem(c_branch, 0)",
        "m_or_zero = getitem(c_branch, 1)",
        "return [a_or_zero, c_or_zero, m_or_zero]",
    ]
    branch = module.get_submodule("_branches.c")
    assert isinstance(branch, Branch)
    assert isinstance(branch.body, fx.GraphModule)
    assert text(branch.body)[3:] == [
        "merged = weighted_sum([a_or_zero, x], [w, None])",
        "b = tanh(merged)",
        "mean = mean(b, dim=(2, 3))",
        "return (b, mean)",
    ]


def test_a_branch_inside_a_branch() -> None:
    module = regions(nested=True)
    assert after(BranchRegions(), module)[4:] == [
        "a_branch = _branches.a(first, x, second)",
        "a_or_zero = getitem(a_branch, 0)",
        "return a_or_zero",
    ]
    body = module.get_submodule("_branches.a.body")
    assert isinstance(body, fx.GraphModule)
    assert "inner_branch = _branches.inner(second, y)" in text(body)


def test_equal_values_in_two_regions_stay_separate() -> None:
    d = Drawing()
    x, run = d.input("x"), d.input("run")
    left = []
    for name in ("one", "two"):
        with d.write.region(name):
            y = d.call(f"y_{name}", torch.relu, x)
        left.append(d.call(name, liveness.masked, y, run))
    assert "y_two = relu(x)" in after(CommonSubexpressions(), d.done(left))


def test_rows() -> None:
    run = torch.tensor([False, True, True, False])
    x = torch.arange(8.0).view(4, 2)
    index, place = rows.rows(run), rows.places(run)
    assert index.tolist() == [1, 2]
    assert place.tolist() == [2, 0, 1, 2]
    spread = rows.take(rows.with_zero(rows.take(x, index)), place)
    assert torch.equal(spread, liveness.masked(x, run))
    none = torch.zeros(4, dtype=torch.bool)
    assert rows.places(none).tolist() == [0, 0, 0, 0]
    assert not rows.take(rows.with_zero(rows.take(x, rows.rows(none))), rows.places(none)).any()


def test_merged_layers_without_bias() -> None:
    d = Drawing()
    x, other = d.input("x"), d.input("other")
    results = [
        d.write.module(name, HERE, name, source)
        for name, source in (("a", x), ("b", x), ("c", other), ("d", x))
    ]
    layers = {
        name: nn.Linear(4, n, bias=n > 2) for name, n in zip("abcd", (2, 3, 4, 1), strict=True)
    }
    module = d.done(results, **layers).eval()
    inputs = torch.randn(5, 4), torch.randn(5, 4)
    before = module(*inputs)
    assert after(MergeLinears(), module)[2:4] == [
        "a_merged = _merged.a(x)",
        "a_merged_split = split_with_sizes(a_merged, [2, 3, 1], 1)",
    ]
    torch.testing.assert_close(module(*inputs), before)
    assert sorted(module.state_dict()) == [
        "_merged.a.bias",
        "_merged.a.weight",
        "c.bias",
        "c.weight",
    ]


def test_layers_of_different_regions_stay_apart() -> None:
    d = Drawing()
    x, run = d.input("x"), d.input("run")
    with d.write.region("one"):
        a = d.write.module("a", HERE, "a", x)
    b = d.write.module("b", HERE, "b", x)
    module = d.done(
        [d.call("left", liveness.masked, a, run), b], a=nn.Linear(4, 2), b=nn.Linear(4, 2)
    )
    before = text(module)
    assert after(MergeLinears(), module) == before


def test_constant_values() -> None:
    d = Drawing()
    x = d.input("x")
    learned = d.write.module("learned", HERE, "learned")
    first, second = (
        d.write.item(f"w_{i}", HERE, d.call(f"ws_{i}", torch.unbind, learned, 1), i)
        for i in range(2)
    )
    one = d.call("one", torch.mul, second, 2.0)
    y = d.call("y", aggregate.weighted_sum, [x, x, x], [first, one, second])
    module = d.done(y, learned=Learned(2, 0.5))
    with torch.no_grad():
        before = module(torch.ones(3, 4))
        run_passes(module, passes=(FoldConstants(), SimplifyMerges(), DeadCode()))
        after_ = module(torch.ones(3, 4))
    torch.testing.assert_close(after_, before)
    assert text(module)[-2:] == [
        "y = weighted_sum([x, x, x], [w_0_constant, None, w_1_constant])",
        "return y",
    ]
    assert list(module.state_dict()) == ["learned.weight"]


class Counting(fx.Graph):
    """Counts the nodes visited by iterating over it."""

    visits = 0

    @property
    def nodes(self) -> Any:
        found = super().nodes
        self.visits += len(found)
        return found


@pytest.mark.parametrize("step", [GroupRegions(), BranchRegions()])
def test_walks_over_the_graph_do_not_grow_with_regions(step: Pass) -> None:
    def visits(count: int) -> float:
        d = Drawing()
        d.write.graph = Counting()
        x, run = d.input("x"), d.input("run")
        values = []
        for i in range(count):
            with d.write.region(f"r{i}"):
                y = d.call(f"y_{i}", torch.relu, x)
            values.append(d.call(f"m_{i}", liveness.masked, y, run))
            values[-1].meta[SHAPE] = (3,)
        module = d.done(values)
        module.graph = d.write.graph
        graph = module.graph
        assert isinstance(graph, Counting)
        size, graph.visits = len(list(graph.nodes)), 0
        for _ in step.run(module) or ():
            pass
        return graph.visits / size

    assert visits(40) <= 2 * visits(5)


def test_order_with_fewer_live_values() -> None:
    d = Drawing()
    x = d.input("x")
    sizes = {"a": 8, "b": 8, "c": 1, "d": 1, "y": 1}
    reads: dict[str, list[Any]] = {"a": [x], "b": [x], "c": ["a"], "d": ["b"], "y": ["c", "d"]}
    nodes: dict[str, fx.Node] = {}
    for name, read in reads.items():
        found = [nodes[r] if isinstance(r, str) else r for r in read]
        nodes[name] = d.call(name, aggregate.weighted_sum, found, [None] * len(found))
        nodes[name].meta[SHAPE] = (sizes[name],)
    module = d.done(nodes["y"])
    order = list(nodes.values())
    assert [peak(order), peak([order[i] for i in (0, 2, 1, 3, 4)])] == [17, 10]
    assert [line[0] for line in after(OrderForMemory(), module)[1:-1]] == list("acbdy")
    (remark,) = explain(module)[0].remarks
    assert (remark.done, remark.reason) == (
        True,
        "a sample takes 40 bytes (float32) at most, 68 bytes (float32) before",
    )
    (remark,) = OrderForMemory().run(module)
    assert not remark.done
