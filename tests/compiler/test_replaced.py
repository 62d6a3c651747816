"""Modules that a user replaces take effect in every mode and backend."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

import dagdsl
from dagdsl.errors import UsageError
from dagdsl_compiler.driver import Mode, Model, compile, eager_copy, profile
from tests.compiler.nets import complete, net_of
from tests.compiler.test_semantics import image, shaken

X = (2, 4, 4)
NET = net_of(complete(2, x=X), x=X)
MODES: tuple[Mode, ...] = ("dense", "static", "grouped", "branch", "auto")


class Scale(nn.Module):
    """Multiplies by a number."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.by


class Doubled(nn.Conv2d):
    """A subclass that overrides `forward`, as LoRA layers do."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


class AlwaysDropping(nn.Dropout):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(x, 1.0, training=True)


class Halved(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return weight / 2


def node(model: Model) -> None:
    model.s1.n[0] = Scale(3.0)


def node_by_add_module(model: Model) -> None:
    model.get_submodule("s1.n").add_module("1", Scale(-1.0))


def stage(model: Model) -> None:
    model.s1 = Scale(0.5)


def block(model: Model) -> None:
    model.s1.n[1].cell = nn.Sequential(nn.ReLU(), Scale(2.0))


def out(model: Model) -> None:
    model.s1.out = Scale(4.0)


def subclass(model: Model) -> None:
    old = model.get_submodule("s1.n.0.cell.conv")
    assert isinstance(old, nn.Conv2d)
    new = Doubled(2, 2, 3, padding=1, bias=False)
    new.load_state_dict(old.state_dict())
    model.set_submodule("s1.n.0.cell.conv", new)


def dictionary(model: Model) -> None:
    """Quantisation tools write to `_modules` directly."""
    model.get_submodule("s1.n.0.cell")._modules["relu"] = Scale(1.0)
    model.get_submodule("s1.n.1.cell")._modules["bn"] = Scale(1.5)


def parametrised(model: Model) -> None:
    parametrize.register_parametrization(
        model.get_submodule("s1.n.0.cell.conv"), "weight", Halved()
    )
    parametrize.register_parametrization(model.get_submodule("logits.fc"), "weight", Halved())


def patched(model: Model) -> None:
    bn = model.get_submodule("s1.n.0.cell.bn")
    bn.forward = lambda x: x + 1.0


def router(model: Model) -> None:
    model.get_submodule("s1.routers").add_module("gate_in", nn.Sequential(nn.Flatten(), Open(3)))


class Open(nn.Module):
    """Logits that depend on the first numbers of a sample, so some edges open."""

    def __init__(self, edges: int) -> None:
        super().__init__()
        self.edges = edges

    def forward(self, x: Tensor) -> Tensor:
        return 9 * x[:, : self.edges]


CHANGES = [
    node,
    node_by_add_module,
    stage,
    block,
    out,
    subclass,
    dictionary,
    parametrised,
    patched,
    router,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_replaced_module_takes_effect_at_the_next_call(change: Any) -> None:
    x = image(NET, 32)
    dense = shaken(NET, 7).eval()
    before = dense(x)
    change(dense)
    after = dense(x)
    assert not torch.allclose(before, after)
    measured = profile(dense, [x])
    for mode in MODES[1:]:
        options: dict[str, Any] = {"profile": measured} if mode == "auto" else {}
        model = compile(NET, mode=mode, backend="eager", **options)
        model.load_state_dict(shaken(NET, 7).state_dict())
        samples = torch.split(x, 1) if mode == "branch" else [x]
        got = torch.cat([model(part) for part in samples])
        torch.testing.assert_close(got, before, rtol=1e-4, atol=1e-4)
        change(model)
        got = torch.cat([model(part) for part in samples])
        torch.testing.assert_close(got, after, rtol=1e-4, atol=1e-4, msg=mode)


def test_a_module_that_replaces_a_node_runs_on_the_samples_that_need_it() -> None:
    model = compile(NET, mode="grouped", backend="eager")
    model.load_state_dict(shaken(NET, 7).state_dict())
    sizes: list[int] = []

    class Counting(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            sizes.append(len(x))
            return x

    model.s1.n[0] = Counting()
    model(image(NET, 32))
    assert 0 < sum(sizes) < 32


def test_routes_of_a_replaced_stage_are_gone() -> None:
    model = shaken(NET, 0)
    x = image(NET)
    assert set(model(x, return_routes=True)[1]) == {"s1"}
    stage(model)
    assert model(x, return_routes=True)[1] == {}


def test_a_replaced_module_trains() -> None:
    model = shaken(NET, 0)
    node(model)
    model(image(NET)).sum().backward()
    scale = model.get_submodule("s1.n.0")
    assert isinstance(scale, Scale)
    assert scale.by.grad is not None
    assert "s1.n.0.by" in model.state_dict()


def test_replaced_twice_and_back() -> None:
    model = shaken(NET, 0).eval()
    x = image(NET)
    before, original = model(x), model.get_submodule("s1")
    stage(model)
    assert not torch.equal(model(x), before)
    model.s1 = original
    assert torch.equal(model(x), before)


def test_a_stage_of_another_model() -> None:
    """Its modules are called one by one, like those they replace."""
    model, donor = shaken(NET, 0).eval(), shaken(NET, 1).eval()
    x = image(NET)
    model.s1 = donor.s1
    expected = shaken(NET, 0).eval()
    expected.load_state_dict(model.state_dict())
    torch.testing.assert_close(model(x), expected(x))


def test_a_custom_dropout_stays_in_evaluation() -> None:
    net = dagdsl.loads(
        """
        edition 1
        net N {
          input x: f32[4]
          node a: fc(3) |> dropout(0.5) |> fc(2)
          x -> a
          output a
        }
        """
    )
    model = compile(net, mode="static", backend="eager", seed=0)
    x = torch.randn(5, 4)
    model.get_submodule("a").add_module("dropout", AlwaysDropping())
    bias = model.get_submodule("a.fc_2").bias
    assert isinstance(bias, Tensor)
    torch.testing.assert_close(model(x), bias.expand(5, 2))


def test_a_deleted_module_is_an_error() -> None:
    model = shaken(NET, 0)
    model(image(NET))
    del model.get_submodule("s1.n.0.cell").conv
    with pytest.raises(UsageError, match=r"no module `s1\.n\.0\.cell\.conv` any more"):
        model(image(NET))
    del model.s1
    with pytest.raises(UsageError, match=r"no module `s1` any more: it can be replaced, not del"):
        model(image(NET))


def test_arrays_take_indices() -> None:
    model = shaken(NET, 0)
    nodes: Any = model.s1.n
    assert nodes[0] is model.get_submodule("s1.n.0")
    assert len(list(nodes)) == 2
    with pytest.raises(IndexError, match="no module with the index 2"):
        nodes[2] = nn.Identity()


def test_harmless_changes_keep_the_graph() -> None:
    model = compile(NET, mode="grouped", backend="eager")
    model(image(NET))
    graph = model.graph
    model.s1.n[0].note = "mine"
    model.stem.requires_grad_(False)
    model.eval()
    model(image(NET))
    assert model.graph is graph


@pytest.mark.parametrize("mode", ["dense", "grouped"])
def test_compiled_code_takes_replaced_modules(mode: Mode) -> None:
    net = dagdsl.loads(
        """
        edition 1
        router gate = fc |> sigmoid |> threshold(0.5)
        net N {
          input x: f32[4]
          stage s { node n[1]: fc(4) |> relu  connect complete via gate }
          x -> s
          output s
        }
        """
    )
    model: Model = compile(net, mode=mode, backend="inductor", seed=0)
    plain = compile(net, backend="eager", seed=0).eval()
    x = torch.randn(3, 4)
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(x), plain(x))
        for one in (model, plain):
            one.s.n[0].fc = nn.Sequential(nn.Linear(4, 4), Scale(2.0))
            nn.init.constant_(one.get_parameter("s.n.0.fc.0.weight"), 0.3)
            nn.init.constant_(one.get_parameter("s.n.0.fc.0.bias"), 0.1)
        torch.testing.assert_close(model(x), plain(x))


@pytest.mark.parametrize("change", [node, stage, subclass, parametrised, patched])
def test_a_replaced_module_cannot_be_built(change: Any) -> None:
    model = shaken(NET, 0)
    copied = eager_copy(model)
    assert torch.equal(copied.eval()(image(NET)), model.eval()(image(NET)))
    change(model)
    with pytest.raises(UsageError, match=r"was replaced: only what the net describes can be built"):
        eager_copy(model)
