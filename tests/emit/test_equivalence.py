from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings

from dagdsl.ir.nodes import Net
from tests.emit.emitted import assert_same
from tests.strategies import nets


@settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    # Without shrinking: each example builds two networks, and it is small as it is.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(nets())
def test_emitted_source_computes_what_the_compiled_network_computes(net: Net) -> None:
    assert_same(net)
