"""IR -> the modules of a network, in a tree whose paths are the keys of its checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import nn

from dagdsl.analysis.shapes import input_of, output_of, read_by
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Block, Graph, Net, Op, Router, Shape, Step
from dagdsl.ir.paths import ElementPath, GraphPaths
from dagdsl_compiler.blocks.catalogue import maker
from dagdsl_compiler.runtime.gate import SoftThreshold
from dagdsl_compiler.runtime.scope import ModuleScope, is_scope

Modules = dict[str, nn.Module]


def build_modules(net: Net, paths: GraphPaths) -> nn.Module:
    """A tree of freshly initialised modules; random numbers are drawn in the order of the IR.

    Each node, block, router and edge with steps is a `ModuleScope`, even if it has no parameters.
    """
    modules: Modules = {}
    _graph(net.graph, paths, modules)
    root = ModuleScope()
    for path, module in modules.items():
        _install(root, path, module)
    for path in _elements(net.graph, paths):
        _scope(root, path)
    return root


def module_at(modules: nn.Module, path: str) -> nn.Module:
    """The module at a path. Raises UsageError if it was deleted."""
    try:
        return modules.get_submodule(path)
    except AttributeError:
        raise UsageError(
            f"the model has no module `{path}` any more: it can be replaced, not deleted"
        ) from None


def soft_threshold(router: Router, at: ElementPath) -> str | None:
    """The path of the module for a soft threshold; None if the router has none."""
    if router.threshold is None or router.train != "soft":
        return None
    return f"{at.module}.threshold"


def _graph(graph: Graph, paths: GraphPaths, modules: Modules) -> None:
    for node, at in zip(graph.nodes, paths.nodes, strict=True):
        _steps(node.steps, at.steps, input_of(node, graph), modules)
    for edge, at in zip(graph.edges, paths.edges, strict=True):
        _steps(edge.steps, at.steps, graph.node(edge.source).shape, modules)
    for router, at in zip(graph.routers, paths.routers, strict=True):
        _steps(router.steps, at.steps, read_by(router, graph), modules)
        path = soft_threshold(router, at)
        if path is not None and router.threshold is not None:
            modules[path] = SoftThreshold(router.threshold)


def _steps(
    steps: Sequence[Step], paths: Sequence[ElementPath | GraphPaths], x: Shape, modules: Modules
) -> None:
    for step, name in zip(steps, paths, strict=True):
        match step, name:
            case Graph(), GraphPaths():
                _graph(step, name, modules)
            case Block(), ElementPath():
                _steps(step.steps, name.steps, x, modules)
            case Op(), ElementPath():
                make = maker(step.op)
                if make is not None:
                    modules[name.module] = make(x, step)
        x = output_of(step)


def vertex_read(graph: Graph, router: Router) -> str:
    """The node whose output a router reads: a source, or the input of the graph."""
    if router.reads == "source" and router.vertex is not None:
        return router.vertex
    return router.vertex or graph.nodes[0].name


def is_intact(modules: nn.Module, path: str) -> bool:
    """Whether the scope of a graph and those around it are still those the compiler made."""
    at = modules
    for name in path.split(".") if path else ():
        at = module_at(at, name)
        if not is_scope(at):
            return False
    return True


def _elements(graph: Graph, paths: GraphPaths) -> Iterator[str]:
    """The paths of all nodes but inputs, edges with steps, routers, and the blocks in them."""
    for node, at in zip(graph.nodes, paths.nodes, strict=True):
        if node.kind != "in":
            yield from _elements_in(node.steps, at)
    for edge, at in zip(graph.edges, paths.edges, strict=True):
        if edge.steps:
            yield from _elements_in(edge.steps, at)
    for router, at in zip(graph.routers, paths.routers, strict=True):
        yield from _elements_in(router.steps, at)


def _elements_in(steps: Sequence[Step], at: ElementPath) -> Iterator[str]:
    yield at.module
    for step, inner in zip(steps, at.steps, strict=True):
        match step, inner:
            case Block(), ElementPath():
                yield from _elements_in(step.steps, inner)
            case Graph(), GraphPaths():
                yield from _elements(step, inner)


def _install(root: ModuleScope, path: str, module: nn.Module) -> None:
    scope, _, name = path.rpartition(".")
    _scope(root, scope).add_module(name, module)


def _scope(root: ModuleScope, path: str) -> ModuleScope:
    """The scope at a path, created if it does not exist."""
    for name in path.split(".") if path else ():
        child = root._modules.get(name)
        if child is None:
            child = ModuleScope()
            root.add_module(name, child)
        assert isinstance(child, ModuleScope)
        root = child
    return root
