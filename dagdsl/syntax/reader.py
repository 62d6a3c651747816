"""Read source files. Failures are reported as diagnostics, not raised."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from dagdsl.diagnostics.sink import Sink
from dagdsl.limits import MAX_FILE_BYTES
from dagdsl.source import SourceFile, Span

STD: Final = Path(__file__).parent.parent / "std"
"""The folder of the standard library."""


class _Unreadable(Exception):
    def __init__(self, code: str, message: str, help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.help = help


def locate(path: Path) -> Path:
    """Return the path, or the file of the standard library if `std/...` does not exist."""
    if path.parts[:1] != ("std",) or ".." in path.parts or path.exists():
        return path
    return STD.joinpath(*path.parts[1:])


def read(path: Path, sink: Sink, name: str | None = None) -> SourceFile | None:
    """Return the file at `path`, or report why it cannot be read and return None.

    Only regular files of at most `MAX_FILE_BYTES` are read. Diagnostics show `name`, by default the
    path.
    """
    return _source(str(path) if name is None else name, lambda: _read_bytes(path), sink)


def read_stream(stream: BinaryIO, name: str, sink: Sink) -> SourceFile | None:
    """Like `read`, for an open stream such as stdin."""
    return _source(name, lambda: _limited(stream), sink)


def _source(name: str, read: Callable[[], bytes], sink: Sink) -> SourceFile | None:
    try:
        return SourceFile(name, _decode(read()))
    except _Unreadable as error:
        nowhere = Span(SourceFile(name, ""), 0, 0)
        sink.error(error.code, nowhere, str(error), help=error.help)
        return None


def _read_bytes(path: Path) -> bytes:
    try:
        # Opening a pipe waits for its writer, and a device may never end: check before opening.
        if not stat.S_ISREG(path.stat().st_mode):
            reason = "it is a directory" if path.is_dir() else "it is not a regular file"
            raise _Unreadable("DG0001", f"cannot read the file: {reason}")
        with path.open("rb") as file:
            return _limited(file)
    except (OSError, ValueError) as error:
        raise _Unreadable("DG0001", f"cannot read the file: {_reason(error)}") from error


def _limited(file: BinaryIO) -> bytes:
    # One byte more than allowed shows that it is too large. The reported size may be wrong.
    data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise _Unreadable("DG0003", f"the file is larger than {MAX_FILE_BYTES >> 10} KiB")
    return data


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Unreadable("DG0002", "the file is UTF-16 text", "save it as UTF-8")
    if b"\0" in data:
        raise _Unreadable("DG0002", "the file is not text: it contains a zero byte")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"the file is not UTF-8: byte 0x{data[error.start]:02x} on line {line}"
        raise _Unreadable("DG0002", message, "save it as UTF-8") from error


def _reason(error: OSError | ValueError) -> str:
    match error:
        case FileNotFoundError():
            return "no such file"
        case PermissionError():
            return "permission denied"
        case OSError(strerror=str(reason)):
            return reason.lower()
        case _:
            return str(error)
