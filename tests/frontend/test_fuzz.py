"""A sample of what `make fuzz` does at length: see `tests/frontend/fuzz.py`."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import takewhile
from pathlib import Path

import pytest

from tests.frontend.fuzz import ROOT, SEEDS, examine_all

# Those of whole families of large nets take a second each, and have the same statements.
SMALL = [path for path in SEEDS if "models" not in path.parts]
VARIANTS = 2000 // len(SMALL)
SECONDS = 8


def examine_some(path: Path) -> list[str]:
    """What is wrong with how the first variants of a file are answered, as far as time allows."""
    deadline = time.monotonic() + SECONDS
    numbers = takewhile(lambda _: time.monotonic() < deadline, range(VARIANTS))
    return list(examine_all(path, numbers))


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_broken_variants(path: Path) -> None:
    # In a process of its own, where memory is that of the front end and not of other tests.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(examine_some, path).result() == []
