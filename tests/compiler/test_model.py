"""The module that `compile` returns: inputs, outputs, state, and errors."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Edge, Graph, Net, Node, Output
from dagdsl.ir.paths import paths_of
from dagdsl.source import Origin, SourceFile, Span
from dagdsl_compiler.driver import Mode, compile
from dagdsl_compiler.errors import InputError, ModelError
from dagdsl_compiler.executor import Executor
from dagdsl_compiler.lower.modules import build_modules
from dagdsl_compiler.model import Dense, Model
from tests.compiler.nets import complete, net_of, node, op, pipe

X = (2, 4, 4)


def small(seed: int | None = 0) -> Model:
    return compile(net_of(complete(2, x=X, init=1.0), x=X), backend="eager", seed=seed)


def two_inputs() -> Net:
    nodes = (
        Node(kind="in", name="image", shape=X),
        Node(kind="in", name="hint", shape=(3,)),
        node("a", *pipe((3,), ("fc", {"channels": 2})), x=(3,)),
        node("b", x=X, merge="mul"),
    )
    edges = (
        Edge(source="hint", target="a"),
        Edge(source="image", target="b"),
        Edge(source="a", target="b"),
    )
    outputs = (Output(name="b", value="b"), Output(name="taps", value={"p1": "b", "p2": "a"}))
    return Net(name="Two", graph=Graph(nodes=nodes, edges=edges), outputs=outputs)


def test_outputs() -> None:
    model = compile(two_inputs(), backend="eager")
    y = model(torch.randn(5, *X), torch.randn(5, 3))
    assert set(y) == {"b", "taps"}
    assert set(y["taps"]) == {"p1", "p2"}
    assert y["b"].shape == (5, *X)
    assert y["taps"]["p2"].shape == (5, 2)
    assert model(torch.randn(5, *X), torch.randn(5, 3), return_routes=True)[1] == {}
    assert isinstance(small()(torch.randn(2, 3, 4, 4)), Tensor)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((), "expected 2 inputs (`image`, `hint`), got 0"),
        ((torch.ones(5, *X),), "expected 2 inputs (`image`, `hint`), got 1"),
        (
            (torch.ones(*X), torch.ones(2, 3)),
            "expected [B, 2, 4, 4] for input `image`, got [2, 4, 4]",
        ),
        (
            (torch.ones(5, 2, 4, 5), torch.ones(5, 3)),
            "expected [B, 2, 4, 4] for input `image`, got [5, 2, 4, 5]",
        ),
        (
            (torch.ones(5, *X), [1.0, 2.0, 3.0]),
            "expected a tensor for input `hint`, got a value of `list`",
        ),
        ((torch.ones(5, *X), torch.ones(5, 1)), "expected [B, 3] for input `hint`, got [5, 1]"),
        (
            (torch.ones(5, *X), torch.ones(4, 3)),
            "expected one batch size for all inputs, got 5 for `image` and 4 for `hint`",
        ),
        (
            (torch.ones(5, *X), torch.ones(5, 3, dtype=torch.int64)),
            "expected floating-point numbers for input `hint`, got torch.int64",
        ),
    ],
)
def test_wrong_inputs(inputs: tuple[Tensor, ...], message: str) -> None:
    with pytest.raises(InputError) as info:
        compile(two_inputs(), backend="eager")(*inputs)
    assert str(info.value) == message


@pytest.mark.parametrize("mode", ["dense", "grouped"])
def test_inputs_by_name(mode: Mode) -> None:
    model = compile(two_inputs(), backend="eager", mode=mode, seed=0).eval()
    image, hint = torch.randn(5, *X), torch.randn(5, 3)
    expected = model(image, hint)["b"]
    for y in (
        model(image=image, hint=hint),
        model(hint=hint, image=image),
        model(image, hint=hint),
        model(hint=hint, image=image, return_routes=True)[0],
    ):
        assert torch.equal(y["b"], expected)


@pytest.mark.parametrize(
    ("inputs", "named", "message"),
    [
        ((), {"image": 4}, "missing input: `hint`"),
        ((4,), {"image": 4}, "input `image` is given twice, by position and by name"),
        ((4,), {"prompt": 3}, "there is no input `prompt`; the net has `image`, `hint`"),
        ((4, 3, 3), {"hint": 3}, "expected 2 inputs (`image`, `hint`), got 3"),
        ((), {"image": 3, "hint": 3}, "expected [B, 2, 4, 4] for input `image`, got [5, 3]"),
    ],
)
def test_wrong_names(inputs: tuple[int, ...], named: dict[str, int], message: str) -> None:
    values = {3: torch.ones(5, 3), 4: torch.ones(5, *X)}
    model = compile(two_inputs(), backend="eager")
    with pytest.raises(InputError) as info:
        model(*map(values.get, inputs), **{name: values[x] for name, x in named.items()})
    assert str(info.value) == message


def failing() -> Net:
    """Batch normalisation of flat features fails in training with one sample."""
    origin = Origin(Span(SourceFile("net.dg", "x\n  bn\n"), 4, 6))
    bn = op("bn", (2,)).at(origin)
    nodes = (
        Node(kind="in", name="image", shape=X),
        node("a", op("gap", X), bn, x=X),
    )
    graph = Graph(nodes=nodes, edges=(Edge(source="image", target="a"),))
    return Net(name="Failing", graph=graph, outputs=(Output(name="a", value="a"),))


def test_errors_name_the_element() -> None:
    model = compile(failing(), backend="eager")
    model(torch.randn(2, *X))
    with pytest.raises(ModelError) as info:
        model(torch.randn(1, *X))
    error = info.value
    assert error.ir == "a.bn"
    assert error.origin is not None
    assert error.origin.span.text == "bn"
    assert isinstance(error.__cause__, ValueError)
    assert error.message.startswith("Expected more than 1 value per channel")
    assert str(error).startswith("net.dg:2:3: Expected more than 1 value per channel")
    assert str(error).endswith("(at `a.bn`)")


def test_failures_of_the_backend_have_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(module: object) -> Callable[..., object]:
        def run(*inputs: Tensor) -> object:
            raise RuntimeError("no C++ compiler")

        return run

    monkeypatch.setattr("dagdsl_compiler.model.BACKENDS", {"broken": broken})
    net = failing()
    model = Model(build_modules(net, paths_of(net)), Executor(net, Dense("broken")))
    with pytest.raises(ModelError, match=r"^no C\+\+ compiler .run op by op") as info:
        model(torch.randn(2, *X))
    assert info.value.ir is None


def test_unknown_backend() -> None:
    with pytest.raises(UsageError, match="there is no backend `jax`; there are `eager`"):
        compile(failing(), backend="jax")


def test_seed() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, second = small(seed=5).state_dict(), small(seed=5).state_dict()
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[key], second[key]) for key in first)
    third = small(seed=6).state_dict()
    assert not torch.equal(first["stem.conv.weight"], third["stem.conv.weight"])
    drawn = [small(seed=None).state_dict()["stem.conv.weight"] for _ in range(2)]
    assert not torch.equal(*drawn)


def test_children_are_those_of_the_net() -> None:
    model = small()
    model(torch.randn(2, 3, 4, 4), return_routes=True)
    assert [name for name, _ in model.named_children()] == ["stem", "s1", "logits"]
    assert model.net.name == "Test"
    assert "s1_out" in model.graph.code
    assert "Test, backend=eager" in repr(model)


@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
def test_copies_are_independent(how: str) -> None:
    model = small()
    x = torch.randn(4, 3, 4, 4)
    model(x, return_routes=True)
    model.eval()
    if how == "deepcopy":
        twin = copy.deepcopy(model)
    else:
        file = io.BytesIO()
        torch.save(model, file)
        file.seek(0)
        twin = torch.load(file, weights_only=False)
    assert isinstance(twin, Model)
    expected = model(x)
    assert torch.equal(twin(x), expected)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(0.1)
    assert torch.equal(model(x), expected)
    assert not torch.equal(twin(x), expected)
    assert twin.graph is not model.graph


def test_load_state_dict_reaches_the_graph() -> None:
    first, second = small(seed=0).eval(), small(seed=1).eval()
    x = torch.randn(4, 3, 4, 4)
    assert not torch.equal(first(x), second(x))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(x), second(x))
    half = first.to(torch.float64)
    assert half(x.double()).dtype == torch.float64


def test_training_flag_reaches_the_gates() -> None:
    net = net_of(complete(2, x=X, train="soft", init=0.0), x=X)
    model = compile(net, backend="eager", seed=0)
    x = torch.randn(8, 3, 4, 4)
    edges = torch.triu_indices(4, 4, 1)
    assert (model.train()(x, return_routes=True)[1]["s1"][:, *edges] > 0).all()
    assert (model.eval()(x, return_routes=True)[1]["s1"][:, *edges] == 0).any()


def test_torch_can_compile_a_model_as_one_graph() -> None:
    model = small().eval()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    x = torch.randn(3, 3, 4, 4)
    torch.testing.assert_close(compiled(x), model(x))


def test_it_learns() -> None:
    net = net_of(complete(2, x=X, init=1.0, threshold=0.1), x=X)
    model = compile(net, backend="eager", seed=0)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.01)
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(32, 3, 4, 4, generator=generator), torch.arange(32) % 3
    losses = []
    for _ in range(120):
        loss = torch.nn.functional.cross_entropy(model(x), y)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
