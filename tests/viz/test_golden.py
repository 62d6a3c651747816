from __future__ import annotations

from pathlib import Path

import pytest

from dagdsl.viz.formats import FORMATS, draw
from tests.viz import nets

HERE = Path(__file__).parent / "golden"
NETS = {"dgnet": nets.dgnet(1, 2, taps=True), "branches": nets.branches(), "merges": nets.merges()}


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("name", NETS)
def test_drawing(name: str, suffix: str) -> None:
    assert draw(NETS[name], suffix) == (HERE / f"{name}{suffix}").read_text()
