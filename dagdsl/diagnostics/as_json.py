"""Diagnostics -> JSON data for other programs. Lines and columns start at 1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dagdsl.diagnostics.model import Diagnostic
from dagdsl.source import Position


def to_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Return one object per diagnostic, ready for `json.dumps`. `help` may be empty."""
    return [
        {
            "code": diagnostic.code,
            "severity": diagnostic.severity.value,
            "message": diagnostic.message,
            "file": diagnostic.span.file.name,
            "start": _position(diagnostic.span.file.position(diagnostic.span.start)),
            "end": _position(diagnostic.span.file.position(diagnostic.span.end)),
            "help": diagnostic.help,
        }
        for diagnostic in diagnostics
    ]


def _position(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column}
