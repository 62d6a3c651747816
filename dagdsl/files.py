"""Bytes or text -> a file on disk that is always either the old one or the new one, never half.

Every OSError becomes a UsageError of one sentence that names the path.
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
    """A binary file that takes the place of `path` when the block ends without an exception.

    Raises UsageError when the file cannot be written, and whatever the block raises; in both cases
    the old file is untouched and nothing is left behind. A link is followed. Something that is
    no plain file (a pipe, `/dev/stdout`) cannot be replaced and is written to directly.
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
    """Delete the temporary files of writers that were killed; no other may be at work there."""
    with _as_usage_error("clean up", folder):
        for temporary in folder.glob(".*.tmp"):
            temporary.unlink(missing_ok=True)


def read_text(path: Path) -> str:
    """The content of a UTF-8 file. Raises UsageError."""
    with _as_usage_error("read", path):
        try:
            return path.read_bytes().decode()
        except UnicodeDecodeError:
            raise UsageError(f"cannot read {path}: it is no UTF-8 text") from None


def make_folder(path: Path) -> Path:
    """Create a folder and its parents where they are missing; returns it. Raises UsageError."""
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
