"""Where the phases report to: collects diagnostics, each once, and gives them back sorted."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

from dagdsl.diagnostics.codes import CODES
from dagdsl.diagnostics.model import Diagnostic, Edit, Fix, Label, Severity
from dagdsl.source import Frame, Origin, Span


class Sink:
    """Collects what the phases find. Phases report and carry on; only the front end stops."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, int, str], Diagnostic] = {}
        self.frames: tuple[Frame, ...] = ()
        """The expansions that are being made: a value that is wrong may be so in these alone."""

    def error(
        self,
        code: str,
        at: Span | Origin,
        message: str,
        *,
        label: str = "",
        notes: Iterable[Label] = (),
        help: str = "",
        fix: Fix | None = None,
    ) -> None:
        """Report a mistake. An `Origin` adds a note for each expansion it came through."""
        self._add(Severity.ERROR, code, at, message, label, notes, help, fix)

    def warning(
        self,
        code: str,
        at: Span | Origin,
        message: str,
        *,
        label: str = "",
        notes: Iterable[Label] = (),
        help: str = "",
        fix: Fix | None = None,
    ) -> None:
        """Report something that is allowed and probably not meant."""
        self._add(Severity.WARNING, code, at, message, label, notes, help, fix)

    def _add(
        self,
        severity: Severity,
        code: str,
        at: Span | Origin,
        message: str,
        label: str,
        notes: Iterable[Label],
        help: str,
        fix: Fix | None,
    ) -> None:
        assert code in CODES, f"unregistered diagnostic code {code}"
        origin = at if isinstance(at, Origin) else Origin(at, self.frames * (code in _OF_VALUES))
        span = origin.span
        expansions = tuple(map(_expansion, reversed(origin.frames)))
        labels = (*notes, *expansions)
        diagnostic = Diagnostic(code, message, span, severity, label, labels, help, fix)
        # An array of nodes or a block used often meets the same mistake many times: keep the first.
        self._found.setdefault((code, span.file.name, span.start, message), diagnostic)

    def take(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Take over what was reported to another sink."""
        for found in diagnostics:
            key = (found.code, found.span.file.name, found.span.start, found.message)
            self._found.setdefault(key, found)

    @property
    def has_errors(self) -> bool:
        """Whether anything reported so far stops the build."""
        return any(d.severity is Severity.ERROR for d in self._found.values())

    def sorted(self) -> list[Diagnostic]:
        """Everything reported, in the order in which it stands in the files."""
        return sorted(
            self._found.values(), key=lambda d: (d.span.file.name, d.span.start, d.span.end, d.code)
        )


def _expansion(frame: Frame) -> Label:
    return Label(frame.span, f"in the expansion of {frame.what}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A help text with the known name closest to `name`, or nothing."""
    close = _close(name, known, 1)
    return f"did you mean `{close[0]}`?" if close else ""


def _close(name: str, known: Iterable[str], count: int) -> list[str]:
    """The names most like another; capitals, in which other systems write some, do not count."""
    spelt = {one.lower(): one for one in known}
    found = get_close_matches(name.lower(), list(spelt), n=count, cutoff=_SURE)
    return [spelt[one] for one in found]


def respelling(name: str, at: Span, known: Iterable[str]) -> Fix | None:
    """The fix for a misspelt name, if one known name is closer to it by far than all others."""
    close = _close(name, set(known), 2)
    if not close:
        return None
    ratios = [SequenceMatcher(None, one.lower(), name.lower()).ratio() for one in close]
    if len(close) == 2 and ratios[0] - ratios[1] < _APART:
        return None
    return Fix(f"change `{name}` to `{close[0]}`", (Edit(at, close[0]),))


_OF_VALUES = frozenset({"DG0301", "DG0302", "DG0304", "DG0305"})
"""Mistakes in values, which depend on the arguments of the blocks around them."""
_SURE = 0.6
_APART = 0.1
