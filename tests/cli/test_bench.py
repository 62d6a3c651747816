"""`dagdsl bench` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.run import dagdsl

NET = """
edition 1
router gate = gap |> fc |> sigmoid |> threshold(0.5)
net Tiny {
  input image: f32[3, 8, 8]
  stage s { entry = conv(4)  node n[2]: conv  connect complete via gate }
  node logits: gap |> fc(3)
  image -> s -> logits
  output logits
}
"""
QUICK = ("--backend", "eager", "--rounds", "5", "--batch", "1,2")


def net(folder: Path) -> Path:
    path = folder / "net.dg"
    path.write_text(NET)
    return path


def test_one_line_per_mode(tmp_path: Path) -> None:
    done = dagdsl("bench", net(tmp_path), *QUICK, "--active", "0.5", "--mode", "static,grouped")
    assert done.returncode == 0, done.stderr
    title, header, *rows = done.stdout.splitlines()
    assert title.startswith("Tiny: ")
    assert "torch" in title
    assert header.split()[:3] == ["batch", "active", "ms"]
    assert [row.split()[:3:2] for row in rows[:4]] == [
        ["1", "static"], ["1", "grouped"], ["2", "static"], ["2", "grouped"]
    ]  # fmt: skip
    assert rows[4] == "ratios are relative to static"
    assert "timing batch 2 ..." in done.stderr


def test_stdout_holds_only_json(tmp_path: Path) -> None:
    done = dagdsl("bench", net(tmp_path), *QUICK, "--train", "--format", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["name"] == "Tiny"
    assert result["train"] is True
    assert [(row["name"], row["batch"]) for row in result["rows"]] == [
        ("dense", 1), ("eager", 1), ("dense", 2), ("eager", 2)
    ]  # fmt: skip
    assert all(row["peak_bytes"] > 0 for row in result["rows"])
    assert result["rows"][0]["ratio"] == {"median": 1.0, "spread": 0.0}
    assert result["machine"]["cores"] >= 1


def test_wrong_usage(tmp_path: Path) -> None:
    for option, value, said in (
        ("--batch", "one", "--batch takes numbers"),
        ("--mode", "fastest", "there is no mode `fastest`"),
        ("--against", "resnet50", "torchvision:NAME"),
    ):
        done = dagdsl("bench", net(tmp_path), "--backend", "eager", option, value)
        assert done.returncode == 2
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
