"""Writes an `fx.Graph` node by node, each with a readable name and the place it comes from."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import fx

from dagdsl.ir.nodes import Element
from dagdsl.source import Origin

IR = "ir"
"""`node.meta[IR]`: a readable path of the IR, `s1.n[0].ir.conv_2` or `s1: in -> n[0]`."""

ORIGIN = "origin"
"""`node.meta[ORIGIN]`: the `Origin` of that element, None when the net was not read from text."""


@dataclass(frozen=True, slots=True)
class Place:
    """What in the IR an fx node stands for."""

    ir: str
    origin: Origin | None

    @classmethod
    def of(cls, ir: str, element: Element) -> Place:
        """The place of an element of the IR."""
        return cls(ir, element.origin)


class Writer:
    """Appends to `graph`."""

    def __init__(self) -> None:
        self.graph = fx.Graph()

    def input(self, name: str, place: Place) -> fx.Node:
        """An argument of the graph."""
        return self._mark(self.graph.create_node("placeholder", name, name=name), place)

    def call(
        self, name: str, place: Place, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> fx.Node:
        """A call of a function."""
        node = self.graph.create_node("call_function", function, args, kwargs, name=name)
        return self._mark(node, place)

    def module(self, name: str, place: Place, path: str, *args: fx.Node) -> fx.Node:
        """A call of the module at `path`."""
        node = self.graph.create_node("call_module", path, args, name=name)
        return self._mark(node, place)

    def item(self, name: str, place: Place, of: fx.Node, index: int) -> fx.Node:
        """An item of a list of tensors."""
        return self.call(name, place, operator.getitem, of, index)

    def output(self, value: Any, place: Place) -> fx.Node:
        """What the graph returns."""
        return self._mark(self.graph.create_node("output", "output", (value,)), place)

    @staticmethod
    def _mark(node: fx.Node, place: Place) -> fx.Node:
        node.meta[IR] = place.ir
        node.meta[ORIGIN] = place.origin
        return node
