"""Atomic file writes: a file on disk is either the old one or the new one, never half written.

Every OSError becomes a UsageError, one sentence that names the path.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from dagdsl.errors import UsageError


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a whole file, text as UTF-8. Raises UsageError; then the old file is untouched."""
    with atomic_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a binary file that replaces `path` when the block ends without an exception.

    If the block raises, or if the file cannot be written (UsageError), the old file is untouched
    and no temporary file remains. A symbolic link is followed. Anything but a regular file, such as
    a pipe or `/dev/stdout`, cannot be replaced and is written directly.
    """
    with _as_usage_error("write", path):
        target = Path(os.path.realpath(path))
        if target.exists() and not (target.is_file() or target.is_dir()):
            with target.open("wb") as file:
                yield file
            return
        if target.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                shutil.copymode(target, temporary)
            temporary.replace(target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files of killed writers. No other process may write to `folder`."""
    with _as_usage_error("clean up", folder):
        for temporary in folder.glob(".*.tmp"):
            temporary.unlink(missing_ok=True)


def read_text(path: Path) -> str:
    """Read a UTF-8 file. Raises UsageError."""
    with _as_usage_error("read", path):
        try:
            return path.read_bytes().decode()
        except UnicodeDecodeError:
            raise UsageError(f"cannot read {path}: it is not UTF-8 text") from None


def make_folder(path: Path) -> Path:
    """Create a folder with its parents unless it exists, and return it. Raises UsageError."""
    with _as_usage_error("create the folder", path):
        path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def _as_usage_error(verb: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot {verb} {path}: {reason}") from error
