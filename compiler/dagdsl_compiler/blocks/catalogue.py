"""Op -> what computes it, for every tensor and logit op of the catalogue."""

from __future__ import annotations

from types import MappingProxyType

from dagdsl_compiler.blocks import activation, conv, linear, norm, pool, resize, route
from dagdsl_compiler.blocks.spec import Calls, Modules

MODULES: Modules = MappingProxyType(
    {**conv.MODULES, **norm.MODULES, **linear.MODULES, **route.MODULES}
)
"""The ops with parameters, statistics or a training mode."""

CALLS: Calls = MappingProxyType({**activation.CALLS, **pool.CALLS, **resize.CALLS})
"""The ops that are functions of their input alone."""

NOTHING = frozenset({"identity"})
"""The ops whose result is their input."""
