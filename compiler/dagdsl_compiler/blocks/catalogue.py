"""Op -> its module or function, for every tensor and logit op of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from torch import nn

from dagdsl.ir.nodes import Op, Shape
from dagdsl_compiler.blocks import activation, conv, linear, norm, pool, resize, route
from dagdsl_compiler.blocks.added import make_added
from dagdsl_compiler.blocks.spec import Calls, Modules

MODULES: Modules = MappingProxyType(
    {**conv.MODULES, **norm.MODULES, **linear.MODULES, **route.MODULES}
)
"""Ops with parameters, statistics or a training mode."""

CALLS: Calls = MappingProxyType({**activation.CALLS, **pool.CALLS, **resize.CALLS})
"""Ops that are pure functions of their input."""

NOTHING = frozenset({"identity"})
"""Ops that return their input."""


def maker(op: str) -> Callable[[Shape, Op], nn.Module] | None:
    """The function that makes the module of an op; None if the op needs no module."""
    if op in CALLS or op in NOTHING:
        return None
    return MODULES.get(op, make_added)
