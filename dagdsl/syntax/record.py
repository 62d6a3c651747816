"""`@record`: like `@dataclass(frozen=True, slots=True)`, but defined in a third of the time.

The syntax tree has thirty classes. `dataclass` compiles six methods for each, which takes longer
than parsing a file. `record` compiles only `__init__`; the other methods are shared.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


class Record:
    """Base class of records: immutable, and equal if all fields are equal."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash(_values(self))

    def __repr__(self) -> str:
        shown = zip(type(self).__match_args__, _values(self), strict=True)  # type: ignore[attr-defined]
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown)})"

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """Complete a subclass of `Record`; `dataclasses.fields` and the like work on it."""
    made = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    # The descriptors of the slots bypass `__setattr__`, which refuses to assign.
    space: dict[str, Any] = {f"set_{f.name}": vars(made)[f.name].__set__ for f in fields(made)}  # type: ignore[arg-type]
    formals = []
    for f in fields(made):  # type: ignore[arg-type]
        space[f"default_{f.name}"] = f.default
        formals.append(f.name if f.default is MISSING else f"{f.name}=default_{f.name}")
    names = made.__match_args__  # type: ignore[attr-defined]
    body = "; ".join(f"set_{name}(self, {name})" for name in names)
    exec(f"def __init__(self, {', '.join(formals)}): {body}", space)
    setattr(made, "__init__", space["__init__"])  # noqa: B010 - mypy knows better
    return made


def _values(record: Any) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in record.__match_args__)
