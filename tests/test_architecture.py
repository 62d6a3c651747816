"""The promises about imports: what starts fast stays free of torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "torchvision", "numpy", "sklearn", "dagdsl_compiler")

COMMANDS = {
    "check": ["check", "examples/quickstart.dg"],
    "graph": ["graph", "examples/quickstart.dg", "-o", "{folder}/net.svg"],
    "help": ["--help"],
}


def modules_after(code: str, watched: tuple[str, ...] = HEAVY) -> str:
    report = f"print([m for m in {watched} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\n{report}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("command", COMMANDS)
def test_command_does_not_import_torch(command: str, tmp_path: Path) -> None:
    args = [arg.format(folder=tmp_path) for arg in COMMANDS[command]]
    code = f"from dagdsl.cli.app import run; run({args!r})"
    assert modules_after(code) == "[]"


def test_language_server_does_not_import_torch() -> None:
    assert modules_after("import dagdsl.lsp.server") == "[]"


def test_library_does_not_import_torch() -> None:
    assert modules_after("import dagdsl; dagdsl.load('examples/quickstart.dg')") == "[]"


def test_help_parses_nothing() -> None:
    """`--help` must not even build the parser or the IR: it answers before one can blink."""
    code = "from dagdsl.cli.app import run; run(['--help'])"
    assert modules_after(code, ("lark", "pydantic")) == "[]"


def test_plain_check_imports_only_what_checks() -> None:
    """Options, tables of the grammar, pictures of mistakes: nothing of it for a good file."""
    code = "from dagdsl.cli.app import run; run(['check', 'examples/quickstart.dg'])"
    assert modules_after(code, ("lark", "typer", "rich", "networkx")) == "[]"
