"""A path -> the text behind it; whatever cannot be read is reported, never raised."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from dagdsl.diagnostics.sink import Sink
from dagdsl.limits import MAX_FILE_BYTES
from dagdsl.source import SourceFile, Span

STD: Final = Path(__file__).parent.parent / "std"
"""The standard library."""


class _Unreadable(Exception):
    def __init__(self, code: str, message: str, help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.help = help


def locate(path: Path) -> Path:
    """The path itself, or what `std/...` means where there is no such file: the library's own."""
    if path.parts[:1] != ("std",) or ".." in path.parts or path.exists():
        return path
    return STD.joinpath(*path.parts[1:])


def read(path: Path, sink: Sink, name: str | None = None) -> SourceFile | None:
    """The file at `path`, or None and a diagnostic. Reads only regular files of a sane size.

    People are shown `name`, the path if it is left out.
    """
    return _source(str(path) if name is None else name, lambda: _read_bytes(path), sink)


def read_stream(stream: BinaryIO, name: str, sink: Sink) -> SourceFile | None:
    """`read` for a stream that is open already, such as stdin."""
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
        # Opening a pipe would wait for its writer, and a device never ends: look before opening.
        if not stat.S_ISREG(path.stat().st_mode):
            reason = "it is a directory" if path.is_dir() else "it is not a regular file"
            raise _Unreadable("DG0001", f"cannot read the file: {reason}")
        with path.open("rb") as file:
            return _limited(file)
    except (OSError, ValueError) as error:
        raise _Unreadable("DG0001", f"cannot read the file: {_reason(error)}") from error


def _limited(file: BinaryIO) -> bytes:
    # One byte more than allowed tells, and does not trust the size the system gives.
    data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise _Unreadable("DG0003", f"the file is larger than {MAX_FILE_BYTES >> 10} KiB")
    return data


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Unreadable("DG0002", "the file is UTF-16 text", "save it as UTF-8")
    if b"\0" in data:
        raise _Unreadable("DG0002", "the file is not text: there is a zero byte in it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"the file is not UTF-8: byte 0x{data[error.start]:02x} on line {line}"
        raise _Unreadable("DG0002", message, "save it as UTF-8") from error


def _reason(error: OSError | ValueError) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case PermissionError():
            return "permission denied"
        case OSError(strerror=str(reason)):
            return reason.lower()
        case _:
            return str(error)
