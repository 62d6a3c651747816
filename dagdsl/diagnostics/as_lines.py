"""Diagnostics -> one line each: for `grep` and editors, or as GitHub Actions commands."""

from __future__ import annotations

from dagdsl.diagnostics.model import Diagnostic
from dagdsl.diagnostics.render import visible


def concise(found: Diagnostic) -> str:
    """Format as `net.dg:3:9: error[DG0201]: unknown name `fcc` (did you mean `fc`?)`."""
    at = found.span.file.position(found.span.start)
    help = f" ({found.help})" if found.help else ""
    place = f"{found.span.file.name}:{at.line}:{at.column}"
    return visible(f"{place}: {found.severity}[{found.code}]: {found.message}{help}")


def github(found: Diagnostic) -> str:
    """Format as a workflow command, which GitHub shows in the diff of a pull request."""
    file = found.span.file
    start, end = file.position(found.span.start), file.position(found.span.end)
    properties = {"file": file.name, "line": start.line, "endLine": end.line, "title": found.code}
    if start.line == end.line:
        # GitHub accepts columns only for ranges within one line.
        properties |= {"col": start.column, "endColumn": end.column}
    shown = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    message = found.message + (f"\nhelp: {found.help}" if found.help else "")
    return f"::{found.severity} {shown}::{_data(message)}"


def _data(text: str) -> str:
    text = "\n".join(map(visible, text.split("\n")))
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
