"""Imports: every module imports alone, and what starts fast stays free of torch."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import dagdsl
import dagdsl_compiler

HEAVY = ("torch", "torchvision", "numpy", "sklearn", "dagdsl_compiler")

COMMANDS = {
    "check": ["check", "examples/quickstart.dg"],
    "graph": ["graph", "examples/quickstart.dg", "-o", "{folder}/net.svg"],
    "help": ["--help"],
    "help of train": ["train", "--help"],
    "help of build": ["build", "--help"],
    "show": ["show", "examples/quickstart.dg"],
    "diff": ["diff", "examples/quickstart.dg", "examples/quickstart.dg"],
    "fmt": ["fmt", "--check", "examples/quickstart.dg"],
    "explain": ["explain", "DG0301"],
}


TORCH_SIDE = (
    "dagdsl_compiler",
    "dagdsl.benchmark",
    "dagdsl.data",
    "dagdsl.prediction",
    "dagdsl.training",
)
LIBRARIES = {
    "language": (
        *("lark", "lsprotocol.types", "networkx", "pydantic.main", "pygls.lsp.server"),
        *("pygments.lexer", "rich.console", "rich.markdown", "rich.progress", "typer"),
    ),
    "torch side": (
        *("numpy", "PIL.Image", "safetensors.torch", "sklearn.datasets", "torch", "torch.fx"),
        *("torch._inductor.config", "torchvision"),
    ),
}
"""What each side imports from elsewhere: loaded once, before the forks. It may be missing."""

IMPORT_EACH_ALONE = """
import gc, importlib, json, os, sys, traceback

failed = []
for libraries, modules in json.loads(sys.argv[1]):
    for name in libraries:
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    assert not [name for name in sys.modules if name.startswith("dagdsl")]
    gc.freeze()
    for name in modules:
        child = os.fork()
        if child == 0:
            try:
                importlib.import_module(name)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            failed.append(name)
sys.exit(f"these cannot be imported alone: {failed}" if failed else 0)
"""


def test_every_module_imports_alone() -> None:
    """Each in a process of its own, in which no other module of dagdsl was imported before."""
    modules: dict[str, list[str]] = {side: [] for side in LIBRARIES}
    for package in (dagdsl, dagdsl_compiler):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            side = "torch side" if module.name.startswith(TORCH_SIDE) else "language"
            modules[side].append(module.name)
    arguments = json.dumps([(LIBRARIES[side], modules[side]) for side in LIBRARIES])
    command = [sys.executable, "-c", IMPORT_EACH_ALONE, arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


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
    """A correct file needs no options parser, no renderer and no random graphs."""
    code = "from dagdsl.cli.app import run; run(['check', 'examples/quickstart.dg'])"
    assert modules_after(code, ("typer", "rich", "networkx")) == "[]"
