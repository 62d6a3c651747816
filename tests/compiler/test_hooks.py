"""Hooks on the modules of a model fire like those of any module, or the call says why not."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dagdsl.errors import UsageError
from dagdsl_compiler.driver import compile
from dagdsl_compiler.errors import ModelError
from dagdsl_compiler.model import Model
from tests.compiler.nets import complete, net_of, op
from tests.compiler.reference import reference
from tests.compiler.test_model import X, failing
from tests.compiler.test_modes import gated_stage
from tests.compiler.test_semantics import image, shaken

NET = net_of(complete(2, x=X, edge_steps=(op("conv", X),)), complete(1, x=X, reads="stage"), x=X)
"""Two routed stages; edges of the first have steps."""

ELEMENTS = {
    "stem": ((3, 4, 4), (2, 4, 4)),
    "s1": ((2, 4, 4), (2, 4, 4)),
    "s1.n.0": ((2, 4, 4), (2, 4, 4)),
    "s1.n.0.cell": ((2, 4, 4), (2, 4, 4)),
    "s1.out": ((2, 4, 4), (2, 4, 4)),
    "s1.routers.gate_in": ((2, 4, 4), (3,)),
    "s1.edges.in_to_out": ((2, 4, 4), (2, 4, 4)),
    "s2.routers.gate": ((2, 4, 4), (3,)),
    "logits": ((2, 4, 4), (3,)),
    "s1.n.0.cell.conv": ((2, 4, 4), (2, 4, 4)),
}
"""Node, stage, block, router, edge or op -> the shapes of its input and output."""


class Seen:
    """Records the shapes that the hooks of each module receive."""

    def __init__(self, model: Model, *paths: str) -> None:
        self.calls: list[str] = []
        self.inputs: dict[str, Tensor] = {}
        self.outputs: dict[str, Tensor] = {}
        for path in paths:
            model.get_submodule(path).register_forward_hook(self._hook(path))

    def _hook(self, path: str) -> Any:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            self.calls.append(path)
            (self.inputs[path],) = inputs
            self.outputs[path] = output

        return hook


@pytest.mark.parametrize("routes", [False, True])
def test_hooks_of_every_kind_of_element_fire_once(routes: bool) -> None:
    model, plain = shaken(NET, 0), shaken(NET, 0)
    x = image(NET)
    seen = Seen(model, *ELEMENTS)
    torch.testing.assert_close(model(x, return_routes=routes), plain(x, return_routes=routes))
    assert sorted(seen.calls) == sorted(ELEMENTS)
    for path, (into, out) in ELEMENTS.items():
        assert seen.inputs[path].shape[1:] == into
        assert seen.outputs[path].shape[1:] == out
    # An outer element returns after those inside it.
    order = [p for p in seen.calls if p.startswith("s1.n")] + ["s1"]
    assert [p for p in seen.calls if p in order] == order
    assert order == ["s1.n.0.cell.conv", "s1.n.0.cell", "s1.n.0", "s1"]


def test_hooks_see_what_the_graph_computes() -> None:
    model = shaken(NET, 1).eval()
    x = image(NET)
    expected, routes = reference(NET, model, x)
    seen = Seen(model, "s1", "s2", "logits")
    got, got_routes = model(x, return_routes=True)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(got_routes, routes, rtol=1e-4, atol=1e-4)
    assert torch.equal(seen.outputs["s1"], seen.inputs["s2"])
    assert torch.equal(seen.outputs["s2"], seen.inputs["logits"])
    taps = got["features"] if isinstance(got, dict) else {}
    assert any(torch.equal(value, seen.outputs["s1"]) for value in taps.values())


def test_hooks_can_change_inputs_and_outputs() -> None:
    model = shaken(NET, 0).eval()
    x = image(NET)
    plain = model(x)["logits"]
    handle = model.s1.register_forward_hook(lambda _, inputs, y: torch.zeros_like(y))
    without = model(x)["logits"]
    assert not torch.equal(without, plain)
    handle.remove()
    model.s2.register_forward_pre_hook(lambda _, inputs: (inputs[0] * 0,))
    torch.testing.assert_close(model(x)["logits"], without)
    copied = copy.deepcopy(model)
    torch.testing.assert_close(copied(x)["logits"], without)


def test_backward_hooks_fire() -> None:
    model = shaken(NET, 0)
    grads: dict[str, tuple[Tensor | None, ...]] = {}
    for path in ("s1", "s1.n.0", "logits", "s1.routers.gate_in"):

        def hook(_: nn.Module, into: Any, out: Any, path: str = path) -> None:
            grads[path] = (*into, *out)

        model.get_submodule(path).register_full_backward_hook(hook)
    model(image(NET))["logits"].sum().backward()
    assert len(grads) == 4
    assert [None if grad is None else grad.shape for grad in grads["s1"]] == [(6, *X), (6, *X)]
    plain = shaken(NET, 0)
    plain(image(NET))["logits"].sum().backward()
    for hooked, other in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(hooked.grad, other.grad)


def test_removed_hooks_leave_nothing_behind() -> None:
    model = shaken(NET, 0)
    before = model.graph
    keys = list(model.state_dict())
    seen = Seen(model)
    handle = model.s1.register_forward_hook(seen._hook("s1"))
    model(image(NET))
    handle.remove()
    model(image(NET))
    assert seen.calls == ["s1"]
    assert model.graph is before
    assert list(model.state_dict()) == keys
    assert [name for name, _ in model.named_children()] == ["stem", "s1", "s2", "logits"]


def test_hooks_with_checkpointed_stages() -> None:
    """The backward pass recomputes the stage, and hooks fire again, as in PyTorch."""
    model = compile(NET, backend="eager", seed=0, checkpoint="all")
    seen = Seen(model, "s1", "s1.n.0", "logits")
    model(image(NET))["logits"].sum().backward()
    assert seen.calls[:3] == ["s1.n.0", "s1", "logits"]
    assert seen.calls[3] == "s1.n.0"


def test_a_routed_stage_in_a_routed_net() -> None:
    """Elements that are called return their routes, even if nested."""
    net = gated_stage()
    model, plain = shaken(net, 3), shaken(net, 3)
    paths = [name for name, _ in model.named_children() if name != "routers"]
    seen = Seen(model, *paths)
    x = image(net)
    torch.testing.assert_close(model(x, return_routes=True), plain(x, return_routes=True))
    assert sorted(seen.calls) == sorted(paths)


def test_exceptions_of_hooks_are_raised_unchanged() -> None:
    class Stop(Exception):
        pass

    def stop(*_: object) -> None:
        raise Stop

    model = compile(failing(), backend="eager")
    handle = model.a.register_forward_hook(stop)
    with pytest.raises(Stop):
        model(torch.randn(2, *X))
    handle.remove()
    with pytest.raises(ModelError, match=r"at `a\.bn`"):
        model(torch.randn(1, *X))


@pytest.mark.parametrize("mode", ["static", "grouped", "branch"])
def test_modes_that_run_copies_refuse_hooks(mode: Any) -> None:
    model = compile(NET, mode=mode, backend="eager", seed=0)
    x = image(NET, 1)
    model(x)
    handle = model.get_submodule("s1.n.0.cell.conv").register_forward_hook(lambda *_: None)
    with pytest.raises(UsageError, match=f"hooks do not fire in mode `{mode}`.*remove them, or"):
        model(x)
    handle.remove()
    model(x)


def test_a_hook_on_the_model_itself_fires_in_every_mode() -> None:
    model = compile(NET, mode="grouped", backend="eager", seed=0)
    calls: list[int] = []
    model.register_forward_hook(lambda _, inputs, y: calls.append(len(inputs[0])))
    model(image(NET, 5))
    assert calls == [5]


def test_hooks_suspend_compiled_code() -> None:
    """With the backend `inductor` a model runs op by op while it has hooks, and warns once."""
    model = compile(NET, backend="inductor", seed=0)
    plain = compile(NET, backend="eager", seed=0)
    seen = Seen(model, "s1.n.0", "logits.fc")
    x = image(NET)
    with pytest.warns(UserWarning, match="hooks do not fire in code compiled by `inductor`"):
        torch.testing.assert_close(model(x), plain(x))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(x)
    assert seen.calls == ["s1.n.0", "logits.fc"] * 2


def test_a_part_runs_only_in_its_model() -> None:
    model = compile(NET, backend="eager")
    with pytest.raises(NotImplementedError, match="runs only when the model is called"):
        model.s1(torch.randn(1, *X))
