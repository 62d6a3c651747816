"""Code from Inductor and `model.py` agree on random nets. Only a few, because each is slow."""

from __future__ import annotations

import torch
from hypothesis import HealthCheck, Phase, assume, given, settings

from dagdsl.ir.nodes import Net
from tests.emit.emitted import assert_same
from tests.strategies import nets


@settings(
    max_examples=2,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # shrinking would compile hundreds of nets
)
@given(nets())
def test_random_net(net: Net) -> None:
    # Code from Inductor draws different random numbers from eager code.
    assume(not any(op in net.to_json() for op in ('"dropout"', '"noise"')))
    # A medium size allows routers, while four compilations of a large net take minutes.
    assume(8 <= len(net.to_json()) / 1000 <= 18)
    torch.compiler.reset()
    assert_same(net, "inductor", tolerance=1e-5, modes=(True,))
