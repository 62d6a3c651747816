"""All operators by name."""

from __future__ import annotations

from types import MappingProxyType

from dagdsl.ops import activation, conv, linear, merge, norm, pool, resize, route
from dagdsl.ops.spec import OpSpec

OPS: MappingProxyType[str, OpSpec] = MappingProxyType(
    {
        spec.name: spec
        for module in (conv, norm, activation, pool, resize, linear, merge, route)
        for spec in module.OPS
    }
)
"""The catalogue: name -> operator."""
