"""The commands as a user runs them: output, files and exit codes."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.run import ROOT, command, dagdsl, environment

TINY = """
param width: int = 4 in [4, 8]
router gate = gap |> fc |> sigmoid |> threshold(0.4)
net Tiny(classes: int = 10) {
  input image: f32[1, 8, 8]
  stage s { channels = width stride = 2 node n[2]: conv |> bn |> relu connect complete via gate }
  node logits: gap |> fc(classes)
  image -> s -> logits
  output logits
}
"""
BROKEN = "net N {\n  input x: f32[4]\n  node y: fcc(2)\n  x -> y\n  output y\n}\n"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.dg"
    path.write_text(TINY)
    return path


def train(tiny: Path, *more: object) -> subprocess.CompletedProcess[str]:
    return dagdsl("train", tiny, "--data", "digits", "--epochs", 2, *more, cwd=tiny.parent)


class TestCheck:
    def test_good_file(self, tiny: Path) -> None:
        done = dagdsl("check", tiny)
        assert (done.returncode, done.stdout) == (0, f"{tiny}: no problems\n")

    def test_bad_file(self, tmp_path: Path) -> None:
        path = tmp_path / "bad.dg"
        path.write_text(BROKEN)
        done = dagdsl("check", path)
        assert done.returncode == 1
        assert "error[DG0201]: unknown name `fcc`" in done.stdout
        assert "did you mean `fc`?" in done.stdout

    def test_json(self, tmp_path: Path) -> None:
        path = tmp_path / "bad.dg"
        path.write_text(BROKEN)
        done = dagdsl("check", path, "--format", "json")
        assert done.returncode == 1
        assert json.loads(done.stdout) == [
            {
                "code": "DG0201",
                "severity": "error",
                "message": "unknown name `fcc`",
                "file": str(path),
                "start": {"line": 3, "column": 11},
                "end": {"line": 3, "column": 14},
                "help": "did you mean `fc`?",
            }
        ]

    def test_several_files(self, tiny: Path) -> None:
        bad = tiny.with_name("bad.dg")
        bad.write_text(BROKEN)
        done = dagdsl("check", tiny, bad)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (
            1,
            "2 files: 1 error (1 can be fixed with `--fix`)",
        )

    @pytest.mark.parametrize("content", [b"\x00\x01\x02", b"\xff\xfe\x80net", None])
    def test_unreadable(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "a.dg"
        if content is not None:
            path.write_bytes(content)
        done = dagdsl("check", path)
        assert done.returncode == 1
        assert "error[DG000" in done.stdout


class TestBuild:
    @pytest.fixture
    def built(self, tiny: Path) -> dict[str, object]:
        done = dagdsl(
            "build", tiny, "-o", tiny.parent / "out", "--backend", "eager", "--format", "json",
            "--set", "width=8", "--dump",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        result: dict[str, object] = json.loads(done.stdout)
        return result

    def test_costs(self, built: dict[str, object]) -> None:
        # By hand: entry conv 72 + bn 16, two nodes of conv 576 + bn 16, routers at `in`, `n[0]`
        # and `n[1]` with 3, 2 and 1 outputs of 8 inputs and a bias, logits 80 + 10.
        parameters = 72 + 16 + 2 * (576 + 16) + (3 + 2 + 1) * 9 + 90
        # 16 pixels per feature map; six weighted edges.
        macs = 16 * (72 + 2 * 576) + 6 * 8 + 6 * 8 * 16 + 80
        assert built["parameters"] == parameters
        assert built["macs"] == macs
        assert built["least_macs"] == 16 * 72 + 3 * 8 + 80
        assert (built["nodes"], built["edges"], built["gated_edges"]) == (3, 8, 6)

    def test_files(self, built: dict[str, object], tiny: Path) -> None:
        folder = tiny.parent / "out"
        assert {p.name for p in folder.iterdir()} == {
            "ir.json",
            "graph.txt",
            "model.py",
            "passes",
        }
        assert json.loads((folder / "ir.json").read_text())["name"] == "Tiny"
        assert "weighted_sum" in (folder / "graph.txt").read_text()

    def test_model_is_standalone(self, built: dict[str, object], tiny: Path) -> None:
        import torch

        path = tiny.parent / "out" / "model.py"
        spec = importlib.util.spec_from_file_location("emitted", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert module.Tiny()(torch.zeros(2, 1, 8, 8)).shape == (2, 10)

    def test_ir_can_be_rebuilt(self, built: dict[str, object], tiny: Path) -> None:
        folder = tiny.parent
        done = dagdsl(
            "build", folder / "out" / "ir.json", "-o", folder / "again", "--backend", "eager",
            "--format", "json",
        )  # fmt: skip
        assert json.loads(done.stdout)["ir_hash"] == built["ir_hash"]

    def test_table(self, tiny: Path) -> None:
        done = dagdsl("build", tiny, "-o", tiny.parent / "out", "--backend", "eager")
        assert done.returncode == 0
        assert "logits" in done.stdout
        assert "built" in done.stdout

    @pytest.mark.parametrize(
        ("args", "complaint"),
        [
            (["--set", "width=5"], "`width` must be one of 4, 8, not 5"),
            (["--set", "width=wide"], "`width` must be a whole number, not `wide`"),
            (["--set", "wdith=4"], "there is no param `wdith`"),
            (["--set", "width"], "--set takes name=value"),
            (["--set", "width=4", "--set", "width=8"], "`width` is set twice"),
            (["--backend", "magic"], "there is no backend `magic`"),
            (["--net", "Other"], "there is no net `Other`"),
            (["--mode", "turbo", "--backend", "eager"], "there is no mode `turbo`"),
            (["--pin", "none.json", "--mode", "static", "--backend", "eager"], "none.json"),
        ],
    )
    def test_wrong_usage(self, tiny: Path, args: list[str], complaint: str) -> None:
        done = dagdsl("build", tiny, "-o", tiny.parent / "out", *args)
        assert done.returncode == 2
        assert complaint in done.stderr
        assert not (tiny.parent / "out").exists()

    @pytest.mark.parametrize("mode", ["static", "grouped", "branch"])
    def test_modes(self, tiny: Path, mode: str) -> None:
        done = dagdsl(
            "build", tiny, "-o", tiny.parent / "out", "--backend", "eager", "--mode", mode
        )
        assert done.returncode == 0, done.stderr
        assert f"eager ({mode})" in done.stdout

    def test_explained_passes(self, tiny: Path) -> None:
        args = ("-o", tiny.parent / "out", "--backend", "eager", "--mode", "grouped")
        done = dagdsl("build", tiny, *args, "--explain-passes")
        assert done.returncode == 0, done.stderr
        assert "\nfold_batch_norm\n  + s.entry.bn: folded into s.entry.conv\n" in done.stdout
        assert "\nevaluation_only\n  nothing to do\n" in done.stdout
        assert "- logits.fc: no other layer has the same input\n" in done.stdout
        done = dagdsl("build", tiny, *args, "--explain-passes", "--format", "json")
        steps = {step["name"]: step["remarks"] for step in json.loads(done.stdout)["passes"]}
        assert steps["group_regions"] == [
            {"place": f"s.n[{i}]", "done": True, "reason": "runs on the samples that need it"}
            for i in range(2)
        ]
        done = dagdsl("build", tiny, *args, "--format", "json")
        assert json.loads(done.stdout)["passes"] == []

    def test_pins(self, tiny: Path) -> None:
        pins = tiny.with_name("routes.json")
        pins.write_text('{"s: in -> out": "closed"}')
        done = dagdsl(
            "build", tiny, "-o", tiny.parent / "out", "--backend", "eager", "--mode", "static",
            "--pin", pins, "--format", "json",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "in -> out" in json.loads(done.stdout)["removed"]

    def test_errors_in_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "bad.dg"
        path.write_text(BROKEN)
        done = dagdsl("build", path, "-o", tmp_path / "out")
        assert done.returncode == 1
        assert "DG0201" in done.stderr
        assert not (tmp_path / "out").exists()

    def test_json_of_another_kind(self, tmp_path: Path) -> None:
        path = tmp_path / "ir.json"
        path.write_text('{"ir_version": 1}')
        done = dagdsl("build", path)
        assert done.returncode == 2
        assert "is not an ir.json" in done.stderr

    def test_output_folder_is_a_file(self, tiny: Path) -> None:
        done = dagdsl("build", tiny, "-o", tiny, "--backend", "eager")
        assert done.returncode == 2
        assert tiny.read_text() == TINY


class TestGraph:
    @pytest.mark.parametrize("suffix", ["svg", "dot", "mmd"])
    def test_formats(self, tiny: Path, suffix: str) -> None:
        path = tiny.with_suffix(f".{suffix}")
        assert dagdsl("graph", tiny, "-o", path).returncode == 0
        assert "logits" in path.read_text()

    def test_unknown_format(self, tiny: Path) -> None:
        done = dagdsl("graph", tiny, "-o", tiny.with_suffix(".png"))
        assert done.returncode == 2
        assert "unknown drawing format `png`: choose one of svg, dot, mmd" in done.stderr
        done = dagdsl("graph", tiny, "-o", tiny.with_suffix(""))
        assert done.returncode == 2
        assert "end it in `.svg`" in done.stderr

    def test_full_disk(self, tiny: Path) -> None:
        if not Path("/dev/full").exists():
            pytest.skip("needs /dev/full")
        link = tiny.with_name("full.svg")
        link.symlink_to("/dev/full")
        done = dagdsl("graph", tiny, "-o", link)
        assert done.returncode == 2
        assert "space" in done.stderr

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_no_permission(self, tiny: Path) -> None:
        tiny.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
        done = dagdsl("graph", tiny, "-o", tiny.with_suffix(".svg"))
        tiny.parent.chmod(stat.S_IRWXU)
        assert done.returncode == 2


class TestTrainAndEval:
    def test_run_folder(self, tiny: Path) -> None:
        out = tiny.parent / "run"
        done = train(tiny, "--out", out, "--format", "json")
        assert done.returncode == 0, done.stderr
        summary = json.loads(done.stdout)
        assert summary == json.loads((out / "summary.json").read_text())
        assert {"test_accuracy", "open_edge_rate", "seconds", "ir_hash", "seed"} <= set(summary)
        assert {"metrics.jsonl", "best.safetensors", "last.safetensors"} <= {
            path.name for path in out.iterdir()
        }
        assert len((out / "metrics.jsonl").read_text().splitlines()) == 2

        result = json.loads(dagdsl("eval", out, "--format", "json").stdout)
        assert result["test_accuracy"] == summary["test_accuracy"]
        assert dagdsl("profile", out).returncode == 0
        assert (out / "profile.json").exists()
        shown = dagdsl("eval", out, "--routes", 2).stdout
        assert "test accuracy" in shown
        assert shown.count("test image") == 2

    def test_plain_lines_in_a_pipe(self, tiny: Path) -> None:
        done = train(tiny, "--out", tiny.parent / "run")
        lines = done.stderr.splitlines()
        assert lines[0].startswith("Tiny: ")
        assert [line.split()[1] for line in lines[1:]] == ["1/2", "2/2"]
        assert "\x1b" not in done.stderr

    def test_a_run_is_never_overwritten(self, tiny: Path) -> None:
        out = tiny.parent / "run"
        assert train(tiny, "--out", out).returncode == 0
        before = (out / "last.safetensors").read_bytes()
        again = train(tiny, "--out", out)
        assert again.returncode == 2
        assert "--resume" in again.stderr
        other = train(tiny, "--out", out, "--resume", "--set", "width=8")
        assert other.returncode == 2
        assert "another net" in other.stderr
        assert (out / "last.safetensors").read_bytes() == before

    @pytest.mark.parametrize(
        ("args", "complaint"),
        [
            (["--data", "folder:nowhere"], "nowhere"),
            (["--data", "mnist"], "unknown data set `mnist`"),
            (["--data", "digits", "--set", "classes=7"], "classes=10"),
            (["--data", "digits", "--device", "tpu9"], "tpu9"),
            (["--data", "digits", "--epochs", "0"], "epochs"),
            (["--data", "digits", "--optimizer", "lion"], "optimizer"),
            (["--data", "digits", "--checkpoint-stages", "s,t"], "no stage `t`; there are `s`"),
        ],
    )
    def test_wrong_usage(self, tiny: Path, args: list[str], complaint: str) -> None:
        done = dagdsl("train", tiny, *args, "--out", tiny.parent / "run", cwd=tiny.parent)
        assert done.returncode == 2
        assert complaint in done.stderr
        assert not (tiny.parent / "run" / "last.safetensors").exists()

    @pytest.mark.parametrize("damage", ["truncated", "missing", "of another net"])
    def test_eval_of_a_damaged_run(self, tiny: Path, damage: str) -> None:
        out = tiny.parent / "run"
        assert train(tiny, "--out", out).returncode == 0
        best = out / "best.safetensors"
        if damage == "truncated":
            best.write_bytes(best.read_bytes()[:-100])
        elif damage == "missing":
            best.unlink()
        else:
            other = tiny.parent / "other"
            assert train(tiny, "--out", other, "--set", "width=8").returncode == 0
            best.write_bytes((other / "best.safetensors").read_bytes())
        done = dagdsl("eval", out)
        assert done.returncode == 2
        assert "best.safetensors" in done.stderr

    def test_interrupted_run_can_be_resumed(self, tiny: Path) -> None:
        out = tiny.parent / "run"
        args = ("train", tiny, "--data", "digits", "--epochs", 200, "--out", out)
        # A shell makes background processes ignore interrupts, and child processes inherit that.
        process = subprocess.Popen(
            command(*args),
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            cwd=ROOT,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        deadline = time.monotonic() + 60
        while not (out / "best.safetensors").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "--resume" in said
        assert "Traceback" not in said
        assert json.loads((out / "metrics.jsonl").read_text().splitlines()[0])["epoch"] == 1


def test_help_of_every_command() -> None:
    for name in ("check", "explain", "fmt", "show", "diff", "build", "graph", "train", "eval"):
        done = dagdsl(name, "--help")
        assert done.returncode == 0
        assert "Usage" in done.stdout


def test_unknown_command_and_flag(tiny: Path) -> None:
    assert dagdsl("bild", tiny).returncode == 2
    assert dagdsl("check", tiny, "--formt", "json").returncode == 2


def test_closed_pipe(tiny: Path) -> None:
    line = " ".join(f"'{arg}'" for arg in command("check", tiny))
    done = subprocess.run(
        ["bash", "-c", f"{line} | true"], capture_output=True, text=True, env=environment(),
        check=False,
    )  # fmt: skip
    assert done.stderr == ""


def test_a_bug_is_reported_as_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import dagdsl.frontend, sys\n"
        "def fail(*a, **k): raise ZeroDivisionError('oops')\n"
        "dagdsl.frontend.analyse_file = fail\n"
        "sys.argv = ['dagdsl', 'check', 'examples/quickstart.dg']\n"
        "from dagdsl.cli.app import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(),
        cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "this is a bug in dagdsl (ZeroDivisionError: oops)" in done.stderr
    report = Path(done.stderr.split("details are in ")[1].strip())
    assert "ZeroDivisionError" in report.read_text()
    report.unlink()
