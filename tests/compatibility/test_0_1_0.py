"""What 0.1.0 wrote still loads, and computes what it computed there. See README.md here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import dagdsl
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net
from dagdsl.training.config import TrainConfig
from dagdsl.training.trained import load_best
from dagdsl_compiler.driver import Mode, compile
from dagdsl_compiler.export.manifest import Manifest
from dagdsl_compiler.export.package import Package

HERE = Path(__file__).parent / "0.1.0"
RUN = HERE / "run"


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """Return what 0.1.0 computed, see README.md."""
    found: dict[str, Any] = json.loads((HERE / "expected.json").read_text())
    return found


def images() -> Tensor:
    """Return the images that `expected.json` is about: `[4, 1, 8, 8]`, of increasing contrast."""
    waves = torch.linspace(-2, 2, 4 * 64).view(4, 1, 8, 8).sin()
    return waves * torch.tensor([0.2, 1, 3, 9]).view(4, 1, 1, 1)


def close(got: Tensor, wanted: list[Any]) -> None:
    torch.testing.assert_close(got, torch.tensor(wanted), rtol=1e-4, atol=1e-4)


def test_the_source_has_the_same_hash(expected: dict[str, Any]) -> None:
    assert dagdsl.load(HERE / "tiny.dg").hash == expected["ir_hash"]


def test_ir_json(expected: dict[str, Any]) -> None:
    text = (RUN / "ir.json").read_text()
    net = Net.from_json(text)
    assert net.hash == expected["ir_hash"]
    assert json.loads(net.to_json()) == json.loads(text)
    assert dagdsl.loads(dagdsl.show(net)).hash == expected["ir_hash"]


def test_keys_of_a_checkpoint(expected: dict[str, Any]) -> None:
    model = compile(Net.from_json((RUN / "ir.json").read_text()), backend="eager")
    assert list(model.state_dict()) == expected["keys"]


@pytest.mark.parametrize("mode", ["dense", "static", "grouped"])
def test_weights(expected: dict[str, Any], mode: Mode) -> None:
    net = dagdsl.load(HERE / "tiny.dg")
    model = compile(net, mode=mode, backend="eager").eval()
    about = load_best(RUN, net, model)
    assert about.classes == tuple(map(str, range(10)))
    with torch.no_grad():
        logits, routes = model(images(), return_routes=True)
    close(logits, expected["logits"])
    close(routes["s1"], expected["routes"])


def test_evaluate(expected: dict[str, Any]) -> None:
    found = dagdsl.evaluate(RUN)
    assert found.test_accuracy == pytest.approx(expected["test_accuracy"], abs=0.006)


def test_a_run_goes_on(tmp_path: Path, expected: dict[str, Any]) -> None:
    """The run was stopped after the first of two epochs."""
    folder = tmp_path / "run"
    shutil.copytree(RUN, folder)
    config = TrainConfig.model_validate_json((RUN / "config.json").read_text())
    summary = dagdsl.train(dagdsl.load(HERE / "tiny.dg"), config, out=folder, resume=True)
    assert summary.epochs == 2
    before, after = (folder / "metrics.jsonl").read_text().splitlines()
    assert json.loads(before) == json.loads((RUN / "metrics.jsonl").read_text())
    assert json.loads(after)["val_loss"] == pytest.approx(expected["resumed_val_loss"], rel=0.02)


def test_build_takes_the_weights(tmp_path: Path) -> None:
    net = dagdsl.load(HERE / "tiny.dg")
    report = dagdsl.build(net, tmp_path, weights=RUN, mode="grouped", backend="eager")
    assert report.error < 1e-4
    assert (tmp_path / "model.py").exists()


@pytest.mark.parametrize("mode", ["dense", "grouped"])
def test_artefacts(expected: dict[str, Any], mode: Mode) -> None:
    folder = HERE / f"built-{mode}"
    manifest = Manifest.from_json((folder / "model.json").read_text())
    assert manifest.ir_hash == expected["ir_hash"]
    assert manifest.results == ["logits", "routes.s1"]
    assert manifest.images is not None
    try:
        package = Package(folder / "model.pt2")
    except UsageError as error:
        # Compiled code is for one kind of processor, and for torch from the version that built it.
        pytest.skip(str(error))
    logits, routes = package.run([images()])
    close(logits, expected["logits"])
    close(routes, expected["routes"])
