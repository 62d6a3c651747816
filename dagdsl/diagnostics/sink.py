"""The sink to which all phases report diagnostics. It drops duplicates and sorts them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

from dagdsl.diagnostics.codes import CODES
from dagdsl.diagnostics.model import Diagnostic, Edit, Fix, Label, Severity
from dagdsl.source import Frame, Origin, Span


class Sink:
    """Collects diagnostics. A phase reports and continues; only the front end stops on errors."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, int, str], Diagnostic] = {}
        self.frames: tuple[Frame, ...] = ()
        """The block expansions in progress. A wrong value may be wrong only in these."""

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
        """Report a mistake. An `Origin` adds a note for each expansion that led to it."""
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
        """Report something that is allowed but probably unintended."""
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
        # Node arrays and repeated blocks report the same mistake many times: keep the first.
        self._found.setdefault((code, span.file.name, span.start, message), diagnostic)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Add the diagnostics of another sink."""
        for found in diagnostics:
            key = (found.code, found.span.file.name, found.span.start, found.message)
            self._found.setdefault(key, found)

    @property
    def has_errors(self) -> bool:
        """Whether any error was reported."""
        return any(d.severity is Severity.ERROR for d in self._found.values())

    def sorted(self) -> list[Diagnostic]:
        """All diagnostics in source order."""
        return sorted(
            self._found.values(), key=lambda d: (d.span.file.name, d.span.start, d.span.end, d.code)
        )


def _expansion(frame: Frame) -> Label:
    return Label(frame.span, f"in the expansion of {frame.what}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a help text that suggests the closest known name, or an empty string.

    >>> did_you_mean("convv", ["conv", "relu"])
    'did you mean `conv`?'
    """
    close = _close(name, known, 1)
    return f"did you mean `{close[0]}`?" if close else ""


def _close(name: str, known: Iterable[str], count: int) -> list[str]:
    """The `count` most similar names. Case is ignored: other frameworks capitalise some names."""
    spelt = {one.lower(): one for one in known}
    found = get_close_matches(name.lower(), list(spelt), n=count, cutoff=_SURE)
    return [spelt[one] for one in found]


def respelling(name: str, at: Span, known: Iterable[str]) -> Fix | None:
    """Return a fix for a misspelt name if one known name is by far the closest."""
    close = _close(name, set(known), 2)
    if not close:
        return None
    ratios = [SequenceMatcher(None, one.lower(), name.lower()).ratio() for one in close]
    if len(close) == 2 and ratios[0] - ratios[1] < _APART:
        return None
    return Fix(f"change `{name}` to `{close[0]}`", (Edit(at, close[0]),))


_OF_VALUES = frozenset({"DG0301", "DG0302", "DG0304", "DG0305"})
"""Mistakes in values. These depend on the arguments of the enclosing blocks."""
_SURE = 0.6
"""Minimum similarity of a suggested name."""
_APART = 0.1
"""Minimum lead of the best name over the second for an automatic fix."""
