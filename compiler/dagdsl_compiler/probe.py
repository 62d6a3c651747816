"""Compares two implementations of a net on probe inputs at all routing extremes.

A build is compared with the eager graph here before it is written. Compiled code for routed nets
has been silently wrong only when all edges were closed, or only when all were open.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dagdsl.ir.nodes import Net
from dagdsl.ir.paths import graphs_of

TOLERANCE = 1e-4
"""Largest error of float32 outputs, relative to the largest value of the output (at least 1)."""
BATCH = 4
_NUDGE = 1e-5
"""A relative and absolute change, larger than rounding errors and smaller than actual faults."""

State = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Deviation:
    """The largest relative error found, and the routing at which it was found."""

    error: float
    routing: str

    @property
    def is_tolerable(self) -> bool:
        """Whether the two implementations agree."""
        return self.error <= TOLERANCE


@torch.no_grad()
def compare(
    net: Net,
    reference: nn.Module,
    candidate: nn.Module,
    *,
    with_routes: bool = False,
    batches: Sequence[int] = (BATCH,),
) -> Deviation:
    """Run both modules in evaluation, with the same weights and inputs, at every routing extreme.

    `batches` are the batch sizes to try. Both modules end with the weights of `reference`.
    Differences are ignored in samples whose routes in `reference` depend on rounding.
    """
    candidates = {"": candidate}
    return compare_each(net, reference, candidates, with_routes=with_routes, batches=batches)[""]


@torch.no_grad()
def compare_each(
    net: Net,
    reference: nn.Module,
    candidates: Mapping[str, nn.Module],
    *,
    with_routes: bool = False,
    batches: Sequence[int] = (BATCH,),
) -> dict[str, Deviation]:
    """Compare several modules with `reference`, like `compare`; return the results by name."""
    kwargs = {"return_routes": True} if with_routes else {}
    start = {name: value.clone() for name, value in reference.state_dict().items()}
    modules = (reference, *candidates.values())
    training = [module.training for module in modules]
    worst = dict.fromkeys(candidates, Deviation(0.0, "as they are"))
    for routing, state in routing_extremes(net, start):
        for module in modules:
            module.load_state_dict(state)
            module.eval()
        for inputs in probe_inputs(net, batches):
            expected = list(_tensors(reference(*inputs, **kwargs)))
            for name, candidate in candidates.items():
                got = list(_tensors(candidate(*inputs, **kwargs)))
                error = _error(expected, got)
                if error > TOLERANCE:
                    sure = _is_sure(net, reference, inputs)
                    error = _error([y[sure] for y in expected], [y[sure] for y in got])
                if error > worst[name].error:
                    worst[name] = Deviation(error, routing)
    for module, mode in zip(modules, training, strict=True):
        module.load_state_dict(start)
        module.train(mode)
    return worst


def probe_inputs(net: Net, batches: Sequence[int] = (BATCH,)) -> Iterator[tuple[Tensor, ...]]:
    """Batches for all inputs of a net: noise, strong noise, zeros, and noise in only one sample.

    The last opens routers that are nearly closed, for one sample of the batch.
    """
    generator = torch.Generator().manual_seed(0)
    shapes = [node.shape for node in net.inputs]
    for size in batches:
        one = torch.zeros(size)
        one[size // 2] = 30.0
        for scale in (torch.ones(size), torch.full((size,), 5.0), torch.zeros(size), one):
            yield tuple(
                scale.view(-1, *(1,) * len(shape)) * torch.randn(size, *shape, generator=generator)
                for shape in shapes
            )


def routing_extremes(net: Net, state: State) -> Iterator[tuple[str, State]]:
    """The unchanged weights, and weights with router biases that open or close edges."""
    yield "as they are", state
    biases = list(_router_biases(net, state))
    if not biases:
        return
    generator = torch.Generator().manual_seed(1)
    moves: dict[str, Callable[[Tensor], Tensor]] = {
        "all edges open": lambda bias: torch.full_like(bias, 12.0),
        "all edges closed": lambda bias: torch.full_like(bias, -12.0),
        "edges all but closed": lambda bias: torch.full_like(bias, -1.0),
        "some edges open": lambda bias: 4 * torch.randn(bias.shape, generator=generator),
    }
    for routing, move in moves.items():
        yield routing, {**state, **{name: move(state[name]) for name in biases}}


def _router_biases(net: Net, state: State) -> Iterator[str]:
    """The last bias before the logits of each router that reads the sample."""
    for graph, paths in graphs_of(net):
        for router, at in zip(graph.routers, paths.routers, strict=True):
            own = [
                name
                for name in state
                if name.startswith(f"{at.module}.") and name.endswith(".bias")
            ]
            if router.reads != "nothing" and own:
                yield own[-1]


def _is_sure(net: Net, reference: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
    """A mask `[B]` of the samples whose open edges stay the same if inputs and biases are nudged.

    If a weight is so close to its threshold that rounding decides, both results are correct.
    """
    generator = torch.Generator().manual_seed(2)
    state = {name: value.clone() for name, value in reference.state_dict().items()}
    biases = list(_router_biases(net, state))

    def nudged(x: Tensor) -> Tensor:
        relative, absolute = torch.randn(2, *x.shape, generator=generator) * _NUDGE
        moved: Tensor = x + x * relative + absolute
        return moved

    def open_edges(inputs: Iterable[Tensor]) -> list[Tensor]:
        _, routes = reference(*inputs, return_routes=True)
        return [weights.flatten(1) != 0 for weights in routes.values()]

    sure = torch.ones(inputs[0].shape[0], dtype=torch.bool)
    before = open_edges(inputs)
    for _ in range(4):
        reference.load_state_dict({**state, **{name: nudged(state[name]) for name in biases}})
        for one, other in zip(before, open_edges(map(nudged, inputs)), strict=True):
            sure &= (one == other).all(1)
    reference.load_state_dict(state)
    return sure


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
        return
    for part in value.values() if isinstance(value, Mapping) else value:
        yield from _tensors(part)


def _error(expected: Sequence[Tensor], got: Sequence[Tensor]) -> float:
    """The largest error of any tensor; infinite for NaN; 0 if there is nothing to compare."""
    worst = 0.0
    for one, other in zip(expected, got, strict=True):
        if not one.numel():
            continue
        error = float((one - other).abs().max()) / max(float(one.abs().max()), 1.0)
        worst = max(worst, math.inf if math.isnan(error) else error)
    return worst
