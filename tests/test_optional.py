"""The language works with nothing but its own packages; a missing one costs one feature."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import dagdsl.optional
from dagdsl.errors import UsageError
from dagdsl.optional import PACKAGES, import_optional, missing_package

HIDDEN = ("onnx", "onnxruntime", "onnxscript", "scipy", "timm", *PACKAGES)

RUN = """
import json, sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

HIDDEN, arguments = json.loads(sys.argv[1])
sys.meta_path.insert(0, Hidden())
from dagdsl.cli.app import main
sys.argv = ["dagdsl", *arguments]
main()
"""

QUICKSTART = "examples/quickstart.dg"


def run(*arguments: str, hidden: tuple[str, ...] = HIDDEN) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUN, json.dumps([hidden, arguments])]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "command",
    [
        ["check", QUICKSTART],
        ["check", "--format", "json", QUICKSTART],
        ["fmt", "--check", QUICKSTART],
        ["show", QUICKSTART],
        ["diff", QUICKSTART, "examples/fashion_mnist.dg"],
        ["explain", "DG0105"],
        ["--help"],
        ["train", "--help"],
    ],
    ids=lambda command: " ".join(command[:1]) + "-" * (len(command) > 2),
)
def test_language_without_any_of_them(command: list[str]) -> None:
    done = run(*command)
    assert done.returncode in ((0, 1) if command[0] == "diff" else (0,)), done.stderr
    assert "Traceback" not in done.stderr
    assert "needs" not in done.stderr


def test_graph_and_library_without_any_of_them(tmp_path: Path) -> None:
    done = run("graph", QUICKSTART, "-o", str(tmp_path / "net.svg"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "net.svg").read_text().startswith("<svg")
    code = RUN.partition("from dagdsl.cli")[0] + (
        "import dagdsl\n"
        f"net = dagdsl.load({QUICKSTART!r})\n"
        f"assert not dagdsl.check({QUICKSTART!r})\n"
        "assert dagdsl.Net.from_json(net.to_json()) == net\n"
    )
    command = [sys.executable, "-c", code, json.dumps([HIDDEN, []])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["build", QUICKSTART], "needs torch, which is not installed: pip install torch"),
        (["lsp"], "the language server needs dagdsl[lsp], which is not installed: "),
    ],
    ids=["build", "lsp"],
)
def test_one_sentence_and_wrong_usage(command: list[str], sentence: str) -> None:
    done = run(*command)
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.returncode == 2


def test_only_random_graphs_need_networkx() -> None:
    done = run("check", "examples/topologies/randwire.dg")
    assert "drawing a random graph needs networkx, which is not installed" in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("hidden", "data", "sentence"),
    [
        ("sklearn", "digits", "the data set `digits` needs scikit-learn, which is not installed"),
        ("numpy", "digits", "reading data sets needs numpy, which is not installed"),
    ],
)
def test_data_sets(hidden: str, data: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from dagdsl.data import open_data

    hide(monkeypatch, hidden)
    with pytest.raises(UsageError, match=sentence):
        open_data(data, shape=(1, 8, 8))


def test_baselines_need_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    from dagdsl.benchmark.subjects import baseline

    hide(monkeypatch, "torchvision")
    with pytest.raises(UsageError, match="a baseline needs torchvision, which is not installed"):
        baseline("torchvision:resnet18")


def hide(monkeypatch: pytest.MonkeyPatch, hidden: str) -> None:
    def missing(module: str) -> object:
        if module.partition(".")[0] == hidden:
            raise ModuleNotFoundError(f"No module named '{module}'", name=module)
        return __import__("importlib").import_module(module)

    monkeypatch.setattr(dagdsl.optional, "import_module", missing)


def test_a_module_that_is_not_optional() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_optional("no_such_module", "nothing")
    assert missing_package(ModuleNotFoundError("", name="no_such_module"), "nothing") is None
    assert import_optional("json", "nothing") is json
