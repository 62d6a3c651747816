"""From a training run to an artefact and to predictions, as a user does it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.run import dagdsl
from tests.cli.test_commands import TINY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a net, a run and an artefact."""
    folder = tmp_path_factory.mktemp("deploy")
    (folder / "tiny.dg").write_text(TINY)
    done = dagdsl("train", folder / "tiny.dg", "--data", "digits", "--epochs", 1, "--out",
                  folder / "run", cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = dagdsl("build", folder / "tiny.dg", "--weights", folder / "run", "-o", folder / "built",
                  "--mode", "branch")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "built" in done.stdout
    assert "the weights are random" not in done.stdout
    for i in (0, 1):
        Image.effect_mandelbrot((20, 30), (-2, -1, 1, 1), 10 + i).save(folder / f"{i}.png")
    return folder


def test_files(folder: Path) -> None:
    built = folder / "built"
    assert sorted(path.name for path in built.iterdir()) == [
        "graph.txt", "ir.json", "model.json", "model.pt2", "model.py",
    ]  # fmt: skip
    about = json.loads((built / "model.json").read_text())
    assert (about["mode"], about["batch"], about["images"]["data"]) == ("branch", 1, "digits")


def test_predictions(folder: Path) -> None:
    images = [folder / "0.png", folder / "1.png"]
    done = dagdsl("run", folder / "built", *images, "--format", "json", "--top", 10)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert [answer["image"] for answer in answers] == list(map(str, images))
    for answer in answers:
        assert {entry["class"] for entry in answer["classes"]} == set("0123456789")
        assert sum(e["probability"] for e in answer["classes"]) == pytest.approx(1, abs=1e-4)
        assert all(0.4 < edge["weight"] < 1 for edge in answer["routes"]["s"])
    shown = dagdsl("run", folder / "built", *images).stdout
    first = answers[0]["classes"][0]
    assert f"0.png: {first['class']} ({first['probability']:.0%})" in shown
    assert f"  s: {len(answers[0]['routes']['s'])} open  " in shown


def test_a_build_replaces_the_artefact(folder: Path, tmp_path: Path) -> None:
    built = tmp_path / "built"
    built.mkdir()
    for file in (folder / "built").iterdir():
        (built / file.name).write_bytes(file.read_bytes())
    args = ("build", folder / "tiny.dg", "-o", built, "--backend", "eager")
    assert dagdsl(*args, "--batch", 0).returncode == 2
    assert (built / "model.pt2").exists()
    assert dagdsl(*args).returncode == 0
    assert not list(built.glob("model.pt2")) + list(built.glob("model.json"))
    done = dagdsl("run", built, folder / "0.png")
    assert (done.returncode, "holds no artefact" in done.stderr) == (2, True)


def test_wrong_usage(folder: Path, tmp_path: Path) -> None:
    done = dagdsl("run", folder / "built", folder / "tiny.dg")
    assert (done.returncode, "cannot read the image" in done.stderr) == (2, True)
    for args, complaint in [
        (("--weights", folder), "does not exist"),
        (("--weights", folder / "run", "--set", "width=8"), "belongs to another net"),
        (("--export", "tflite"), "unknown export format `tflite`"),
    ]:
        done = dagdsl("build", folder / "tiny.dg", "-o", tmp_path / "none", *args)
        assert (done.returncode, complaint in done.stderr) == (2, True), done.stderr
        assert not (tmp_path / "none").exists()
