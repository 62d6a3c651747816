"""All operators by name: those of this package, then those that installed packages add."""

from __future__ import annotations

from typing import Final

from dagdsl.ops import activation, conv, linear, merge, norm, pool, resize, route
from dagdsl.ops.admission import admit
from dagdsl.ops.spec import OpSpec
from dagdsl.registry import Registry

OPS: Final[Registry[OpSpec]] = Registry(
    "dagdsl.ops",
    OpSpec,
    (
        spec
        for module in (conv, norm, activation, pool, resize, linear, merge, route)
        for spec in module.OPS
    ),
    admit,
)
"""The catalogue: name -> operator."""
