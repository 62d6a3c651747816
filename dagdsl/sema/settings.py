"""What is set from outside (`--set tau=0.2`, `load(..., tau=0.2)`) -> values of params."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Value

Setting: TypeAlias = Value
Settings: TypeAlias = Mapping[str, Setting]

_BOOLS = {"true": True, "false": False}
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a string",
}


def parse_setting(name: str, given: Setting, type: str | None) -> Value:
    """A setting as a value of the type of its param; text is read as that type is written.

    Raises UsageError if it is none.
    """
    value: Value | None = given
    if isinstance(given, str) and type != "str":
        value = _read(given, type)
    match type, value:
        case ("int", int()) | ("bool", bool()) | ("str", str()):
            if type == "bool" or not isinstance(value, bool):
                return value
        case "float", int() | float() if not isinstance(value, bool):
            return float(value)
        case None, value if value is not None:
            return value
    raise UsageError(f"`{name}` must be {_KINDS.get(type or '', 'a value')}, not `{given}`")


def _read(text: str, type: str | None) -> Value | None:
    """Text as a value: of the type asked for, or of the first that it can be."""
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
