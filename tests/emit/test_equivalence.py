"""`model.py` computes the same as the compiled network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings

import dagdsl
from dagdsl.ir.nodes import Net
from dagdsl_compiler import driver
from tests.emit.emitted import assert_same, batch, pair, run_source
from tests.strategies import nets

REGULAR = """
router soft = gap |> fc |> softmax
router gate(train) = gap |> fc |> sigmoid |> threshold(0.6, train = train)
router tuned = reads("stage") |> gap |> fc |> softmax
block cell = conv |> bn |> relu |> dropout(0.1)
net Regular {{
  input image: f32[3, 8, 8]
  node stem: conv(4)
  stage s1 {{ node n[4]: cell connect {first} }}
  stage s2 {{ channels = 6 node n[4]: cell connect {second} }}
  image -> stem -> s1 -> s2
  output s2
}}
"""
SINGLE = "node a, b, c, forward: cell"
RULES = [
    "chain",
    "complete",
    "complete via learned",
    "complete via tuned",
    "complete via soft",
    "complete via constant(value = 0.5)",
    'complete via gate("hard")',
    'complete via gate("soft")',
    'complete via gate("straight_through")',
]


@settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    # No shrinking: each example builds two networks, and is small already.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(nets())
def test_random_nets(net: Net) -> None:
    assert_same(net)


@pytest.mark.parametrize("second", RULES)
def test_regular_stages(second: str) -> None:
    """Stages written as loops, next to a stage that may or may not share their class."""
    for first in (second, 'complete via gate("hard")'):
        assert_same(dagdsl.loads(REGULAR.format(first=first, second=second)))


@pytest.mark.parametrize("rule", ["chain", "complete via tuned", 'complete via gate("hard")'])
def test_regular_stages_of_single_nodes(rule: str) -> None:
    text = REGULAR.format(first=rule, second=rule)
    assert_same(dagdsl.loads(text.replace("node n[4]: cell", SINGLE)))
    assert_same(dagdsl.loads(text.replace("n[4]: cell", "n[2]: cell node m: cell")))


def test_fresh_weights_are_the_same_for_the_same_seed() -> None:
    net = dagdsl.load(Path("examples/quickstart.dg"))
    compiled = driver.compile(net, backend="eager", seed=5)
    torch.manual_seed(5)
    emitted = run_source(net)
    torch.testing.assert_close(emitted.state_dict(), compiled.state_dict(), rtol=0, atol=0)


@pytest.fixture
def inductor() -> str:
    """The backend that generates code. Use few and tiny networks: each takes seconds."""
    torch.compiler.reset()
    return "inductor"


@pytest.mark.parametrize("rule", ['complete via gate("hard")', "complete via learned"])
def test_inductor(inductor: str, rule: str) -> None:
    net = dagdsl.loads(REGULAR.format(first="chain", second=rule).replace("n[4]", "n[2]"))
    compiled, emitted = (model.eval() for model in pair(net, inductor))
    (x,) = batch(net, torch.float32)
    with torch.no_grad():
        torch.testing.assert_close(emitted(x), compiled(x), rtol=1e-4, atol=1e-4)
