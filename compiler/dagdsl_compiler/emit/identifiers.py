"""Turn the names of an untrusted IR into valid and unambiguous Python identifiers."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable


def plain(text: str) -> str:
    """Replace every character that could end or escape a docstring or comment by `?`."""
    return re.sub(r"[^ -!#-\[\]-~]", "?", text)


def is_attribute(text: str) -> bool:
    """Whether `self.<text>` is a plain attribute: an ASCII name, not reserved and not mangled."""
    return (
        re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) is not None
        and not (text.startswith("__") and not text.endswith("__"))
        and not keyword.iskeyword(text)
    )


def snake(text: str) -> str:
    """A variable name: `n[2]` -> `n2`."""
    name = re.sub(r"\[(\d+)\]", r"\1", text)
    name = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_") or "x"
    return f"x{name}" if name[0].isdigit() else name


def pascal(text: str) -> str:
    """A class name: `inverted_residual` -> `InvertedResidual`."""
    words = [word for word in re.split(r"[\W_]+", text, flags=re.ASCII) if word]
    name = "".join(word[0].upper() + word[1:] for word in words) or "Block"
    return f"Block{name}" if name[0].isdigit() else name


class Names:
    """Hands out unique names. A taken name gets a number as its suffix."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*taken, *keyword.kwlist, *keyword.softkwlist, *dir(builtins)}

    def new(self, preferred: str, *others: str) -> str:
        """The first of these names that is free; if all are taken, the last with a number."""
        free = (name for name in (preferred, *others) if name not in self._taken)
        base = next(free, others[-1] if others else preferred)
        name, count = base, 2
        while name in self._taken:
            name = f"{base}_{count}" if base[-1].isdigit() else f"{base}{count}"
            count += 1
        self._taken.add(name)
        return name

    def child(self) -> Names:
        """The names of a nested scope. It starts with the names that are taken here."""
        return Names(self._taken)
