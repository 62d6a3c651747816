"""A net <-> the text of an `ir.json`, which pydantic checks: every field, and no other ones."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from dagdsl.ir.nodes import Net


@cache
def _adapter() -> TypeAdapter[Net]:
    return TypeAdapter(Net)


def to_json(net: Net) -> str:
    """The text of an `ir.json`."""
    return _adapter().dump_json(net, indent=1).decode() + "\n"


def from_json(text: str) -> Net:
    """Read an `ir.json`. Raises ValueError on anything else."""
    return _adapter().validate_json(text)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `ir.json`."""
    return _adapter().json_schema()


def content_of(net: Net) -> str:
    """What makes two nets the same: graph and outputs, not the name or the settings."""
    content = _adapter().dump_python(net, mode="json", include={"ir_version", "graph", "outputs"})
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
