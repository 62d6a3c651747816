"""The probe: the routing extremes that it tries, and the samples that it ignores."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from dagdsl_compiler.probe import compare, routing_extremes
from tests.compiler.nets import complete, net_of
from tests.compiler.test_semantics import image, shaken

X = (2, 4, 4)
NET = net_of(complete(1, reads="stage", x=X), x=X)


class OtherThresholds(nn.Module):
    """A net whose gates see a weight that is off by `by`, as rounding might make it."""

    def __init__(self, model: nn.Module, by: float) -> None:
        super().__init__()
        self.model = model
        self.by = by

    def load_state_dict(self, state: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        moved = {n: v + self.by if n.endswith("gate.fc.bias") else v for n, v in state.items()}
        return self.model.load_state_dict(moved)

    def forward(self, *inputs: Tensor, **kwargs: Any) -> Any:
        return self.model(*inputs, **kwargs)


def test_extremes_open_and_close_all_edges() -> None:
    model = shaken(NET, 0).eval()
    shares = {}
    for name, state in routing_extremes(NET, model.state_dict()):
        model.load_state_dict(state)
        _, routes = model(torch.zeros(2, *NET.inputs[0].shape), return_routes=True)
        shares[name] = int((routes["s1"][0] != 0).sum())
    assert shares["all edges open"] == 3
    assert shares["all edges closed"] == 0


def test_routes_that_depend_on_rounding_are_ignored() -> None:
    """If a weight is exactly at its threshold, either decision is correct."""
    reference = shaken(NET, 0).eval()
    with torch.no_grad():
        gate = reference.get_submodule("s1.routers.gate.fc")
        assert isinstance(gate, nn.Linear)
        gate.weight.mul_(1e-3)
        gate.bias.zero_()
    x = image(NET, 4)
    on_the_edge = OtherThresholds(shaken(NET, 0), 1e-7)
    on_the_edge.load_state_dict(reference.state_dict())
    on_the_edge.eval()
    zero = torch.zeros_like(x)
    assert not torch.allclose(reference(zero), on_the_edge(zero))
    assert compare(NET, reference, on_the_edge).is_tolerable
    assert not compare(NET, reference, OtherThresholds(shaken(NET, 0), 1e-2)).is_tolerable
