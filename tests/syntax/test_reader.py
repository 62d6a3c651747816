from __future__ import annotations

import os
from pathlib import Path

import pytest

from dagdsl.diagnostics.model import Diagnostic
from dagdsl.diagnostics.sink import Sink
from dagdsl.limits import MAX_FILE_BYTES
from dagdsl.source import SourceFile
from dagdsl.syntax.reader import read


def _read(path: Path) -> SourceFile | Diagnostic:
    sink = Sink()
    source = read(path, sink)
    if source is not None:
        assert sink.sorted() == []
        return source
    (diagnostic,) = sink.sorted()
    assert (diagnostic.span.start, diagnostic.span.end) == (0, 0)
    assert diagnostic.span.file == SourceFile(str(path), "")
    return diagnostic


def _code(path: Path) -> str:
    found = _read(path)
    assert isinstance(found, Diagnostic)
    return found.code


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"net A {}\r\n", "net A {}\r\n"),
        (b"\xef\xbb\xbfnet A {}", "net A {}"),
        ("# größe".encode(), "# größe"),
        (b"#" * MAX_FILE_BYTES, "#" * MAX_FILE_BYTES),
    ],
)
def test_text(tmp_path: Path, data: bytes, text: str) -> None:
    path = tmp_path / "a.dg"
    path.write_bytes(data)
    source = _read(path)
    assert isinstance(source, SourceFile)
    assert source.text == text
    assert source.name == str(path)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"net\xff", "DG0002"),
        (b"net\0", "DG0002"),
        ("net A {}".encode("utf-16"), "DG0002"),
        (b"\xed\xa0\x80", "DG0002"),
        (b"#" * (MAX_FILE_BYTES + 1), "DG0003"),
    ],
)
def test_not_text(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "a.dg"
    path.write_bytes(data)
    assert _code(path) == code


def test_unreadable_paths(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert _code(tmp_path / "missing.dg") == "DG0001"
    assert _code(tmp_path) == "DG0001"
    assert _code(tmp_path / "fifo") == "DG0001"
    assert _code(tmp_path / "loop") == "DG0001"
    assert _code(Path("/dev/zero")) == "DG0001"
    assert _code(tmp_path / "zero\0byte") == "DG0001"
    assert _code(tmp_path / ("long" * 1000)) == "DG0001"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.dg"
    path.touch(mode=0)
    assert _code(path) == "DG0001"
