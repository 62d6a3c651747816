"""Writes an `fx.Graph` node by node, each with a readable name and the place it comes from."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import fx

from dagdsl.ir.element import Element
from dagdsl.source import Origin

IR = "ir"
"""`node.meta[IR]`: a readable path of the IR, `s1.n[0].ir.conv_2` or `s1: in -> n[0]`."""

ORIGIN = "origin"
"""`node.meta[ORIGIN]`: the `Origin` of that element, None when the net was not read from text."""

_NAMES_IN_CODE = frozenset(
    {"NoneType", "dagdsl_compiler", "device", "fx_pytree", "inf", "nan", "operator", "pytree"}
    | {"self", "torch"}
)
"""Names that the code of an `fx.Graph` uses for itself: no node may hide them."""


@dataclass(frozen=True, slots=True)
class Place:
    """What in the IR an fx node stands for."""

    ir: str
    origin: Origin | None

    @classmethod
    def of(cls, ir: str, element: Element) -> Place:
        """The place of an element of the IR."""
        return cls(ir, element.origin)


REGION = "region"
"""`node.meta[REGION]`: the names of the regions the node stands in, outermost first.

What a region computes is used outside of it through `masked(x, run)` only: it matters in the
samples that `run` marks and in no other. A node without the entry stands in no region.
"""

SHAPE = "shape"
"""`node.meta[SHAPE]`: the shape, without the batch, of what an op, a merge or a region gives.

All that is large has it; routers' arithmetic, a few numbers a sample, does not.
"""


def regions_of(node: fx.Node) -> tuple[str, ...]:
    """The regions a node stands in, outermost first."""
    regions: tuple[str, ...] = node.meta.get(REGION, ())
    return regions


class Writer:
    """Appends to `graph`."""

    def __init__(self) -> None:
        self.graph = fx.Graph()
        self._regions: tuple[str, ...] = ()

    @contextmanager
    def region(self, name: str) -> Iterator[None]:
        """What is written inside stands in the region `name`; see `REGION`."""
        outer = self._regions
        self._regions = (*outer, name)
        yield
        self._regions = outer

    def input(self, name: str, place: Place) -> fx.Node:
        """An argument of the graph."""
        argument = _free(name)
        return self._mark(self.graph.create_node("placeholder", argument, name=argument), place)

    def call(
        self, name: str, place: Place, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> fx.Node:
        """A call of a function."""
        node = self.graph.create_node("call_function", function, args, kwargs, name=_free(name))
        return self._mark(node, place)

    def module(self, name: str, place: Place, path: str, *args: fx.Node) -> fx.Node:
        """A call of the module at `path`."""
        node = self.graph.create_node("call_module", path, args, name=_free(name))
        return self._mark(node, place)

    def item(self, name: str, place: Place, of: fx.Node, index: int) -> fx.Node:
        """An item of a list of tensors."""
        return self.call(name, place, operator.getitem, of, index)

    def output(self, value: Any, place: Place) -> fx.Node:
        """What the graph returns."""
        return self._mark(self.graph.create_node("output", "output", (value,)), place)

    def _mark(self, node: fx.Node, place: Place) -> fx.Node:
        if self._regions:
            node.meta[REGION] = self._regions
        node.meta[IR] = place.ir
        node.meta[ORIGIN] = place.origin
        return node


def _free(name: str) -> str:
    return f"{name}_" if name in _NAMES_IN_CODE else name
