"""The commands on text: fmt, explain, show, diff, and the formats and fixes of check."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.cli.run import ROOT, command, dagdsl, environment

UGLY = "net N{input x:f32[4] # size\n node y:fc(2)\nx->y output y}"
PRETTY = "net N {\n  input x: f32[4]  # size\n  node y: fc(2)\n  x -> y\n  output y\n}\n"
BROKEN = "net N {\n  input x: f32[4]\n  node y: fcc(2)\n  x -> y\n  output y\n}\n"


@pytest.fixture
def ugly(tmp_path: Path) -> Path:
    path = tmp_path / "ugly.dg"
    path.write_text(UGLY)
    return path


def piped(text: bytes, *args: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command(*args), input=text, capture_output=True, cwd=ROOT, env=environment(), check=False
    )


class TestFmt:
    def test_writes(self, ugly: Path) -> None:
        ugly.chmod(0o640)
        done = dagdsl("fmt", ugly)
        assert (done.returncode, done.stdout) == (0, f"formatted {ugly}\n")
        assert ugly.read_text() == PRETTY
        assert stat.S_IMODE(ugly.stat().st_mode) == 0o640
        assert dagdsl("fmt", ugly).stdout == ""

    def test_check(self, ugly: Path) -> None:
        pretty = ugly.with_name("pretty.dg")
        pretty.write_text(PRETTY)
        done = dagdsl("fmt", "--check", pretty, ugly)
        assert (done.returncode, done.stdout) == (1, f"{ugly} is not formatted\n")
        assert ugly.read_text() == UGLY
        assert dagdsl("fmt", "--check", pretty).returncode == 0

    def test_diff(self, ugly: Path) -> None:
        done = dagdsl("fmt", "--diff", ugly)
        assert done.returncode == 0
        assert "+  x -> y\n" in done.stdout
        assert "\\ No newline at end of file\n" in done.stdout
        assert ugly.read_text() == UGLY
        assert dagdsl("fmt", "--diff", "--check", ugly).returncode == 1

    def test_stdin(self) -> None:
        done = piped(UGLY.encode(), "fmt", "-")
        assert (done.returncode, done.stdout.decode()) == (0, PRETTY)

    @pytest.mark.parametrize("text", [b"net N {", b"\xff", b"\0", b"#" * (1 << 19)])
    def test_unreadable_files_are_left_unchanged(self, text: bytes, tmp_path: Path) -> None:
        done = piped(text, "fmt", "-")
        assert (done.returncode, done.stdout) == (1, b"")
        assert b"error[DG" in done.stderr
        path = tmp_path / "bad.dg"
        path.write_bytes(text)
        done = piped(b"", "fmt", path)
        assert (done.returncode, path.read_bytes()) == (1, text)

    def test_a_broken_file_does_not_stop_the_others(self, ugly: Path) -> None:
        bad = ugly.with_name("bad.dg")
        bad.write_text("net N {")
        assert dagdsl("fmt", bad, ugly, ugly.with_name("missing.dg")).returncode == 1
        assert ugly.read_text() == PRETTY

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_no_permission(self, ugly: Path) -> None:
        ugly.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
        done = dagdsl("fmt", ugly)
        ugly.parent.chmod(stat.S_IRWXU)
        assert done.returncode == 2
        assert ugly.read_text() == UGLY


class TestExplain:
    def test_code(self) -> None:
        done = dagdsl("explain", "dg0301")
        assert done.returncode == 0
        assert done.stdout.startswith("DG0301: wrong type\n\n")
        assert "\nwrong:\n\n    net N {\n" in done.stdout
        assert "\nright:\n\n    net N {\n" in done.stdout

    def test_all(self) -> None:
        lines = dagdsl("explain").stdout.splitlines()
        assert "DG0301  wrong type" in lines
        assert lines == sorted(lines)

    def test_unknown_code(self) -> None:
        done = dagdsl("explain", "DG9301")
        assert done.returncode == 2
        assert "unknown code DG9301: did you mean `DG0301`?" in done.stderr


class TestCheck:
    @pytest.fixture
    def broken(self, tmp_path: Path) -> Path:
        path = tmp_path / "bad.dg"
        path.write_text(BROKEN)
        return path

    def test_concise(self, broken: Path) -> None:
        done = dagdsl("check", broken, "--format", "concise")
        line = f"{broken}:3:11: error[DG0201]: unknown name `fcc` (did you mean `fc`?)\n"
        assert (done.returncode, done.stdout) == (1, line)

    def test_github(self, broken: Path) -> None:
        done = dagdsl("check", broken, "--format", "github")
        assert done.returncode == 1
        assert done.stdout.startswith(f"::error file={broken},line=3,")

    def test_sarif(self, broken: Path) -> None:
        done = dagdsl("check", broken, "--format", "sarif")
        assert done.returncode == 1
        (result,) = json.loads(done.stdout)["runs"][0]["results"]
        assert result["ruleId"] == "DG0201"
        assert result["fixes"]

    @pytest.mark.parametrize("format", ["concise", "github"])
    def test_no_output_without_problems(self, format: str) -> None:
        done = dagdsl("check", "examples/quickstart.dg", "--format", format)
        assert (done.returncode, done.stdout) == (0, "")

    def test_fix(self, broken: Path) -> None:
        done = dagdsl("check", "--fix", broken)
        assert (done.returncode, done.stdout) == (0, f"{broken}: no problems\n")
        assert done.stderr == f"{broken}:3: change `fcc` to `fc`\n"
        assert broken.read_text() == BROKEN.replace("fcc", "fc")

    def test_files_without_a_fix_are_left_unchanged(self, broken: Path) -> None:
        broken.write_bytes(BROKEN.replace("fcc(2)", "fc(2.5)").replace("\n", "\r\n").encode())
        before = broken.read_bytes()
        done = dagdsl("check", "--fix", broken)
        assert done.returncode == 1
        assert broken.read_bytes() == before

    def test_characters_missing_from_the_encoding(self, broken: Path) -> None:
        broken.write_text(BROKEN.replace("fcc", "größe"), encoding="utf-8")
        done = subprocess.run(
            command("check", broken),
            capture_output=True,
            env={**environment(), "PYTHONIOENCODING": "ascii"},
            check=False,
        )
        assert done.returncode == 1
        assert b"gr\\xf6\\xdfe" in done.stdout


class TestShowAndDiff:
    def test_round_trip(self, tmp_path: Path) -> None:
        text = dagdsl("show", "examples/quickstart.dg", "--set", "depth=2")
        assert text.returncode == 0
        shown = tmp_path / "shown.dg"
        shown.write_text(text.stdout)
        assert dagdsl("show", shown).stdout == text.stdout
        assert dagdsl("fmt", "--check", shown).returncode == 0

    def test_same(self, tmp_path: Path) -> None:
        shown = tmp_path / "shown.dg"
        shown.write_text(dagdsl("show", "examples/quickstart.dg").stdout)
        done = dagdsl("diff", "examples/quickstart.dg", shown)
        assert done.returncode == 0
        assert done.stdout.startswith("the same network: ")

    def test_ir_json(self, tmp_path: Path) -> None:
        import dagdsl as library

        path = tmp_path / "ir.json"
        path.write_text(library.load(ROOT / "examples/quickstart.dg", depth=2).to_json())
        assert dagdsl("show", path).stdout.startswith("edition 1\n")
        done = dagdsl("diff", path, "examples/quickstart.dg", "--set", "depth=3")
        assert done.returncode == 1
        assert "+ node s1.n[2]\n" in done.stdout
        assert "  parameters " in done.stdout

    def test_json(self) -> None:
        args = ("diff", "examples/quickstart.dg", "examples/fashion_mnist.dg", "--format", "json")
        done = dagdsl(*args)
        assert done.returncode == 1
        answer = json.loads(done.stdout)
        assert {"kind", "what", "details"} == set(answer["changes"][0])
        assert set(answer["costs"]["parameters"]) == {"before", "after"}
