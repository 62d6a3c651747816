"""The nets of `std/models` have as many parameters and MACs as torchvision's models."""

from __future__ import annotations

from pathlib import Path

import pytest

import dagdsl
from dagdsl.analysis.cost import cost_of_net
from dagdsl.frontend import analyse_file
from dagdsl.syntax.reader import STD
from tests.cli import run
from tests.models.torchvision_models import BUILDERS, build, macs, parameters


@pytest.mark.parametrize(("family", "name"), BUILDERS, ids=[name for _, name in BUILDERS])
def test_parameters_and_macs_equal_those_of_torchvision(family: str, name: str) -> None:
    ours = cost_of_net(dagdsl.load(f"std/models/{family}.dg", net=name))
    theirs = build(name, "meta")
    assert ours.parameters == parameters(theirs)
    assert ours.macs == macs(theirs, 224)


@pytest.mark.parametrize("width", [0.35, 0.5, 0.75, 1.3, 1.4])
def test_widths_of_mobilenet_equal_those_of_torchvision(width: float) -> None:
    ours = cost_of_net(dagdsl.load("std/models/mobilenet_v2.dg", width=width))
    theirs = build("mobilenet_v2", "meta", width_mult=width)
    assert ours.parameters == parameters(theirs)
    assert ours.macs == macs(theirs, 224)


def test_the_command_line_finds_them() -> None:
    done = run.dagdsl("check", "std/models/resnet.dg")
    assert (done.returncode, done.stdout) == (0, "std/models/resnet.dg: no problems\n")


@pytest.mark.parametrize("path", sorted((STD / "models").glob("*.dg")), ids=lambda p: p.stem)
def test_model_files_are_short_and_free_of_warnings(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 80
    assert analyse_file(path).diagnostics == []
