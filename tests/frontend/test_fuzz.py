"""A short run of `make fuzz`; see `tests/frontend/fuzz.py`."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import takewhile
from pathlib import Path

import pytest

from tests.frontend.fuzz import ROOT, SEEDS, examine_all

# Files with families of large nets take a second each and contain no other statements.
SMALL = [path for path in SEEDS if "models" not in path.parts]
VARIANTS = 2000 // len(SMALL)
SECONDS = 8


def examine_some(path: Path) -> list[str]:
    """Return what is wrong with the answers to the first variants of a file, as time allows."""
    deadline = time.monotonic() + SECONDS
    numbers = takewhile(lambda _: time.monotonic() < deadline, range(VARIANTS))
    return list(examine_all(path, numbers))


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_broken_variants(path: Path) -> None:
    # In a separate process, whose peak memory is not that of other tests.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(examine_some, path).result() == []
