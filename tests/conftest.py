"""Shared by all tests: golden files and a limit on the memory of the process.

A golden file is the expected output of a test, kept beside its input. `--update-golden` rewrites
it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.memory import LIMIT, MIB, Memory

Golden: TypeAlias = Callable[[Path, str], None]
"""Compares a text with the file at a path."""

_memory = Memory()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite golden files instead of comparing them",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Free what the test left behind, and fail it if it raised the process above the limit."""
    yield
    _memory.release()
    if excess := _memory.excess():
        pytest.fail(
            f"{item.nodeid} took the process to {excess // MIB} MiB of resident memory; at most "
            f"{LIMIT // MIB} MiB are allowed",
            pytrace=False,
        )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    update: bool = request.config.getoption("--update-golden")

    def check(path: Path, text: str) -> None:
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        if not path.exists():
            pytest.fail(f"{path} is missing: run pytest --update-golden, then read what it wrote")
        assert text == path.read_text(encoding="utf-8")

    return check
