"""What a diagnostic is: a code, a place, a sentence, and what would help."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dagdsl.source import Span


class Severity(StrEnum):
    """How bad it is: an `ERROR` stops the build, a `WARNING` does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A secondary place and what to know about it, shown under the main one."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `text` in the place of what stands at `span`."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that mend a mistake, all of them together; `title` says what they do."""

    title: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about a `.dg` file.

    `message` is a sentence without a full stop; `label` is the few words under the caret; `notes`
    point at other places; `help` says what to write instead. There is a `fix` where that is the
    one right answer.
    """

    code: str
    message: str
    span: Span
    severity: Severity = Severity.ERROR
    label: str = ""
    notes: tuple[Label, ...] = ()
    help: str = ""
    fix: Fix | None = None


class InvalidSource(Exception):
    """A `.dg` file has errors; `diagnostics` is everything found in it, in order."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        return "\n".join(
            f"{d.span!r}: {d.severity}[{d.code}]: {d.message}" + (f" ({d.help})" if d.help else "")
            for d in self.diagnostics
        )
