"""An independent, slow interpreter of graphs: a loop over samples, with gates as plain numbers.

Implements "What a graph means" in docs/architecture.md, for evaluation only. It shares nothing with
the compiler but the submodules of the model and their names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dagdsl.ir.nodes import Block, Edge, Graph, Net, Op, Router, Step
from dagdsl.ir.paths import ElementPath, GraphPaths, paths_of

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": lambda x: x.clamp_min(0),
    "zero": lambda x: x * 0,
    "gap": lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1),
    "identity": lambda x: x,
}
MODULES = {"conv", "dwconv", "bn", "gn", "fc", "dropout", "learned", "constant", "noise"}


def reference(net: Net, model: nn.Module, *inputs: Tensor) -> tuple[Any, dict[str, Tensor]]:
    """Return outputs and routes of `net`, computed one sample at a time.

    `inputs` have the shape `[B, *shape]`. Routes are `[B, N, N]` for each graph with routers.
    """
    assert not model.training
    runs = []
    with torch.no_grad():
        for sample in zip(*inputs, strict=True):
            run = _Run(model)
            names = paths_of(net)
            given = {n.name: x[None] for n, x in zip(net.inputs, sample, strict=True)}
            runs.append((run.graph(net.graph, names, given), run.routes))
    values = {name: torch.cat([value[name] for value, _ in runs]) for name in runs[0][0]}
    outputs: dict[str, Any] = {}
    for output in net.outputs:
        value = output.value
        if isinstance(value, str):
            outputs[output.name] = values[value]
        else:
            outputs[output.name] = {tap: values[name] for tap, name in value.items()}
    routes = {key: torch.stack([routes[key] for _, routes in runs]) for key in runs[0][1]}
    single = len(net.outputs) == 1 and isinstance(net.outputs[0].value, str)
    return (outputs[net.outputs[0].name] if single else outputs), routes


@dataclass
class _Run:
    """Runs one sample through the net and collects its routes."""

    model: nn.Module
    routes: dict[str, Tensor] = field(default_factory=dict)

    def steps(self, steps: Sequence[Step], names: Sequence[Any], x: Any) -> Any:
        for step, name in zip(steps, names, strict=True):
            if isinstance(step, Op):
                if step.op in MODULES:
                    module = self.model.get_submodule(name.module)
                    x = module() if x is None else module(x)
                else:
                    x = FUNCTIONS[step.op](x)
            elif isinstance(step, Block):
                x = self.steps(step.steps, name.steps, x)
            else:
                x = self.graph(step, name, {"in": x})["out"]
        return x

    def graph(
        self, graph: Graph, names: GraphPaths, values: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        values = dict(values)
        alive = dict.fromkeys(values, True)
        index = {node.name: i for i, node in enumerate(graph.nodes)}
        adjacency = torch.zeros(len(index), len(index))
        edge_names = {
            (e.source, e.target): n for e, n in zip(graph.edges, names.edges, strict=True)
        }

        def carry(edge: Edge) -> Tensor:
            steps = edge_names[edge.source, edge.target].steps
            out = self.steps(edge.steps, steps, values[edge.source])
            assert isinstance(out, Tensor)
            return out

        def weights(router: Router, at: ElementPath) -> list[tuple[float, bool]]:
            read: Tensor | None = None
            if router.reads == "source":
                read = values[router.vertex or ""]
            elif router.reads == "target":
                carried = [carry(e) for e in graph.edges_into(router.vertex or "")]
                read = torch.stack(carried).sum(0)
            elif router.reads == "stage":
                read = values["in"]
            logits = self.steps(router.steps, at.steps, read)[0].tolist()
            return decide(logits, router)

        for node, at in zip(graph.nodes, names.nodes, strict=True):
            if node.kind == "in":
                continue
            edges = graph.edges_into(node.name)
            g: list[float] = []
            opened: list[bool] = []
            candidates: dict[int, float] = {}
            for k, edge in enumerate(edges):
                weight, is_open = 1.0, True
                if edge.gate is not None:
                    router = graph.router(edge.gate.router)
                    router_scope = names.routers[graph.routers.index(router)]
                    weight, is_open = weights(router, router_scope)[edge.gate.index]
                    binary = 1.0 if router.binary else weight
                    if router.threshold is not None:
                        is_open = is_open and weight > router.threshold
                        if router.dead == "keep_strongest" and alive[edge.source]:
                            candidates[k] = weight
                    weight = binary
                opened.append(is_open and alive[edge.source])
                g.append(weight if opened[-1] else 0.0)
            if candidates and not any(opened):
                k = max(candidates, key=lambda k: candidates[k])
                gate = edges[k].gate
                assert gate is not None
                is_binary = graph.router(gate.router).binary
                opened[k], g[k] = True, 1.0 if is_binary else candidates[k]
            for edge, weight in zip(edges, g, strict=True):
                adjacency[index[edge.source], index[edge.target]] = weight
            terms = [weight * carry(edge) for edge, weight in zip(edges, g, strict=True)]
            merged = merge(node.merge, terms)
            y = self.steps(node.steps, at.steps, merged)
            alive[node.name] = any(opened)
            values[node.name] = y if alive[node.name] else torch.zeros_like(y)
        if graph.routers:
            self.routes[names.routes] = adjacency
        return values


def merge(kind: str, terms: list[Tensor]) -> Tensor:
    if kind == "sum":
        return torch.stack(terms).sum(0)
    if kind == "mean":
        return torch.stack(terms).mean(0)
    if kind == "max":
        return torch.stack(terms).amax(0)
    if kind == "concat":
        return torch.cat(terms, 1)
    total = torch.ones(())
    for term in sorted(terms, key=Tensor.dim, reverse=True):
        total = total * (term[:, :, None, None] if term.dim() < total.dim() else term)
    return total


def decide(logits: list[float], router: Router) -> list[tuple[float, bool]]:
    """Return for each edge its weight before the threshold and whether it is among the top k."""
    weights: list[tuple[float, bool]] = []
    start = 0
    for size in router.groups:
        group = logits[start : start + size]
        start += size
        if router.activation == "sigmoid":
            group = [1 / (1 + math.exp(-z)) for z in group]
        elif router.activation == "softmax":
            total = sum(math.exp(z) for z in group)
            group = [math.exp(z) / total for z in group]
        elif router.activation == "relu_tanh":
            group = [max(math.tanh(z), 0.0) for z in group]
        elif router.activation == "hard_concrete":
            group = [min(max(1.2 / (1 + math.exp(-z)) - 0.1, 0.0), 1.0) for z in group]
        first = list(range(size))
        if router.topk is not None:
            first = sorted(first, key=group.__getitem__, reverse=True)[: router.topk]
            group = [w if i in first else 0.0 for i, w in enumerate(group)]
        if router.normalise and sum(group) != 0:
            group = [w / sum(group) for w in group]
        weights += [(w, i in first) for i, w in enumerate(group)]
    return weights
