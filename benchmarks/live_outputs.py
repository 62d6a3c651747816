"""Peak memory of evaluation with and without the pass `order_for_memory`, in eager mode.

`python benchmarks/live_outputs.py`; bytes counted by torch's allocator, the same in every run.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import fx

import dagdsl
from dagdsl.benchmark.memory import peak_bytes
from dagdsl.ir.nodes import Net
from dagdsl_compiler.driver import compile

FILES = sorted(Path("examples/topologies").glob("*.dg"))
BATCH = 8


def main() -> None:
    """Print the table."""
    print(f"| net, batch {BATCH} | source order, MiB | ordered, MiB | ratio |")
    print("|---|---:|---:|---:|")
    for path in FILES:
        net = dagdsl.load(path)
        inputs = tuple(torch.randn(BATCH, *node.shape) for node in net.inputs)
        before, after = (_peak(graph, inputs) / 2**20 for graph in _last_two(net))
        print(f"| {path.stem} | {before:.2f} | {after:.2f} | {after / before:.2f} |")


def _last_two(net: Net) -> list[fx.GraphModule]:
    """Return the graph before and after its last pass."""
    graphs: list[fx.GraphModule] = []
    compile(net, mode="static", backend="eager", on_pass=lambda _, m: graphs.append(_copy(m)))
    return graphs[-2:]


def _copy(module: fx.GraphModule) -> fx.GraphModule:
    graph = fx.Graph()
    graph.output(graph.graph_copy(module.graph, {}))
    return fx.GraphModule(module, graph)


@torch.no_grad()
def _peak(graph: fx.GraphModule, inputs: tuple[torch.Tensor, ...]) -> int:
    graph(*inputs)
    return peak_bytes(lambda: graph(*inputs))


if __name__ == "__main__":
    main()
