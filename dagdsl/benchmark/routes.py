"""Weights for benchmarks: samples take different routes, with a given mean active share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dagdsl_compiler.driver import Model, Profile, profile
from dagdsl_compiler.emit.load import load_source
from dagdsl_compiler.emit.source import emit_source
from dagdsl_compiler.plan import active_share

_STEPS = 12
_CLOSE_ENOUGH = 0.01
_CLOSED, _OPEN = -12.0, 12.0


@torch.no_grad()
def set_active_share(model: Model, wanted: float, calibration: tuple[Tensor, ...]) -> Profile:
    """Set weights for which the active share of the calibration samples is about `wanted`.

    Freshly initialised routers treat all samples alike, and activations grow from node to node.
    Therefore batch normalisation gets the statistics of the calibration samples, and routers get
    random weights whose logits have standard deviation one over these samples and a common mean.
    Bisection finds the mean. Only the biases of routers vary, so the share is as close to `wanted`
    as the gates allow. Returns the calibration profile.
    """
    plain = load_source(emit_source(model.net))
    routers = router_layers(plain)
    low, high, shift = _CLOSED, _OPEN, _OPEN
    found: list[tuple[float, dict[str, Tensor], Profile]] = []
    for _ in range(_STEPS if routers else 1):
        plain.load_state_dict(model.state_dict())
        _standardise(plain, routers, shift, calibration)
        model.load_state_dict(plain.state_dict())
        measured = profile(model, [calibration])
        share = active_share(model.net, measured)
        state = {key: value.clone() for key, value in model.state_dict().items()}
        found.append((abs(share - wanted), state, measured))
        if abs(share - wanted) < _CLOSE_ENOUGH or (shift == _OPEN and share <= wanted):
            break
        low, high = (shift, high) if share < wanted else (low, shift)
        shift = (low + high) / 2
    # Not always the last one: the share need not grow with the shift, because closed gates change
    # the inputs of later routers.
    _, state, measured = min(found, key=lambda one: one[0])
    model.load_state_dict(state)
    return measured


def router_layers(model: nn.Module) -> list[nn.Linear]:
    """Return the layer of each router that computes its logits: its last fully connected one."""
    last: dict[str, nn.Linear] = {}
    for name, module in model.named_modules():
        outer, routers, inner = f".{name}".rpartition(".routers.")
        if routers and isinstance(module, nn.Linear):
            last[f"{outer}.{inner.partition('.')[0]}"] = module
    return list(last.values())


def _standardise(
    model: nn.Module, routers: list[nn.Linear], shift: float, inputs: tuple[Tensor, ...]
) -> None:
    """Standardise router logits and batch statistics in one pass, layer after layer."""
    generator = torch.Generator().manual_seed(1)
    for fc in routers:
        fc.weight.copy_(torch.randn(fc.weight.shape, generator=generator))

    def hook(fc: nn.Linear, _: object, logits: Tensor) -> Tensor:
        mean, deviation = logits.mean(0), logits.std(0)
        scale = torch.where(deviation > 1e-6, 1 / deviation, 1.0)
        fc.weight.mul_(scale[:, None])
        if fc.bias is None:
            return logits * scale
        fc.bias.sub_(mean).mul_(scale).add_(shift)
        return (logits - mean) * scale + shift

    handles = [fc.register_forward_hook(hook) for fc in routers]
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0  # use the statistics of this pass only
    model.train()
    model(*inputs)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    for handle in handles:
        handle.remove()
