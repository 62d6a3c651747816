"""IR -> the modules of a network, in a tree whose paths are the keys of its checkpoint."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from dagdsl.check.shapes import input_of, output_of, read_by
from dagdsl.ir.nodes import Block, Graph, Net, Op, Router, Shape, Step
from dagdsl_compiler.blocks.catalogue import maker
from dagdsl_compiler.lower.names import GraphNames, Scope
from dagdsl_compiler.runtime.gate import SoftThreshold

Modules = dict[str, nn.Module]


def build_modules(net: Net, names: GraphNames) -> nn.Module:
    """A tree of freshly initialised modules; random numbers are drawn in the order of the IR."""
    modules: Modules = {}
    _graph(net.graph, names, modules)
    root = nn.Module()
    for path, module in modules.items():
        _install(root, path, module)
    return root


def soft_threshold(router: Router, scope: Scope) -> str | None:
    """The path of the threshold of a router that needs one that knows training from evaluation."""
    if router.threshold is None or router.train != "soft":
        return None
    return f"{scope.path}.threshold"


def _graph(graph: Graph, names: GraphNames, modules: Modules) -> None:
    for node, scope in zip(graph.nodes, names.nodes, strict=True):
        _steps(node.steps, scope.steps, input_of(node, graph), modules)
    for edge, scope in zip(graph.edges, names.edges, strict=True):
        _steps(edge.steps, scope.steps, graph.node(edge.source).shape, modules)
    for router, scope in zip(graph.routers, names.routers, strict=True):
        _steps(router.steps, scope.steps, read_by(router, graph), modules)
        path = soft_threshold(router, scope)
        if path is not None and router.threshold is not None:
            modules[path] = SoftThreshold(router.threshold)


def _steps(
    steps: Sequence[Step], names: Sequence[Scope | GraphNames], x: Shape, modules: Modules
) -> None:
    for step, name in zip(steps, names, strict=True):
        match step, name:
            case Graph(), GraphNames():
                _graph(step, name, modules)
            case Block(), Scope():
                _steps(step.steps, name.steps, x, modules)
            case Op(), Scope():
                make = maker(step.op)
                if make is not None:
                    modules[name.path] = make(x, step)
        x = output_of(step)


def vertex_read(graph: Graph, router: Router) -> str:
    """The node whose output a router reads, be it a source or the input of the graph."""
    if router.reads == "source" and router.vertex is not None:
        return router.vertex
    return router.vertex or graph.nodes[0].name


def _install(root: nn.Module, path: str, module: nn.Module) -> None:
    *scopes, name = path.split(".")
    for scope in scopes:
        child = root._modules.get(scope)
        if child is None:
            child = nn.Module()
            root.add_module(scope, child)
        root = child
    root.add_module(name, module)
