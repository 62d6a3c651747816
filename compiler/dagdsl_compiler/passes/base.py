"""The interface of passes, and the text form of graphs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar, cast

from torch import fx, nn

from dagdsl_compiler.lower.remarks import Remark
from dagdsl_compiler.lower.writer import IR

_Layer = TypeVar("_Layer", bound=nn.Module)


class Pass(Protocol):
    """A step from graph to graph: a frozen dataclass whose fields are its options.

    It rewrites the graph in place and keeps the provenance of every node. The graph computes the
    same values before and after.
    """

    @property
    def name(self) -> str:
        """The name in dumps and remarks."""
        ...

    def run(self, module: fx.GraphModule) -> Iterable[Remark] | None:
        """Rewrite `module.graph`; the pipeline cleans up, verifies and recompiles.

        Returns remarks on what was done and on what could not be done, or yields them while it
        runs. The caller reads them all. None means no remarks.
        """
        ...


def layer_at(module: fx.GraphModule, node: fx.Node, *kinds: type[_Layer]) -> _Layer | None:
    """The layer that `node` calls, if its class is one of `kinds`; None for all else.

    A subclass, a layer with parametrised weights or one whose `forward` was replaced may compute
    something different from its base class. Passes treat it as an unknown module.
    """
    if node.op != "call_module":
        return None
    layer = module.get_submodule(str(node.target))
    known = type(layer) in kinds and "forward" not in vars(layer)
    return cast("_Layer", layer) if known else None


def dump(module: fx.GraphModule) -> str:
    """The graph as text, one node per line, followed by its path in the IR."""
    lines = [(_line(node), node.meta.get(IR, "?")) for node in module.graph.nodes]
    width = min(80, max(len(line) for line, _ in lines))
    return "".join(f"{line:<{width}}  # {ir}\n" for line, ir in lines)


def _line(node: fx.Node) -> str:
    arguments = [*map(str, node.args), *(f"{k}={v}" for k, v in node.kwargs.items())]
    match node.op:
        case "placeholder":
            return f"{node.name} = input"
        case "output":
            return f"return {', '.join(arguments)}"
        case "get_attr":
            return f"{node.name} = {node.target}"
        case "call_module":
            return f"{node.name} = {node.target}({', '.join(arguments)})"
        case _:
            function = getattr(node.target, "__name__", str(node.target))
            return f"{node.name} = {function}({', '.join(arguments)})"
