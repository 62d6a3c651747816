"""IR -> module paths: the contract of a checkpoint.

`names_of(net)` mirrors the IR: a `GraphNames` for each graph, a `Scope` for each node, edge,
router, block and op, in the order in which the IR lists them. A walk takes the two side by side:

    for node, scope in zip(graph.nodes, names.nodes, strict=True):
        for step, inner in zip(node.steps, scope.steps, strict=True): ...

Names are given out in that order, first come, first served: whoever finds his name taken gets
`_2`, `_3`, ... behind it. An op's name does not depend on whether the op has parameters.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dagdsl.ir.nodes import Block, Edge, Graph, Net, Node, Op, Step

ROUTES_OF_NET = "net"
"""The key of the routes of the net's own graph."""

# Written out, and not read from the installed torch: a key must not change with its version.
_MODULE_ATTRIBUTES = """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double
    dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter
    get_submodule half ipu load_state_dict modules mtia named_buffers named_children named_modules
    named_parameters parameters register_backward_hook register_buffer register_forward_hook
    register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
    register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
    set_extra_state set_submodule share_memory state_dict to to_empty train training type xpu
    zero_grad
"""
_GRAPH_MODULE_ATTRIBUTES = """
    add_submodule code delete_all_unused_submodules delete_submodule graph meta print_readable
    recompile to_folder
"""
_MODEL_ATTRIBUTES = "mode net refresh removed"

RESERVED: frozenset[str] = frozenset(
    [
        *keyword.kwlist,
        *_MODULE_ATTRIBUTES.split(),
        *_GRAPH_MODULE_ATTRIBUTES.split(),
        *_MODEL_ATTRIBUTES.split(),
    ]
)
"""Names no module may have; those that begin with `_` are reserved besides."""

_INDEXED = re.compile(r"(?P<array>.+)\[(?P<index>\d+)\]")


@dataclass(frozen=True, slots=True)
class Scope:
    """The name of a node, edge, router, block or op.

    `path` is that of its module (`s1.n.2.ir.conv_2`, empty for nothing), `ir` is for people
    (`s1.n[2].ir.conv_2`), `steps` are the names of its steps; an op has none.
    """

    path: str
    ir: str
    steps: tuple[Scope | GraphNames, ...] = ()

    @property
    def identifier(self) -> str:
        """The path as one Python identifier: `s1_n_2_ir_conv_2`."""
        return self.path.replace(".", "_")


@dataclass(frozen=True, slots=True)
class GraphNames:
    """The names in a graph, each tuple in the order of the graph's own.

    `path` is the scope the graph stands in; it adds none. `routes` is the key of its routes.
    """

    path: str
    ir: str
    routes: str
    nodes: tuple[Scope, ...]
    edges: tuple[Scope, ...]
    routers: tuple[Scope, ...]

    @property
    def identifier(self) -> str:
        """The path as one Python identifier; empty for the net's own graph."""
        return self.path.replace(".", "_")


def names_of(net: Net) -> GraphNames:
    """The names of everything in `net`."""
    return _Namer().graph(net.graph, _Place("", ""))


def graphs_of(net: Net) -> Iterator[tuple[Graph, GraphNames]]:
    """All graphs of a net with their names, the outer before the inner."""
    yield from _graphs(net.graph, names_of(net))


def _graphs(graph: Graph, names: GraphNames) -> Iterator[tuple[Graph, GraphNames]]:
    yield graph, names
    for node, scope in zip(graph.nodes, names.nodes, strict=True):
        for inner in graphs_in(node.steps, scope.steps):
            yield from _graphs(*inner)
    for edge, scope in zip(graph.edges, names.edges, strict=True):
        for inner in graphs_in(edge.steps, scope.steps):
            yield from _graphs(*inner)


def graphs_in(
    steps: Iterable[Step], names: Iterable[Scope | GraphNames]
) -> Iterator[tuple[Graph, GraphNames]]:
    """The graphs among steps and in their blocks; not those inside these graphs."""
    for step, name in zip(steps, names, strict=True):
        if isinstance(step, Graph) and isinstance(name, GraphNames):
            yield step, name
        elif isinstance(step, Block) and isinstance(name, Scope):
            yield from graphs_in(step.steps, name.steps)


def plain(name: str) -> str:
    """A node's name as an identifier: `n[2]` becomes `n_2`."""
    return name.replace("[", "_").replace("]", "")


@dataclass(slots=True)
class _Place:
    """A scope while its names are given out."""

    path: str
    ir: str
    taken: set[str] = field(default_factory=set)
    arrays: dict[str, _Place] = field(default_factory=dict)

    def claim(self, name: str, ir: str | None = None) -> _Place:
        """The scope `name` in this one, under a name of its own; `ir` replaces what people see."""
        free = f"{name}_" if name in RESERVED or name.startswith("_") else name
        number = 1
        while free in self.taken:
            number += 1
            free = f"{name}_{number}"
        self.taken.add(free)
        return _Place(_join(self.path, free), _join(self.ir, free) if ir is None else ir)

    def claim_node(self, name: str) -> _Place:
        """The scope of a node: `n[2]` is `2` in the scope `n`, which all of the array share."""
        ir = _join(self.ir, name)
        indexed = _INDEXED.fullmatch(name)
        if indexed is None:
            return self.claim(name, ir)
        array = indexed["array"]
        if array not in self.arrays:
            self.arrays[array] = self.claim_node(array)
        return self.arrays[array].claim(indexed["index"], ir)


class _Namer:
    def __init__(self) -> None:
        self._routes: set[str] = set()

    def graph(self, graph: Graph, place: _Place) -> GraphNames:
        nodes = [self._node(node, place) for node in graph.nodes]
        edges = self._edges(graph.edges, place)
        routers: list[Scope] = []
        if graph.routers:
            inside = place.claim("routers")
            routers = [
                self._scope(router.steps, inside.claim(router.name)) for router in graph.routers
            ]
        return GraphNames(
            place.path, place.ir, self._key(graph, place), tuple(nodes), edges, tuple(routers)
        )

    def _node(self, node: Node, place: _Place) -> Scope:
        return self._scope(node.steps, place.claim_node(node.name))

    def _edges(self, edges: Iterable[Edge], place: _Place) -> tuple[Scope, ...]:
        inside: _Place | None = None
        scopes = []
        for edge in edges:
            arrow = f"{edge.source} -> {edge.target}"
            ir = f"{place.ir}: {arrow}" if place.ir else arrow
            if not edge.steps:
                scopes.append(Scope("", ir))
                continue
            if inside is None:
                inside = place.claim("edges")
            name = f"{plain(edge.source)}_to_{plain(edge.target)}"
            scopes.append(self._scope(edge.steps, inside.claim(name, ir)))
        return tuple(scopes)

    def _scope(self, steps: Iterable[Step], place: _Place) -> Scope:
        return Scope(place.path, place.ir, tuple(self._step(step, place) for step in steps))

    def _step(self, step: Step, place: _Place) -> Scope | GraphNames:
        if isinstance(step, Op):
            claimed = place.claim(step.op)
            return Scope(claimed.path, claimed.ir)
        if isinstance(step, Block):
            return self._scope(step.steps, place.claim(step.name))
        return self.graph(step, place)

    def _key(self, graph: Graph, place: _Place) -> str:
        key = base = place.path or ROUTES_OF_NET
        if not graph.is_gated:
            return key
        number = 1
        while key in self._routes:
            number += 1
            key = f"{base}_{number}"
        self._routes.add(key)
        return key


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
