"""A sample of what `make fuzz` does at length: see `tests/frontend/fuzz.py`."""

from __future__ import annotations

import time
from itertools import takewhile
from pathlib import Path

import pytest

from tests.frontend.fuzz import ROOT, SEEDS, examine_all

# Those of whole families of large nets take a second each, and have the same statements.
SMALL = [path for path in SEEDS if "models" not in path.parts]
VARIANTS = 2000 // len(SMALL)
SECONDS = 8


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_broken_variants(path: Path) -> None:
    deadline = time.monotonic() + SECONDS
    numbers = takewhile(lambda _: time.monotonic() < deadline, range(VARIANTS))
    assert list(examine_all(path, numbers)) == []
