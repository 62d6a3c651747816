"""Settings (`--set tau=0.2`, `load(..., tau=0.2)`) -> values of params."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Value
from dagdsl.limits import MAX_LIST
from dagdsl.sema.values import EvalValue

Setting: TypeAlias = Value | list[Value]
Settings: TypeAlias = Mapping[str, Setting]

_BOOLS = {"true": True, "false": False}
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a string",
    "list": "a list like [3, 4]",
}


def as_setting(value: EvalValue) -> Setting | None:
    """Return a value as a setting, or None if it is or contains a pipe or a nested list."""
    if isinstance(value, list):
        items = [item for item in value if isinstance(item, bool | int | float | str)]
        return items if len(items) == len(value) else None
    return value if isinstance(value, bool | int | float | str) else None


def parse_setting(name: str, given: Setting, type: str | None) -> EvalValue:
    """Return a setting as a value of its param's type; a string is parsed as that type.

    Raises UsageError if the setting does not fit.
    """
    value: Setting | None = given
    if isinstance(given, str) and type != "str":
        value = _read_list(given) if type == "list" else _read(given, type)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match value:
        case list() if type in ("list", None):
            if len(value) <= MAX_LIST and as_setting([*value]) is not None:
                return list(value)
        case bool() if type in ("bool", None):
            return value
        case int() | float() if is_number and type == "float":
            return float(value)
        case int() if is_number and type in ("int", None):
            return value
        case float() if type is None:
            return value
        case str() if type in ("str", None):
            return value
    raise UsageError(f"`{name}` must be {_KINDS.get(type or '', 'a value')}, not `{given}`")


def _read_list(text: str) -> list[Value] | None:
    """Parse `[3, 4]` as a list of values; None if it is not one."""
    inner = text.removeprefix("[").removesuffix("]")
    if f"[{inner}]" != text:
        return None
    items = [_read(item.strip().strip('"'), None) for item in inner.split(",") if inner.strip()]
    known = [item for item in items if item not in (None, "")]
    return known if len(known) == len(items) else None


def _read(text: str, type: str | None) -> Value | None:
    """Parse text as the given type, or, without one, as the first type that fits."""
    if text in _BOOLS and type in ("bool", None):
        return _BOOLS[text]
    for kind, convert in (("int", int), ("float", float)):
        if type in (kind, None):
            try:
                value = convert(text)
            except ValueError:
                continue
            if abs(value) < 1 << 53:
                return value
    return text if type is None else None
