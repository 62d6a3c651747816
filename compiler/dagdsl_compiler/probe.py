"""Two implementations of a net -> how far apart they are, on probe inputs at all routing extremes.

Nothing leaves a build before it has been compared with the eager graph here: code for routed nets
has been seen to be silently wrong only when all edges were closed, or only when all were open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dagdsl.ir.nodes import Net

TOLERANCE = 1e-4
"""Largest error of float32 outputs, relative to the largest value of the output (at least 1)."""
BATCH = 4

State = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Difference:
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
) -> Difference:
    """Run both in evaluation, on the same weights and inputs, in every routing extreme.

    `batches` are the batch sizes to try. Both modules end with the weights `reference` had.
    """
    kwargs = {"return_routes": True} if with_routes else {}
    start = {name: value.clone() for name, value in reference.state_dict().items()}
    training = reference.training, candidate.training
    worst = Difference(0.0, "as initialised")
    for routing, state in routing_extremes(start):
        for module in (reference, candidate):
            module.load_state_dict(state)
            module.eval()
        for inputs in probe_inputs(net, batches):
            expected, got = reference(*inputs, **kwargs), candidate(*inputs, **kwargs)
            error = max(map(_error, _tensors(expected), _tensors(got)), default=0.0)
            # Written so that NaN counts as the worst of all.
            if not error <= worst.error:
                worst = Difference(error, routing)
    for module, mode in zip((reference, candidate), training, strict=True):
        module.load_state_dict(start)
        module.train(mode)
    return worst


def probe_inputs(net: Net, batches: Sequence[int] = (BATCH,)) -> Iterator[tuple[Tensor, ...]]:
    """Batches for all inputs of a net: noise, strong noise, nothing at all, nothing but one sample.

    The last lets routers that are all but closed open for one sample of the batch.
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


def routing_extremes(state: State) -> Iterator[tuple[str, State]]:
    """The weights as they are, and with the routers' biases moved so that edges open or close."""
    yield "as initialised", state
    biases = [name for name in state if ".routers." in f".{name}" and name.endswith(".bias")]
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


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    parts = value.values() if isinstance(value, Mapping) else value
    return [tensor for part in parts for tensor in _tensors(part)]


def _error(expected: Tensor, got: Tensor) -> float:
    scale = max(float(expected.abs().max()), 1.0)
    return float((expected - got).abs().max()) / scale
