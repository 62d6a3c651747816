"""Compiled models against eager ones: one full graph, equal results and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, fx

from dagdsl.ir.nodes import Net
from dagdsl_compiler.backends.inductor import ByBatchSize
from dagdsl_compiler.driver import compile
from tests.compiler.nets import complete, net_of, random_graph

X = (2, 4, 4)


def nets() -> dict[str, Net]:
    return {
        "source": net_of(complete(1, x=X, init=0.5), x=X),
        "straight": net_of(complete(2, x=X, reads="target", train="straight_through"), x=X),
        "soft": net_of(complete(1, x=X, reads="stage", train="soft", init=1.0), x=X),
        "kept": net_of(complete(2, x=X, reads="nothing", init=-1.0, dead="keep_strongest"), x=X),
        "mixed": net_of(random_graph(3, X), random_graph(5, X), x=X),
    }


def flat(y: Any) -> list[Tensor]:
    values = y.values() if isinstance(y, dict) else y
    return [y] if isinstance(y, Tensor) else [t for value in values for t in flat(value)]


def compare(net: Net, run: Callable[[fx.GraphModule], Callable[..., Any]], train: bool) -> None:
    """Compare `run(graph)` with the graph: forward and, in training, backward."""
    first, second = (compile(net, backend="eager", seed=0).train(train) for _ in range(2))
    x = torch.randn(6, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ys := flat(first(x)), zs := flat(run(second.graph)(x)))
    if train:
        for outputs in (ys, zs):
            torch.stack([y.square().sum() for y in outputs]).sum().backward()  # type: ignore[no-untyped-call]
        for (name, p), q in zip(first.named_parameters(), second.parameters(), strict=True):
            torch.testing.assert_close(p.grad, q.grad, rtol=1e-3, atol=1e-4, msg=f"of {name}")


@pytest.mark.parametrize("train", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", nets())
def test_one_full_graph(name: str, train: bool) -> None:
    torch.compiler.reset()
    compare(nets()[name], lambda g: torch.compile(g, fullgraph=True, backend="aot_eager"), train)


def test_no_graph_break_with_routes() -> None:
    torch.compiler.reset()
    model = compile(nets()["source"], backend="eager")
    x = torch.randn(4, 3, 4, 4)
    model(x, return_routes=True)
    found = torch._dynamo.explain(model._executor.graph(model, routes=True))(x)
    assert found.graph_count == 1
    assert found.graph_break_count == 0


@pytest.mark.parametrize("name", ["source", "kept"])
def test_inductor(name: str) -> None:
    torch.compiler.reset()
    compare(nets()[name], ByBatchSize, train=True)


def test_inductor_with_routes_and_other_batch_sizes() -> None:
    torch.compiler.reset()
    net = nets()["source"]
    first, second = compile(net, backend="eager", seed=0), compile(net, seed=0)
    x = torch.randn(6, 3, 4, 4)
    with torch.no_grad():
        for size in (6, 4, 1, 6):
            expected = first.eval()(x[:size], return_routes=True)
            torch.testing.assert_close(second.eval()(x[:size], return_routes=True), expected)


def test_code_by_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagdsl_compiler.backends.inductor._PATIENCE", 2)
    monkeypatch.setattr("dagdsl_compiler.backends.inductor._EXACT", 2)
    ran: list[str] = []

    def fake(module: Any, dynamic: bool | None = None, **options: Any) -> Callable[..., Any]:
        assert options["fullgraph"]
        return lambda x: ran.append(f"{'any' if dynamic is None else 'exact'} {len(x)}")

    graph = compile(nets()["source"], backend="eager").graph
    graph.register_forward_pre_hook(lambda m, x: ran.append(f"eager {len(x[0])}"))
    run = ByBatchSize(graph, fake)

    def sizes(*sizes: int) -> list[str]:
        ran.clear()
        for size in sizes:
            run(torch.randn(size, 3, 4, 4))
        return list(ran)

    assert sizes(8, 8, 5) == ["exact 8", "exact 8", "eager 5"]
    assert sizes(8, 5, 8, 5) == ["exact 8", "eager 5", "exact 8", "exact 5"]
    assert sizes(3, 3, 3, 3) == ["eager 3", "eager 3", "any 3", "any 3"]
    with torch.no_grad():
        assert sizes(3, 8) == ["exact 3", "eager 8"]
    assert sizes(5, 8) == ["exact 5", "exact 8"]


def test_symbolic_mark_does_not_reach_the_input() -> None:
    from dagdsl_compiler.backends.inductor import _with_symbolic_batch

    x = torch.randn(4, 3)
    assert torch.equal(_with_symbolic_batch(x), x)
    assert not hasattr(x, "_dynamo_weak_dynamic_indices")
