"""Unit tests of the functions that graphs call."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from dagdsl_compiler.runtime import aggregate, gate, liveness
from dagdsl_compiler.runtime.routes import adjacency


def test_softmax_and_normalise_keep_groups_apart() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, 3.0]])
    weights = gate.softmax(logits, (1, 3))
    torch.testing.assert_close(weights[:, 1:], logits[:, 1:].softmax(1))
    assert weights[0, 0] == 1
    shares = gate.normalise(torch.tensor([[1.0, 3.0, 0.0, 0.0]]), (2, 2))
    assert shares.tolist() == [[0.25, 0.75, 0.0, 0.0]]


def test_strongest_counts_within_groups() -> None:
    weights = torch.tensor([[0.1, 0.9, 0.5, 0.7], [0.2, 0.1, 0.1, 0.1]])
    assert gate.strongest(weights, (2, 2), 1).int().tolist() == [[0, 1, 0, 1], [1, 0, 1, 0]]
    assert gate.strongest(weights, (4,), 2).int()[0].tolist() == [0, 1, 0, 1]
    assert gate.strongest(weights, (1, 3), 5).all()


def test_binary_weights_pass_gradients_through() -> None:
    weights = torch.tensor([0.3, 0.7], requires_grad=True)
    for close, gradient in ((gate.close, [0, 1]), (gate.close_straight_through, [1, 1])):
        weights.grad = None
        closed = close(gate.binary(weights), weights > 0.5)
        assert closed.tolist() == [0, 1]
        closed.sum().backward()  # type: ignore[no-untyped-call]
        assert weights.grad is not None
        assert weights.grad.tolist() == gradient


def test_normalise_has_a_gradient_at_zero() -> None:
    weights = torch.zeros(1, 2, requires_grad=True)
    gate.normalise(weights, (2,)).sum().backward()  # type: ignore[no-untyped-call]
    assert weights.grad is not None
    assert weights.grad.isfinite().all()


def test_soft_threshold_closes_in_evaluation_only() -> None:
    threshold = gate.SoftThreshold(0.5)
    weights = torch.tensor([[0.5, 0.6]])
    assert threshold.train()(weights).tolist() == [[True, True]]
    assert threshold.eval()(weights).tolist() == [[False, True]]
    assert not threshold.state_dict()


@pytest.mark.parametrize(
    ("close", "gradient"), [(gate.close, [0.0, 1.0]), (gate.close_straight_through, [1.0, 1.0])]
)
def test_gradients_of_closing(
    close: Callable[[Tensor, Tensor], Tensor], gradient: list[float]
) -> None:
    weights = torch.tensor([0.3, 0.7], requires_grad=True)
    closed = close(weights, weights > 0.5)
    assert closed.tolist() == [0.0, pytest.approx(0.7)]
    closed.sum().backward()  # type: ignore[no-untyped-call]
    assert weights.grad is not None
    assert weights.grad.tolist() == gradient


def bools(*values: int) -> Tensor:
    return torch.tensor(values, dtype=torch.bool)


def test_keep_strongest() -> None:
    weights = [torch.tensor([0.1, 0.1, 0.1, 0.2, 0.9]), torch.tensor([0.2])]
    is_open = [bools(0, 0, 1, 0, 0), bools(0)]
    alive = [None, bools(1, 0, 1, 1, 1)]
    kept = gate.keep_strongest(weights, is_open, alive, [])
    assert kept[0].tolist() == [False, True, True, True, True]  # equal weights: the first
    assert kept[1].tolist() == [True, False, False, False, False]
    other = gate.keep_strongest(weights, is_open, alive, [bools(1, 1, 1, 1, 0)])
    assert other[0].tolist() == [False, False, True, False, True]
    assert other[1].tolist() == [False] * 5


def test_keep_strongest_with_dead_sources() -> None:
    kept = gate.keep_strongest([torch.tensor([0.4])], [bools(0)], [bools(0)], [])
    assert kept[0].tolist() == [False]


def test_keep_strongest_ignores_open_gates_of_dead_sources() -> None:
    kept = gate.keep_strongest(
        [torch.tensor([0.9]), torch.tensor([0.1])], [bools(1), bools(0)], [bools(0), None], []
    )
    assert kept[1].tolist() == [True]


@pytest.mark.parametrize("rank", [2, 4])
def test_merges(rank: int) -> None:
    a, b = torch.randn(3, 2, *(4,) * (rank - 2)), torch.randn(3, 2, *(4,) * (rank - 2))
    w = torch.tensor([0.0, 1.0, 2.0])
    one = torch.tensor([0.5])
    wide = w.view(-1, *(1,) * (rank - 1))
    torch.testing.assert_close(aggregate.weighted_sum([a, b], [w, None]), a * wide + b)
    torch.testing.assert_close(aggregate.weighted_sum([a, b], [None, one]), a + b * 0.5)
    torch.testing.assert_close(aggregate.concat([a, b], [w, None]), torch.cat([a * wide, b], 1))
    torch.testing.assert_close(aggregate.product([a, b], [None, w]), a * b * wide)
    torch.testing.assert_close(aggregate.mean([a, b], [w, None]), (a * wide + b) / 2)
    torch.testing.assert_close(aggregate.maximum([a, b], [w, None]), torch.maximum(a * wide, b))


def test_first_confident() -> None:
    sure, unsure = torch.tensor([5.0, 0.0]), torch.tensor([0.1, 0.0])
    first = torch.stack([sure, unsure, unsure])
    second = torch.stack([sure, -sure, unsure])
    last = torch.zeros(3, 2)
    answer = aggregate.first_confident([first, second, last], [None] * 3, 0.9)
    torch.testing.assert_close(answer, torch.stack([sure, -sure, torch.zeros(2)]))
    closed = torch.tensor([0.0, 1.0, 1.0])
    answer = aggregate.first_confident([first, last], [closed, None], 0.9)
    torch.testing.assert_close(answer, last)


def test_a_flat_factor_scales_channels() -> None:
    x, s = torch.randn(2, 3, 4, 4), torch.randn(2, 3)
    expected = x * s[:, :, None, None]
    torch.testing.assert_close(aggregate.product([x, s], [None, None]), expected)
    torch.testing.assert_close(aggregate.product([s, x], [None, None]), expected)


def test_low_precision_features_keep_their_type() -> None:
    x = torch.ones(2, 3, 4, 4, dtype=torch.bfloat16)
    assert aggregate.weighted_sum([x, x], [torch.ones(2), None]).dtype == torch.bfloat16
    assert liveness.masked(x, bools(1, 0)).dtype == torch.bfloat16


def test_adjacency() -> None:
    weights = torch.tensor([0.3, 0.4], requires_grad=True)
    like = torch.zeros(2, 3, 4, 4)
    routes = adjacency(like, 3, [(0, 1), (0, 2), (1, 2)], [weights, bools(1), None])
    assert routes.shape == (2, 3, 3)
    torch.testing.assert_close(routes[1], torch.tensor([[0, 0.4, 1], [0, 0, 1], [0, 0, 0]]))
    routes.sum().backward()  # type: ignore[no-untyped-call]
    assert weights.grad is not None
    assert weights.grad.tolist() == [1, 1]
