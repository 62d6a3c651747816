"""Gates with noise in training: their distributions, and determinism of everything else."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import dagdsl
from dagdsl.ir.nodes import Net
from dagdsl_compiler.blocks.norm import Noise
from dagdsl_compiler.runtime.gate import hard_concrete
from tests.compiler.test_modes import agree
from tests.emit.emitted import assert_same

TEXT = """
import "std/dg.dg" as dg
router gate = reads("{reads}") |> gap |> fc |> {decision} |> threshold({tau}, dead = "{dead}")
net N {{
  input image: f32[2, 4, 4]
  stage s {{ channels = 4 node n[3]: conv |> bn |> relu connect complete via gate }}
  image -> s
  output s
}}
"""
ACTIVATIONS = ("gumbel_softmax", "gumbel_sigmoid", "hard_concrete")
DRAWS, TEMPERATURE = 200_000, 2 / 3


def net(activation: str, reads: str = "source", dead: str = "zero", tau: float = 0.1) -> Net:
    decision = f'dg.weigh("{activation}")'
    return dagdsl.loads(TEXT.format(reads=reads, decision=decision, tau=tau, dead=dead))


def draws(kind: str, logits: Tensor) -> Tensor:
    """The weights of a router in training: `[DRAWS, E]`."""
    torch.manual_seed(0)
    return Noise(kind, 1.0, TEMPERATURE).train().forward(logits.expand(DRAWS, -1))


def test_hard_concrete_gates_are_closed_as_often_as_the_paper_says() -> None:
    """Louizos et al., arXiv 1712.01312, section 2.2: P(z = 0) and P(z = 1)."""
    logits = torch.tensor([-2.0, 0.0, 0.5, 3.0])
    z = hard_concrete(draws("logistic", logits))
    low, high = -0.1, 1.1
    closed = torch.sigmoid(TEMPERATURE * math.log(-low / high) - logits)
    full = 1 - torch.sigmoid(TEMPERATURE * math.log((1 - low) / (high - 1)) - logits)
    assert torch.allclose((z == 0).float().mean(0), closed, atol=0.005)
    assert torch.allclose((z == 1).float().mean(0), full, atol=0.005)
    assert float(hard_concrete(torch.tensor([[-10.0, 0.0, 10.0]])).sum()) == pytest.approx(1.5)


def test_gumbel_sigmoid_opens_with_the_probability_of_its_logit() -> None:
    """Maddison et al., arXiv 1611.00712, appendix B: for any temperature."""
    logits = torch.tensor([-2.0, 0.0, 0.5, 3.0])
    opened = torch.sigmoid(draws("logistic", logits)) > 0.5
    assert torch.allclose(opened.float().mean(0), torch.sigmoid(logits), atol=0.005)


def test_gumbel_softmax_prefers_each_edge_with_its_probability() -> None:
    """Jang et al., arXiv 1611.01144, section 2: the Gumbel-max trick."""
    logits = torch.tensor([-1.0, 0.0, 0.5, 2.0])
    first = draws("gumbel", logits).softmax(1).argmax(1)
    shares = torch.bincount(first, minlength=4) / DRAWS
    assert torch.allclose(shares, torch.softmax(logits, 0), atol=0.005)


@pytest.mark.parametrize(
    ("activation", "backend"),
    [*((activation, "eager") for activation in ACTIVATIONS), ("hard_concrete", "inductor")],
)
def test_random_in_training_by_the_seed_and_never_in_evaluation(
    activation: str, backend: str
) -> None:
    torch.compiler.reset()
    model = dagdsl.compile(net(activation), backend=backend, seed=0)
    x = torch.randn(8, 2, 4, 4, generator=torch.Generator().manual_seed(0))

    def routes(seed: int) -> Tensor:
        torch.manual_seed(seed)
        _, found = model(x, return_routes=True)
        return found["s"].detach()  # type: ignore[no-any-return]

    first, again, other = routes(1), routes(1), routes(2)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    model.eval()
    state = torch.random.get_rng_state()
    assert torch.equal(routes(1), routes(2))
    torch.random.set_rng_state(state)
    model(x)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_evaluation_has_no_noise(activation: str) -> None:
    plain = {"gumbel_softmax": "softmax", "gumbel_sigmoid": "sigmoid"}.get(activation, activation)
    text = TEXT.format(reads="source", decision=plain, tau=0.1, dead="zero")
    noisy = dagdsl.compile(net(activation), backend="eager", seed=0).eval()
    still = dagdsl.compile(dagdsl.loads(text), backend="eager", seed=1).eval()
    still.load_state_dict(noisy.state_dict())
    x = torch.randn(4, 2, 4, 4)
    assert torch.equal(noisy(x), still(x))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("reads", ["source", "target", "stage"])
def test_all_modes_and_the_emitted_model_agree(activation: str, reads: str) -> None:
    made = net(activation, reads, tau=0.2 if activation == "gumbel_softmax" else 0.5)
    agree(made, 0)
    assert_same(made)


def test_the_strongest_is_kept_of_random_gates() -> None:
    made = net("hard_concrete", dead="keep_strongest", tau=0.5)
    agree(made, 0)
    assert_same(made)
