"""Files are replaced completely or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from dagdsl.errors import UsageError
from dagdsl.files import atomic_file, make_folder, read_text, remove_leftovers, write_atomic


def test_write_replaces_the_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_atomic(target, "long old content")
    write_atomic(target, "né")
    assert target.read_bytes() == "né".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a", b"")
    (tmp_path / "b").write_bytes(b"")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.txt"
    write_atomic(target, "old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match=r"cannot write .*a\.txt: no space left on device"):
        write_atomic(target, "new")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_atomic(target, "old")

    def interrupted() -> None:
        with atomic_file(target) as file:
            file.write(b"ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("path", "reason"), [("no/folder", "no such file"), (".", "it is a folder")]
)
def test_unwritable_path(tmp_path: Path, path: str, reason: str) -> None:
    with pytest.raises(UsageError, match=f"cannot write .*: {reason}"):
        write_atomic(tmp_path / path, "x")


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_atomic(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "x"


def test_special_files_are_written_directly(tmp_path: Path) -> None:
    write_atomic(Path("/dev/null"), "x")
    assert Path("/dev/null").is_char_device()


def test_leftovers_of_killed_writers_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".a.txt.123.tmp").write_text("half")
    (tmp_path / "kept.tmp").write_text("not ours")
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.tmp"]


def test_make_folder(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "a" / "b").is_dir()
    make_folder(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot create the folder .*file"):
        make_folder(tmp_path / "file")


def test_read_text(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_text(tmp_path / "a")
    with pytest.raises(UsageError, match=r"cannot read .*b: no such file"):
        read_text(tmp_path / "b")
