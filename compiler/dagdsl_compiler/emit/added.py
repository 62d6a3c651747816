"""Code for ops that packages add: imports, and calls of the functions that make their modules.

Their source is not copied into `model.py`, because it may have dependencies of its own and its
package may change it. The file imports the package instead, and its docstring says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Block, Net, Op, Shape, Step
from dagdsl.ir.paths import graphs_in
from dagdsl.ops.catalogue import OPS
from dagdsl_compiler.blocks.added import path_of
from dagdsl_compiler.emit.code import ArgCode, CallCode, Code, Hole, literal


def is_added(op: str) -> bool:
    """Whether a package adds this op."""
    return op in OPS and OPS[op].module is not None


def added_code(op: Op, x: Shape) -> Code:
    """The call that makes the module of `op` for an input of shape `x`, without the batch.

    Raises UsageError if the function that makes the module cannot be imported.
    """
    module, name = path_of(op.op)
    if "<" in name or module in ("", "__main__"):
        raise UsageError(
            f"model.py cannot import the module of op `{op.op}`: move it into an importable package"
        )
    axes = ("channels", "height", "width")[: len(x)]
    sizes = tuple(ArgCode(Hole(axis, size)) for axis, size in zip(axes, x, strict=True))
    shape = CallCode("", sizes, "()" if len(x) > 1 else ("(", ",)"))
    params = (ArgCode(_value(param, value), f"{param}=") for param, value in op.params.items())
    return CallCode(f"{alias_of(module)}.{name}", (ArgCode(shape), *params))


def alias_of(module: str) -> str:
    """The alias of an imported Python module: `blur.layers` -> `blur_layers_module`."""
    return f"{module.replace('.', '_')}_module"


def modules_of(net: Net) -> list[str]:
    """The Python modules that the net's ops come from, in alphabetical order."""
    found: set[str] = set()
    for graph in graphs_in((net.graph,)):
        pipes = [node.steps for node in graph.nodes] + [edge.steps for edge in graph.edges]
        pipes += [router.steps for router in graph.routers]
        for steps in pipes:
            found |= {path_of(op.op)[0] for op in _ops(steps) if is_added(op.op)}
    return sorted(found)


def _ops(steps: Sequence[Step]) -> Iterator[Op]:
    for step in steps:
        if isinstance(step, Op):
            yield step
        elif isinstance(step, Block):
            yield from _ops(step.steps)


def _value(name: str, value: object) -> Code:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Hole(name, value) if is_number else literal(value)  # type: ignore[arg-type]
