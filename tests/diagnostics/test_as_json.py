from __future__ import annotations

import json

from dagdsl.diagnostics.as_json import to_json
from dagdsl.diagnostics.model import Diagnostic, Severity
from dagdsl.source import SourceFile, Span


def test_exact_form() -> None:
    source = SourceFile("net.dg", "net A {\n  x = 3\n}\n")
    diagnostic = Diagnostic(
        "DG0801", "unused name", Span(source, 10, 17), Severity.WARNING, help="leave it out"
    )
    assert json.loads(json.dumps(to_json([diagnostic]))) == [
        {
            "code": "DG0801",
            "severity": "warning",
            "message": "unused name",
            "file": "net.dg",
            "start": {"line": 2, "column": 3},
            "end": {"line": 3, "column": 2},
            "help": "leave it out",
        }
    ]


def test_an_unreadable_file() -> None:
    nowhere = Span(SourceFile("missing.dg", ""), 0, 0)
    (entry,) = to_json([Diagnostic("DG0001", "cannot read the file", nowhere)])
    assert entry["start"] == entry["end"] == {"line": 1, "column": 1}
    assert entry["help"] == ""
