"""Connect patterns: a seed always gives the same graph, and every pattern gives a DAG."""

from __future__ import annotations

import re
from typing import Any

import networkx as nx
import pytest

import dagdsl
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import inner_graph
from dagdsl.ops.spec import REQUIRED
from dagdsl.topology import random_graphs
from dagdsl.topology.patterns import PATTERNS, Pair, PatternError

# These never change: existing nets are identified by their seeds.
GOLDEN: list[tuple[str, int, dict[str, Any], str]] = [
    ("complete", 2, {}, "0-1 0-2 0-3 1-2 1-3 2-3"),
    ("chain", 2, {}, "0-1 1-2 2-3"),
    (
        "ws",
        8,
        {"k": 4, "p": 0.5, "seed": 1},
        "0-1 0-2 1-3 1-4 1-5 1-6 1-7 2-6 2-7 2-8 3-4 3-7 4-6 4-8 5-6 5-7 6-8 7-8 8-9",
    ),
    (
        "ws",
        10,
        {"k": 2, "p": 0.0, "seed": 0},
        "0-1 1-2 1-10 2-3 3-4 4-5 5-6 6-7 7-8 8-9 9-10 10-11",
    ),
    (
        "ba",
        9,
        {"m": 2, "seed": 1},
        "0-1 1-2 1-3 1-4 1-5 1-8 2-4 3-7 4-5 4-6 4-7 4-9 5-6 5-9 6-8 7-10 8-10 9-10",
    ),
    (
        "ba",
        6,
        {"m": 5, "seed": 3},
        "0-1 1-2 1-3 1-4 1-5 1-6 2-7 3-7 4-7 5-7 6-7",
    ),
    (
        "er",
        8,
        {"p": 0.3, "seed": 1},
        "0-1 0-3 1-2 1-5 2-4 2-5 3-4 3-7 4-6 4-7 5-8 6-8 7-8 8-9",
    ),
    (
        "er",
        4,
        {"p": 0.0, "seed": 0},
        "0-1 0-2 0-3 0-4 1-5 2-5 3-5 4-5",
    ),
    (
        "er",
        10,
        {"p": 0.2, "seed": 7},
        "0-1 0-2 0-7 1-3 1-5 1-8 1-10 2-4 2-5 2-8 3-8 4-5 4-6 4-9 5-9 5-10 6-11 7-11 "
        "8-11 9-11 10-11",
    ),
]


def edges(name: str, n: int, **given: Any) -> list[Pair]:
    pattern = PATTERNS[name]
    params = {param.name: param.default for param in pattern.params}
    assert REQUIRED not in params.values()
    params.update(given)
    pairs = list(pattern.edges(n, params))  # type: ignore[arg-type]
    assert len(pairs) <= pattern.most(n, params)  # type: ignore[arg-type]
    return pairs


@pytest.mark.parametrize(("name", "n", "given", "expected"), GOLDEN, ids=str)
def test_golden(name: str, n: int, given: dict[str, Any], expected: str) -> None:
    assert " ".join(f"{i}-{j}" for i, j in edges(name, n, **given)) == expected


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["ws", "ba", "er"])
def test_every_node_lies_on_a_path(name: str, seed: int) -> None:
    pairs = edges(name, 20, seed=seed)
    assert len(set(pairs)) == len(pairs)
    assert all(0 <= i < j <= 21 for i, j in pairs)
    assert {j for _, j in pairs} == set(range(1, 22))
    assert {i for i, _ in pairs} == set(range(21))


def test_seeds_differ() -> None:
    assert len({tuple(edges("er", 12, seed=seed)) for seed in range(10)}) == 10


@pytest.mark.parametrize(("name", "given"), [("ws", {"k": 8}), ("ws", {"k": 3}), ("ba", {"m": 8})])
def test_too_few_nodes(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(PatternError):
        edges(name, 8, **given)


def test_a_networkx_that_draws_other_graphs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nx, "erdos_renyi_graph", lambda n, p, seed: nx.path_graph(n))
    random_graphs._generator.cache_clear()
    with pytest.raises(UsageError, match=re.escape('install "networkx>=3.6')):
        edges("er", 8)
    random_graphs._generator.cache_clear()


def test_in_the_language() -> None:
    text = (
        "param seed: int = 1 in 0..9 net N { input x: f32[4, 8, 8] stage s { node n[8]: relu"
        " connect ws(p = 0.5, seed = seed) via learned |> sigmoid } x -> s output s }"
    )
    stage = inner_graph(dagdsl.loads(text).graph.node("s"))
    other = inner_graph(dagdsl.loads(text, seed=2).graph.node("s"))
    assert stage is not None
    assert other is not None
    assert stage.routers[0].outputs == len(stage.edges)
    first, second = ({(e.source, e.target) for e in graph.edges} for graph in (stage, other))
    assert first != second
