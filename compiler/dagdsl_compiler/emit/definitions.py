"""The helpers that an emitted file may define.

Their text is the source of the functions that the compiled network runs.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from dagdsl_compiler.blocks.norm import Noise
from dagdsl_compiler.blocks.route import Constant, Learned
from dagdsl_compiler.emit.prelude import GlobalAvgPool, Modules, Steps, Zero, conv, router_fc
from dagdsl_compiler.runtime.aggregate import (
    concat,
    first_confident,
    maximum,
    mean,
    product,
    weighted_sum,
)
from dagdsl_compiler.runtime.gate import (
    binary,
    close,
    close_straight_through,
    hard_concrete,
    keep_strongest,
    normalise,
    relu_tanh,
    softmax,
    strongest,
)
from dagdsl_compiler.runtime.liveness import any_open, masked
from dagdsl_compiler.runtime.routes import adjacency

_ALL: tuple[Callable[..., Any], ...] = (
    Modules,
    Steps,
    conv,
    GlobalAvgPool,
    Zero,
    Noise,
    router_fc,
    Learned,
    Constant,
    softmax,
    relu_tanh,
    hard_concrete,
    strongest,
    normalise,
    binary,
    close,
    close_straight_through,
    keep_strongest,
    any_open,
    masked,
    weighted_sum,
    mean,
    maximum,
    concat,
    product,
    first_confident,
    adjacency,
)

DEFINITIONS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {helper.__name__: helper for helper in _ALL}
)
"""Name -> function or class, in the order in which the file defines them."""


def definition(name: str) -> list[str]:
    """The source lines of a helper."""
    return inspect.getsource(DEFINITIONS[name]).rstrip().split("\n")


def names_in(text: str) -> set[str]:
    """All names that a Python text refers to."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def needed(text: str) -> Sequence[str]:
    """The helpers that a Python text uses, directly or through other helpers."""
    used: set[str] = set()
    texts = [text]
    while texts:
        new = (names_in(texts.pop()) & DEFINITIONS.keys()) - used
        used |= new
        texts += ["\n".join(definition(name)) for name in new]
    return [name for name in DEFINITIONS if name in used]
