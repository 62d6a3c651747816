"""Opening and evaluating a run folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from dagdsl.errors import UsageError
from dagdsl.training.evaluate import evaluate, open_run, predict_routes
from dagdsl.training.loop import train
from dagdsl.training.metrics import Evaluation, TrainSummary
from tests.train.nets import config, tiny


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainSummary]:
    out = tmp_path_factory.mktemp("runs") / "run"
    return out, train(tiny(), config(epochs=8, lr=0.02, batch_size=32), out)


@pytest.fixture
def run(tmp_path: Path, trained: tuple[Path, TrainSummary]) -> Path:
    """A copy of the run, which a test may damage."""
    return Path(shutil.copytree(trained[0], tmp_path / "run"))


def test_evaluation_agrees_with_the_summary(trained: tuple[Path, TrainSummary]) -> None:
    out, summary = trained
    result = evaluate(out, device="cpu")
    assert result == Evaluation(
        **{name: getattr(summary, name) for name in Evaluation.model_fields}
    )
    assert result.test_accuracy > 0.2  # chance is 0.1
    assert result.test_accuracy_without_threshold is not None
    assert 0 < result.open_edge_rate["s1"] < 1


def test_routes_of_images(trained: tuple[Path, TrainSummary]) -> None:
    run = open_run(trained[0], device="cpu")
    shown = predict_routes(run, range(359))
    right = sum(image.label == image.predicted for image in shown)
    assert right / 359 == trained[1].test_accuracy
    edges = sum(len(image.edges["s1"]) for image in shown)
    assert edges / (6 * 359) == pytest.approx(trained[1].open_edge_rate["s1"])
    (one,) = predict_routes(run, [7])
    assert (one.index, one.label, one.predicted) == (7, shown[7].label, shown[7].predicted)
    assert one.probability == pytest.approx(shown[7].probability, abs=1e-5)
    assert [(e.source, e.target) for e in one.edges["s1"]] == [
        (e.source, e.target) for e in shown[7].edges["s1"]
    ]
    assert all(edge.weight > 0.5 for edge in one.edges["s1"])
    assert predict_routes(run, []) == []
    with pytest.raises(UsageError, match="no test image 359: the indices are 0 to 358"):
        predict_routes(run, [0, 359])


def test_weights_are_plain_safetensors(trained: tuple[Path, TrainSummary]) -> None:
    weights = load_file(trained[0] / "best.safetensors")
    assert weights["stem.conv.weight"].shape == (8, 1, 3, 3)
    assert "s1.routers.gate_in.fc.bias" in weights


def test_missing_and_damaged_files(run: Path) -> None:
    def check(message: str) -> None:
        with pytest.raises(UsageError, match=message):
            evaluate(run, device="cpu")

    best = run / "best.safetensors"
    whole = best.read_bytes()
    best.write_bytes(whole[:-1])
    check(r"best\.safetensors is damaged or truncated")
    save_file({"x": torch.zeros(1)}, best)
    check(r"best\.safetensors was not written by")
    best.unlink()
    check(r"best\.safetensors does not exist")
    best.write_bytes(whole)
    (run / "ir.json").write_text(tiny(tau=0.1).to_json())
    check(r"best\.safetensors belongs to another net")
    (run / "config.json").unlink()
    check(r"cannot read .*config\.json")
    (run / "ir.json").unlink()
    check(r"ir\.json")


def test_data_of_other_classes(run: Path, tmp_path: Path) -> None:
    from tests.data.test_folder import paint

    for part in ("train", "test"):
        for i in range(4):
            paint(tmp_path / "images" / part / ("cat", "dog")[i % 2] / f"{i}.png", i)
    with pytest.raises(UsageError, match=r"does not have the classes .*digits"):
        evaluate(run, data=f"folder:{tmp_path / 'images'}", device="cpu")
