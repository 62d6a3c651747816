"""Commands and Python snippets of the docs run as they are written, or are listed with a reason.

A shell block runs in a folder with the files it names; a Python block runs after those before it on
the page. What takes minutes, downloads, or needs other tools is listed in `NOT_RUN`; the options,
files, nets and params of its commands are still checked, as are those of commands within the text.
"""

from __future__ import annotations

import ast
import builtins
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest
import typer

import dagdsl
from dagdsl.cli.commands import MODULES, app_for
from tests.docs.pages import CURRENT, PAGES, ROOT, Fence, fences

TRAINS: Final = "trains for a minute; `make demo` and tests/cli do the same on a smaller scale"
COMPILES: Final = "compiles for minutes; tests/cli and tests/export build smaller nets"
NOT_RUN: Final = {
    "README.md": {
        "make demo": "creates a virtual environment and trains for a minute; part of CI",
        "make test": "runs this test",
    },
    "CONTRIBUTING.md": {
        "make demo": "creates a virtual environment and trains for a minute; part of CI",
        "make test": "runs this test",
        ".venv/bin/pip install pre-commit": "downloads, and installs git hooks",
        "OMP_NUM_THREADS=1 .venv/bin/pytest": "part of the suite",
    },
    "deploy.md": {
        "dagdsl train net.dg --data folder:photos": "needs a folder of photographs",
        "dagdsl build net.dg --weights runs/mine": COMPILES,
        "dagdsl run build/mine": "needs the artefact above; tests/cli runs one",
        "TORCH=": "needs the artefact above; tests/export compiles and runs examples/cpp",
        "g++ -std=c++20": "needs the artefact above; tests/export compiles and runs examples/cpp",
        "python -c": "writes the input of the program above",
        "./run_net": "needs the artefact above; tests/export compiles and runs examples/cpp",
        "pip install": "downloads",
        "import os": "loads the artefact above; tests/export loads one the same way",
    },
    "editor.md": {
        "make vsix": "needs node and npm; part of CI",
        "code --install-extension": "needs Visual Studio Code",
    },
    "models.md": {
        "dagdsl build": COMPILES,
        "dagdsl train": "needs a folder of images, and trains for hours",
        "import torchvision, dagdsl": "downloads weights; tests/models loads random ones",
    },
    "modes.md": {
        "dagdsl build": COMPILES,
        "dagdsl profile": "needs a training run; tests/cli profiles one",
    },
    "performance.md": {"dagdsl bench": "measures for minutes; tests/cli runs smaller ones"},
    "training.md": {
        "dagdsl train net.dg --data digits --epochs 40": TRAINS,
        "dagdsl eval runs/mine": "needs the run above; tests/cli evaluates one",
    },
    "extending.md": {"# ": "files of a package, which test_extending.py installs and uses"},
    "pytorch.md": {"class ": "run by test_pytorch.py", "def deep": "run by test_pytorch.py"},
}
"""Page -> beginning of a command or Python block -> why it is not run."""

BEFORE: Final = {
    "models.md": "import dagdsl, torch\nimages = torch.randn(1, 3, 512, 512)\n",
    "modes.md": (
        "import dagdsl, torch\nnet = dagdsl.load('examples/quickstart.dg')\n"
        "trained = dagdsl.compile(net)\nbatches = [torch.randn(4, 1, 8, 8)]\n"
    ),
    "topologies.md": "import dagdsl\n",
}
"""Page -> Python that defines the names which its snippets take for granted."""


def commands(block: Fence) -> Iterator[str]:
    """The commands of a shell block, one per line; a backslash continues a line."""
    for line in block.text.replace("\\\n", " ").splitlines():
        if shlex.split(line, comments=True):
            yield line


def reason(page: Path, text: str) -> str | None:
    """Why a command or Python block is not run; None if it is."""
    found = (why for start, why in NOT_RUN.get(page.name, {}).items() if text.startswith(start))
    return next(found, None)


SHELL: Final = [block for page in PAGES for block in fences(page, "sh")]
PYTHON: Final = [block for page in PAGES for block in fences(page, "python")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that commands name, and `dagdsl` on the PATH."""
    for name in ("examples", "benchmarks"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "net.dg").write_text(fences(ROOT / "docs/tour.md", "dg")[-1].text)
    (tmp_path / "static.dg").write_text((ROOT / "dagdsl/std/models/resnet.dg").read_text())
    program = tmp_path / "bin" / "dagdsl"
    program.parent.mkdir()
    code = "from dagdsl.cli.app import main; main()"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{code}' \"$@\"\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'compiler'}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


RUN: Final = [
    block for block in SHELL if any(reason(block.page, line) is None for line in commands(block))
]


@pytest.mark.parametrize("block", RUN, ids=str)
def test_shell_blocks_run(block: Fence, folder: Path) -> None:
    lines = [line for line in commands(block) if reason(block.page, line) is None]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(b.page == page and not reason(page, b.text) for b in PYTHON)],
    ids=lambda page: page.name,
)
def test_python_blocks_run(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uncompiled, since compiling takes minutes: `torch.compile` must not change results anyway."""
    import torch

    monkeypatch.setenv("TORCHDYNAMO_DISABLE", "1")
    torch.manual_seed(0)
    names: dict[str, Any] = {}
    exec(BEFORE.get(page.name, ""), names)
    for block in PYTHON:
        if block.page == page and not reason(page, block.text):
            run_block(block, names)


def run_block(block: Fence, names: dict[str, Any]) -> None:
    """Run a Python block; a statement with the comment `# raises ERROR` must raise it."""
    lines = block.text.splitlines()
    for statement in ast.parse(block.text).body:
        code = compile(ast.Module([statement], []), str(block), "exec")
        raises = re.search(r"# raises (\w+)$", lines[(statement.end_lineno or 0) - 1])
        expected = getattr(builtins, raises[1]) if raises else None
        with pytest.raises(expected) if expected else nullcontext():
            exec(code, names)


def test_no_reason_is_stale() -> None:
    for page in PAGES:
        texts = [line for block in SHELL if block.page == page for line in commands(block)]
        texts += [block.text for block in PYTHON if block.page == page]
        for start in NOT_RUN.get(page.name, {}):
            assert any(text.startswith(start) for text in texts), f"{page.name}: {start}"


INLINE: Final = re.compile(r"`((?:dagdsl|make|python) [^`]+)`")
"""A command within the text."""


def mentioned() -> Iterator[Any]:
    """Every command of the docs, in shell blocks and in the text, once."""
    seen: set[str] = set()
    for page in CURRENT:
        prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        lines = [line for block in fences(page, "sh") for line in commands(block)]
        for text in [*lines, *(found.replace("\\|", "|") for found in INLINE.findall(prose))]:
            words = shlex.split(text.replace("\n", " "), comments=True)
            line = shlex.join(words)
            if words[0] in ("dagdsl", "make", "python") and line not in seen:
                seen.add(line)
                yield pytest.param(words, id=f"{page.name}: {line}")


@pytest.mark.parametrize("words", list(mentioned()))
def test_commands_exist(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    match words:
        case ["make", *rest]:
            assert {word for word in rest if "=" not in word} <= targets()
        case ["python", "-c", _]:
            pass
        case ["python", "-m", module, *rest]:
            spec = find_spec(module)
            assert spec is not None
            script = Path(spec.origin or "")
            main = script.with_name("__main__.py") if script.name == "__init__.py" else script
            assert_knows(main, rest)
        case ["python", script, *rest]:
            assert_knows(ROOT / script, rest)
        case ["dagdsl", str(option)] if option.startswith("-"):
            assert option in ("--help", "--version")
        case ["dagdsl", name, *rest]:
            assert_parses(name, rest)


def test_the_workflow_runs_targets_of_the_makefile() -> None:
    workflow = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    found = re.findall(r"^ +- run: make ([\w-]+)", workflow, re.MULTILINE)
    assert {"test", "demo"} <= set(found) <= targets()


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([\w-]+):", text, re.MULTILINE))


def assert_knows(script: Path, arguments: list[str]) -> None:
    """Every option is one that the script declares."""
    text = script.read_text(encoding="utf-8")
    for option in (word for word in arguments if word.startswith("-")):
        assert f'"{option}"' in text, f"{script} has no {option}"


def assert_parses(name: str, arguments: list[str]) -> None:
    """The command has these options and values, and the net that it names has these params."""
    assert name in MODULES
    group: Any = typer.main.get_command(app_for([name]))
    command = group.commands[name]
    context = command.context_class(command, info_name=name)
    given, _, _ = command.make_parser(context).parse_args(list(arguments))
    for param in command.params:
        if given.get(param.name):
            param.process_value(context, given[param.name])
    file = str(given.get("file") or "")
    if file.startswith(("std/", "examples/")) and "NAME" not in file:
        from dagdsl.cli.console import load_net

        assert isinstance(
            load_net(Path(file), given.get("set") or [], given.get("net")), dagdsl.Net
        )
