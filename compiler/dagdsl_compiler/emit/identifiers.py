"""Names of an IR, which nobody vouches for -> names that Python takes and that mean one thing."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable


def plain(text: str) -> str:
    """The text without what has a meaning inside a docstring or a comment."""
    return re.sub(r"[^ -!#-\[\]-~]", "?", text)


def is_attribute(text: str) -> bool:
    """Whether `self.text` says what it looks like: an ASCII name, not reserved, not mangled."""
    return (
        re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) is not None
        and not (text.startswith("__") and not text.endswith("__"))
        and not keyword.iskeyword(text)
    )


def snake(text: str) -> str:
    """A name for a variable: `n[2]` gives `n2`."""
    name = re.sub(r"\[(\d+)\]", r"\1", text)
    name = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_") or "x"
    return f"x{name}" if name[0].isdigit() else name


def pascal(text: str) -> str:
    """A name for a class: `inverted_residual` gives `InvertedResidual`."""
    words = [word for word in re.split(r"[\W_]+", text, flags=re.ASCII) if word]
    name = "".join(word[0].upper() + word[1:] for word in words) or "Block"
    return f"Block{name}" if name[0].isdigit() else name


class Names:
    """Hands out names, each once. One that is taken gets a number behind it."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*taken, *keyword.kwlist, *keyword.softkwlist, *dir(builtins)}

    def new(self, wish: str, *others: str) -> str:
        """The first of these names that is not taken; the last of them with a number otherwise."""
        free = (name for name in (wish, *others) if name not in self._taken)
        wish = next(free, others[-1] if others else wish)
        name, count = wish, 2
        while name in self._taken:
            name = f"{wish}_{count}" if wish[-1].isdigit() else f"{wish}{count}"
            count += 1
        self._taken.add(name)
        return name

    def child(self) -> Names:
        """The names of a scope inside this one."""
        return Names(self._taken)
