"""The diagnostic: a code, a location, a message, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dagdsl.errors import DagdslError
from dagdsl.source import Span


class Severity(StrEnum):
    """An `ERROR` stops the build, a `WARNING` does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A note about a secondary location, shown below the main one."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the source text at `span` by `text`."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that together correct a mistake; `title` describes them."""

    title: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about a `.dg` file.

    `message` is a sentence without a full stop. `label` is the short text beside the carets.
    `notes` point to related locations. `help` says what to write instead. `fix` is set
    if there is exactly one way to correct the mistake.

    >>> import dagdsl
    >>> dagdsl.check("missing.dg")[0].code
    'DG0001'
    """

    code: str
    message: str
    span: Span
    severity: Severity = Severity.ERROR
    label: str = ""
    notes: tuple[Label, ...] = ()
    help: str = ""
    fix: Fix | None = None


class InvalidSource(DagdslError):
    """A `.dg` file has errors; `diagnostics` lists everything found in it, in source order.

    >>> import dagdsl
    >>> try:
    ...     dagdsl.loads("net N { input x: f32[4]  node y: fcc(2)  x -> y  output y }")
    ... except dagdsl.InvalidSource as error:
    ...     print(error)
    <string>:1:34: error[DG0201]: unknown name `fcc` (did you mean `fc`?)
    """

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        return "\n".join(
            f"{d.span!r}: {d.severity}[{d.code}]: {d.message}" + (f" ({d.help})" if d.help else "")
            for d in self.diagnostics
        )
