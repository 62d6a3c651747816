"""Graphs for training on a CPU: junctions, opaque gates, and batch counters."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, fx, nn

from dagdsl.ir.nodes import Net
from dagdsl_compiler.backends.inductor import for_training, is_dense
from dagdsl_compiler.driver import compile
from dagdsl_compiler.passes.counters import UncountedNorm, UncountedNorms, count_batch, uncounted
from dagdsl_compiler.passes.opaque import FanOut, OpaqueGates
from dagdsl_compiler.runtime import aggregate
from dagdsl_compiler.runtime.junction import fan_out, junction
from dagdsl_compiler.runtime.opaque import opaque, register
from dagdsl_compiler.runtime.sums import weight_gradients, weighted_sum
from tests.compiler.nets import complete, net_of
from tests.compiler.test_backends import X, flat, nets

PASSES = (FanOut(), OpaqueGates(), UncountedNorms())


def tensors(count: int, *shape: int, seed: int = 0, **kwargs: Any) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator).to(**kwargs) for _ in range(count)]


@settings(deadline=None)  # the first call builds the kernels
@given(
    batch=st.integers(1, 4),
    shape=st.sampled_from([(3,), (2, 3, 5), (16, 20, 20)]),
    columns=st.lists(st.integers(-1, 2), min_size=1, max_size=5),
    dtype=st.sampled_from([torch.float32, torch.float64, torch.bfloat16]),
    uniform=st.booleans(),
    last=st.booleans(),
)
def test_weighted_sum_is_one(
    batch: int,
    shape: tuple[int, ...],
    columns: list[int],
    dtype: torch.dtype,
    uniform: bool,
    last: bool,
) -> None:
    values = tensors(len(columns), batch, *shape, dtype=dtype)
    if last and len(shape) == 3:
        values = [x.to(memory_format=torch.channels_last) for x in values]
    (matrix,) = tensors(1, 1 if uniform else batch, 3, seed=1)
    matrix[0, 1] = 0
    factors: list[Tensor | None] = [None if k == -1 else matrix[:, k] for k in columns]
    expected = aggregate.weighted_sum([x.double() for x in values], factors)
    got = weighted_sum(values, [matrix] * len(columns), columns)
    assert got.stride() == values[0].stride()
    tolerance = 0.05 if dtype == torch.bfloat16 else 1e-5
    torch.testing.assert_close(got.double(), expected, rtol=tolerance, atol=tolerance)


def test_values_in_different_layouts() -> None:
    values = tensors(3, 2, 4, 5, 6)
    values[1] = values[1].to(memory_format=torch.channels_last)
    values[2] = values[2].transpose(2, 3).contiguous().transpose(2, 3)
    weights = tensors(1, 2, 3)[0]
    expected = sum(x * weights[:, [k]].view(2, 1, 1, 1) for k, x in enumerate(values))
    torch.testing.assert_close(weighted_sum(values, [weights] * 3, [0, 1, 2]), expected)


def test_a_closed_edge_is_ignored() -> None:
    values = [torch.full((1, 70), torch.inf), torch.ones(1, 70)]
    weights = torch.tensor([[0.0, 2.0]])
    assert weighted_sum(values, [weights] * 2, [0, 1]).eq(2).all()
    assert weighted_sum([values[0]], [weights], [0]).eq(0).all()


@pytest.mark.parametrize("rows", [1, 3])
def test_weight_gradients_are_dot_products(rows: int) -> None:
    x, *values = tensors(3, 3, 4, 9, 10)
    dots = torch.stack([(x * value).flatten(1).sum(1) for value in values], 1)
    got = weight_gradients(x, values, torch.zeros(rows, 4), [2, 0])
    expected = torch.zeros(3, 4)
    expected[:, [2, 0]] = dots
    torch.testing.assert_close(got, expected if rows == 3 else expected.sum(0, keepdim=True))


def test_fan_and_junction_have_the_gradients_of_a_sum() -> None:
    x, y = (t.double().requires_grad_() for t in tensors(2, 3, 2, 4, 4))
    w, v = (t.double().requires_grad_() for t in tensors(2, 3, 2, seed=1))

    def fanned(x: Tensor, y: Tensor, w: Tensor, v: Tensor) -> Tensor:
        first, second = fan_out(x, w, [0, 1])
        (third,) = fan_out(y, v, [1])
        total = junction([first, third], [w, v], [0, 1])
        return junction([second, total], [w, total], [1, -1])

    def plain(x: Tensor, y: Tensor, w: Tensor, v: Tensor) -> Tensor:
        total = aggregate.weighted_sum([x, y], [w[:, 0], v[:, 1]])
        return aggregate.weighted_sum([x, total], [w[:, 1], None])

    torch.testing.assert_close(fanned(x, y, w, v), plain(x, y, w, v))
    for a, b in zip(
        torch.autograd.grad(fanned(x, y, w, v).square().sum(), (x, y, w, v)),
        torch.autograd.grad(plain(x, y, w, v).square().sum(), (x, y, w, v)),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def test_an_opaque_graph_has_its_values_and_gradients() -> None:
    graph = fx.Graph()
    x, y = graph.placeholder("x"), graph.placeholder("y")
    product = graph.call_function(torch.mul, (x, y))
    graph.output((product, graph.call_function(torch.gt, (x, 0.0)), x))
    key = register(fx.GraphModule(nn.Module(), graph))
    a, b = (t.requires_grad_() for t in tensors(2, 4))
    got, positive, same = opaque(key, [a, b])
    assert positive.equal(a > 0)
    assert same.equal(a)
    assert same.data_ptr() != a.data_ptr()
    for found, expected in zip(
        torch.autograd.grad((got * got).sum() + same.sum(), (a, b)),
        torch.autograd.grad((a * b).square().sum() + a.sum(), (a, b)),
        strict=True,
    ):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", nets())
def test_a_training_graph_computes_the_same(name: str) -> None:
    net: Net = nets()[name]
    first, second = (compile(net, backend="eager", seed=0).train() for _ in range(2))
    graph = for_training(second.graph, PASSES)
    x = tensors(1, 6, 3, 4, 4)[0]
    ys, zs = flat(first(x)), flat(graph(x))
    count_batch(uncounted(graph))
    torch.testing.assert_close(ys, zs)
    for outputs in (ys, zs):
        torch.stack([y.square().sum() for y in outputs]).sum().backward()  # type: ignore[no-untyped-call]
    for (parameter, p), q in zip(first.named_parameters(), second.parameters(), strict=True):
        if p.grad is not None:
            torch.testing.assert_close(p.grad, q.grad, rtol=1e-3, atol=1e-4, msg=parameter)
    torch.testing.assert_close(dict(first.named_buffers()), dict(second.named_buffers()))


def test_wide_sums_and_gates_are_not_left_to_the_generator() -> None:
    model = compile(net_of(complete(10, x=X), x=X), backend="eager").train()
    assert is_dense(model.graph)
    graph = for_training(model.graph, PASSES).graph
    called = {node.target for node in graph.nodes if node.op == "call_function"}
    assert aggregate.weighted_sum not in called
    assert torch.sigmoid not in called
    assert {fan_out, junction, opaque} <= called
    assert not any(isinstance(m, UncountedNorm) for m in model.modules())


def test_equal_gates_have_one_key() -> None:
    keys = []
    for _ in range(2):
        graph = for_training(compile(nets()["source"], backend="eager").graph, PASSES).graph
        keys.append([n.args[0] for n in graph.find_nodes(op="call_function", target=opaque)])
    assert keys[0] == keys[1]


def test_counters_count_in_training_only() -> None:
    model = compile(nets()["source"], backend="inductor", seed=0)
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    graph = for_training(model.graph, PASSES)
    count_batch(uncounted(graph))
    model.eval()
    count_batch(uncounted(graph))
    assert norms
    assert {int(m.num_batches_tracked) for m in norms if m.num_batches_tracked is not None} == {1}
