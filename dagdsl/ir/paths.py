"""IR -> paths: what each element is called, in a checkpoint and for people.

`paths_of(net)` mirrors the IR: a `GraphPaths` for each graph and an `ElementPath` for each node,
edge, router, block and op, in the order of the IR. A walk zips the two:

    for node, at in zip(graph.nodes, paths.nodes, strict=True):
        for step, inner in zip(node.steps, at.steps, strict=True): ...

Names are assigned in that order; a taken name gets the suffix `_2`, `_3`, ... An op's name does not
depend on whether the op has parameters. The module paths are the contract of a checkpoint.
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
    recompile shape_env to_folder
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
class ElementPath:
    """Where a node, edge, router, block or op stands in its net.

    `module` is the path of its module (`s1.n.2.ir.conv_2`; empty if it has none). `label` is how
    messages name it (`s1.n[2].ir.conv_2`). `steps` are the paths of its steps; an op has none.
    """

    module: str
    label: str
    steps: tuple[ElementPath | GraphPaths, ...] = ()

    @property
    def identifier(self) -> str:
        """The module path as one Python identifier: `s1_n_2_ir_conv_2`."""
        return self.module.replace(".", "_")


@dataclass(frozen=True, slots=True)
class GraphPaths:
    """The paths in a graph, each tuple in the order of the graph's own.

    `module` and `label` are those of the element that the graph stands in. `routes` is the key of
    the graph's routes.
    """

    module: str
    label: str
    routes: str
    nodes: tuple[ElementPath, ...]
    edges: tuple[ElementPath, ...]
    routers: tuple[ElementPath, ...]

    @property
    def identifier(self) -> str:
        """The module path as one Python identifier; empty for the net's own graph."""
        return self.module.replace(".", "_")


def paths_of(net: Net) -> GraphPaths:
    """The paths of everything in `net`."""
    return _Namer().graph(net.graph, _Place("", ""))


def graphs_of(net: Net) -> Iterator[tuple[Graph, GraphPaths]]:
    """All graphs of a net with their paths, the outer before the inner."""
    yield from _graphs(net.graph, paths_of(net))


def _graphs(graph: Graph, paths: GraphPaths) -> Iterator[tuple[Graph, GraphPaths]]:
    yield graph, paths
    for node, at in zip(graph.nodes, paths.nodes, strict=True):
        for inner in outer_graphs(node.steps, at.steps):
            yield from _graphs(*inner)
    for edge, at in zip(graph.edges, paths.edges, strict=True):
        for inner in outer_graphs(edge.steps, at.steps):
            yield from _graphs(*inner)


def outer_graphs(
    steps: Iterable[Step], paths: Iterable[ElementPath | GraphPaths]
) -> Iterator[tuple[Graph, GraphPaths]]:
    """The graphs among steps and in their blocks, with their paths; not those inside them."""
    for step, path in zip(steps, paths, strict=True):
        if isinstance(step, Graph) and isinstance(path, GraphPaths):
            yield step, path
        elif isinstance(step, Block) and isinstance(path, ElementPath):
            yield from outer_graphs(step.steps, path.steps)


def graphs_in(steps: Iterable[Step]) -> Iterator[Graph]:
    """All graphs among steps, and those inside them: `graphs_in((net.graph,))` for a net."""
    for step in steps:
        if isinstance(step, Graph):
            yield step
            for node in step.nodes:
                yield from graphs_in(node.steps)
            for edge in step.edges:
                yield from graphs_in(edge.steps)
        elif isinstance(step, Block):
            yield from graphs_in(step.steps)


def plain(name: str) -> str:
    """A node's name as an identifier: `n[2]` becomes `n_2`."""
    return name.replace("[", "_").replace("]", "")


@dataclass(slots=True)
class _Place:
    """An element whose names are being assigned."""

    module: str
    label: str
    taken: set[str] = field(default_factory=set)
    arrays: dict[str, _Place] = field(default_factory=dict)

    def claim(self, name: str, label: str | None = None) -> _Place:
        """The element `name` in this one, under a free name; `label` replaces its label."""
        free = f"{name}_" if name in RESERVED or name.startswith("_") else name
        number = 1
        while free in self.taken:
            number += 1
            free = f"{name}_{number}"
        self.taken.add(free)
        return _Place(_join(self.module, free), _join(self.label, free) if label is None else label)

    def claim_node(self, name: str) -> _Place:
        """The place of a node: `n[2]` is `2` in `n`, which the whole array shares."""
        label = _join(self.label, name)
        indexed = _INDEXED.fullmatch(name)
        if indexed is None:
            return self.claim(name, label)
        array = indexed["array"]
        if array not in self.arrays:
            self.arrays[array] = self.claim_node(array)
        return self.arrays[array].claim(indexed["index"], label)


class _Namer:
    def __init__(self) -> None:
        self._routes: set[str] = set()

    def graph(self, graph: Graph, place: _Place) -> GraphPaths:
        nodes = [self._node(node, place) for node in graph.nodes]
        edges = self._edges(graph.edges, place)
        routers: list[ElementPath] = []
        if graph.routers:
            inside = place.claim("routers")
            routers = [
                self._element(router.steps, inside.claim(router.name)) for router in graph.routers
            ]
        return GraphPaths(
            place.module, place.label, self._key(graph, place), tuple(nodes), edges, tuple(routers)
        )

    def _node(self, node: Node, place: _Place) -> ElementPath:
        return self._element(node.steps, place.claim_node(node.name))

    def _edges(self, edges: Iterable[Edge], place: _Place) -> tuple[ElementPath, ...]:
        inside: _Place | None = None
        paths = []
        for edge in edges:
            arrow = f"{edge.source} -> {edge.target}"
            label = f"{place.label}: {arrow}" if place.label else arrow
            if not edge.steps:
                paths.append(ElementPath("", label))
                continue
            if inside is None:
                inside = place.claim("edges")
            name = f"{plain(edge.source)}_to_{plain(edge.target)}"
            paths.append(self._element(edge.steps, inside.claim(name, label)))
        return tuple(paths)

    def _element(self, steps: Iterable[Step], place: _Place) -> ElementPath:
        return ElementPath(
            place.module, place.label, tuple(self._step(step, place) for step in steps)
        )

    def _step(self, step: Step, place: _Place) -> ElementPath | GraphPaths:
        if isinstance(step, Op):
            claimed = place.claim(step.op)
            return ElementPath(claimed.module, claimed.label)
        if isinstance(step, Block):
            return self._element(step.steps, place.claim(step.name))
        return self.graph(step, place)

    def _key(self, graph: Graph, place: _Place) -> str:
        key = base = place.module or ROUTES_OF_NET
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
