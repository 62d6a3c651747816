"""Writes an `fx.Graph` node by node, each with a readable name and its provenance."""

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
"""`node.meta[ORIGIN]`: the `Origin` of that element; None if the net was not read from text."""

_NAMES_IN_CODE = frozenset(
    {"NoneType", "dagdsl_compiler", "device", "fx_pytree", "inf", "nan", "operator", "pytree"}
    | {"self", "torch"}
)
"""Names that the code of an `fx.Graph` uses for itself: no node may hide them."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """The element of the IR that an fx node comes from."""

    ir: str
    origin: Origin | None

    @classmethod
    def of(cls, ir: str, element: Element) -> Provenance:
        """The provenance of an element of the IR."""
        return cls(ir, element.origin)


REGION = "region"
"""`node.meta[REGION]`: the names of the regions that contain the node, outermost first.

Values of a region are read from outside only through `masked(x, run)`, so they matter only in the
samples that `run` marks. A node without the entry is in no region.
"""

SHAPE = "shape"
"""`node.meta[SHAPE]`: the shape, without the batch, of the output of an op, merge or region.

All large values have this entry. The arithmetic of routers, a few numbers per sample, lacks it.
"""


def regions_of(node: fx.Node) -> tuple[str, ...]:
    """The regions that contain a node, outermost first."""
    regions: tuple[str, ...] = node.meta.get(REGION, ())
    return regions


class Writer:
    """Appends to `graph`."""

    def __init__(self) -> None:
        self.graph = fx.Graph()
        self._regions: tuple[str, ...] = ()

    @contextmanager
    def region(self, name: str) -> Iterator[None]:
        """Nodes written in this context are in the region `name`; see `REGION`."""
        outer = self._regions
        self._regions = (*outer, name)
        yield
        self._regions = outer

    def input(self, name: str, place: Provenance) -> fx.Node:
        """An argument of the graph."""
        argument = _free(name)
        return self._mark(self.graph.create_node("placeholder", argument, name=argument), place)

    def call(
        self, name: str, place: Provenance, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> fx.Node:
        """A call of a function."""
        node = self.graph.create_node("call_function", function, args, kwargs, name=_free(name))
        return self._mark(node, place)

    def module(self, name: str, place: Provenance, path: str, *args: fx.Node) -> fx.Node:
        """A call of the module at `path`."""
        node = self.graph.create_node("call_module", path, args, name=_free(name))
        return self._mark(node, place)

    def item(self, name: str, place: Provenance, of: fx.Node, index: int) -> fx.Node:
        """An item of a list of tensors."""
        return self.call(name, place, operator.getitem, of, index)

    def output(self, value: Any, place: Provenance) -> fx.Node:
        """The outputs of the graph."""
        return self._mark(self.graph.create_node("output", "output", (value,)), place)

    def _mark(self, node: fx.Node, place: Provenance) -> fx.Node:
        if self._regions:
            node.meta[REGION] = self._regions
        node.meta[IR] = place.ir
        node.meta[ORIGIN] = place.origin
        return node


def _free(name: str) -> str:
    return f"{name}_" if name in _NAMES_IN_CODE else name
