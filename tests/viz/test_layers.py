from __future__ import annotations

import random
from itertools import pairwise

import pytest

from dagdsl.viz.columns import page
from dagdsl.viz.layers import Size, layers


@pytest.mark.parametrize("seed", range(20))
def test_rows_keep_order_and_distance(seed: int) -> None:
    rng = random.Random(seed)
    count = rng.randint(1, 14)
    sizes = [Size(rng.uniform(10, 80), rng.uniform(10, 80), 30) for _ in range(count)]
    edges = [
        (i, j)
        for j in range(count)
        for i in range(j)
        for _ in range(rng.choice((0, 0, 0, 1, 1, 2)))
    ]
    found = layers(sizes, edges)
    row_of = {vertex: i for i, row in enumerate(found.rows) for vertex in row}
    for row in found.rows:
        for a, b in pairwise(row):
            assert found.x[a] + found.sizes[a].right < found.x[b] - found.sizes[b].left
    for (source, target), chain in zip(edges, found.chains, strict=True):
        assert (chain[0], chain[-1]) == (source, target)
        assert [row_of[v] for v in chain] == list(range(row_of[source], row_of[target] + 1))
    # No two edges share a path: parallel edges stay distinguishable.
    assert len(set(found.chains)) == len(edges)
    assert len(page(found).routes) == len(edges)


def test_longest_path_is_straight() -> None:
    sizes = [Size(50, 50, 30)] * 5
    found = layers(sizes, [(0, 1), (1, 2), (1, 4), (2, 3), (0, 3)])
    assert max(found.x[:4]) - min(found.x[:4]) < 0.1
    assert abs(found.x[4] - found.x[2]) >= 100


def test_source_stands_directly_above_its_reader() -> None:
    found = layers([Size(20, 20, 30)] * 4, [(0, 1), (1, 3), (2, 3)])
    assert found.rows == ((0,), (1, 2), (3,)) or found.rows == ((0,), (2, 1), (3,))
