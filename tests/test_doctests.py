"""The examples in docstrings run and give what they show."""

from __future__ import annotations

import doctest
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import torch
from PIL import Image

import dagdsl
import dagdsl_compiler

ROOT = Path(__file__).parents[1]
MINIMUM = 50
"""Docstrings with examples. Fewer would mean that they are no longer found."""


def modules() -> Iterator[str]:
    for package in (dagdsl, dagdsl_compiler):
        yield package.__name__
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield found.name


def with_examples() -> list[str]:
    """The modules whose source has an example; the others need not be imported."""
    return [name for name in modules() if ">>> " in source_of(name)]


def source_of(module: str) -> str:
    for base in (ROOT, ROOT / "compiler"):
        path = base.joinpath(*module.split("."))
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.exists():
                return file.read_text(encoding="utf-8")
    return ""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working directory of the examples."""
    folder = tmp_path_factory.mktemp("doctests")
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> None:
    """A run in `runs/quickstart`."""
    net = dagdsl.load(ROOT / "examples/quickstart.dg", width=8, depth=2)
    out = folder / "runs" / "quickstart"
    dagdsl.train(net, data="digits", epochs=1, batch_size=256, device="cpu", out=out)


@pytest.fixture(scope="module")
def artefact(folder: Path) -> None:
    """An artefact with trained weights in `build/trained`, and an image."""
    net = dagdsl.loads(
        "net Tiny { input image: f32[1, 8, 8]  node logits: gap |> fc(10)"
        "  image -> logits  output logits }"
    )
    out = folder / "runs" / "tiny"
    dagdsl.train(net, data="digits", epochs=1, batch_size=256, device="cpu", out=out)
    dagdsl.build(net, folder / "build" / "trained", weights=out)
    (folder / "images").mkdir()
    Image.effect_mandelbrot((20, 30), (-2, -1, 1, 1), 10).save(folder / "images" / "digit.png")


NEEDS = {"run": "runs/quickstart", "artefact": "build/trained"}
"""Fixture -> the path by which an example shows that it needs it."""


@pytest.mark.parametrize("name", with_examples())
def test_examples(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    for fixture, path in NEEDS.items():
        if path in source_of(name):
            request.getfixturevalue(fixture)
    monkeypatch.chdir(folder)
    torch.manual_seed(0)
    failed, tried = doctest.testmod(import_module(name))
    assert tried
    assert not failed


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    count = sum(
        bool(found.examples)
        for name in with_examples()
        for found in finder.find(import_module(name))
    )
    assert count >= MINIMUM


@pytest.mark.parametrize("name", sorted(set(dagdsl.__all__) - {"__version__"}))
def test_each_public_name_has_an_example(name: str) -> None:
    documented = getattr(dagdsl, name).__doc__ or ""
    assert ">>> " in documented
