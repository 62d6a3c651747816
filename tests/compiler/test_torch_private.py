"""Every fallback for private API of torch works on every torch, and nothing else uses such API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import dagdsl
from dagdsl.errors import UsageError
from dagdsl_compiler import torch_private
from dagdsl_compiler.backends.batched_kernels import inductor_with_batched_kernels
from dagdsl_compiler.backends.inductor import ByBatchSize
from dagdsl_compiler.backends.toolchain_warmup import warm_up_toolchain
from dagdsl_compiler.driver import compile, explain
from dagdsl_compiler.export.package import Package, compile_package
from dagdsl_compiler.export.target import Prepared, Target, export
from dagdsl_compiler.runtime import sums

ROOT = Path(__file__).parents[2]

NET = """
edition 1
net Small {
  input x: f32[2, 4, 4]
  node a: conv(8) |> bn |> relu |> gap
  node y: fc(3)
  x -> a -> y
  output y
}
"""

PRIVATE = re.compile(r"\btorch(\.\w+)*\._[a-z]|unittest")


def test_private_api_is_named_in_one_file() -> None:
    assert PRIVATE.search("import torch._inductor")
    assert PRIVATE.search("torch.utils._pytree")
    found = [
        f"{path.relative_to(ROOT)}:{i}: {line}"
        for folder in ("dagdsl", "compiler")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "torch_private.py"
        for i, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if PRIVATE.search(line.replace("torch.__version__", ""))
    ]
    assert not found, "\n".join(found)


@pytest.fixture
def fresh() -> Iterator[None]:
    """Clear what is cached about torch, before and after the test."""
    caches = (torch_private.kernel_builder, warm_up_toolchain, sums._kernels)
    for cache in caches:
        cache.cache_clear()
    torch.compiler.reset()
    yield
    for cache in caches:
        cache.cache_clear()


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Remove attributes of torch, given as `module.name`."""
    import importlib

    for path in names:
        module, _, name = path.rpartition(".")
        owner: Any
        try:
            owner = importlib.import_module(module)
        except ImportError:
            outer, _, inner = module.rpartition(".")
            owner = getattr(importlib.import_module(outer), inner)
        monkeypatch.delattr(owner, name, raising=False)


def images(batch: int) -> Tensor:
    return torch.randn(batch, 2, 4, 4, generator=torch.Generator().manual_seed(batch))


def square(x: Tensor) -> Tensor:
    return x.square().sum(1) * 2


# torch.compile


def old_compile(model: Any, fullgraph: bool = False, dynamic: bool | None = None) -> Any:
    """The signature of `torch.compile` in torch 2.11, without the arguments not used here."""


@pytest.fixture
def limit_of_eight() -> Iterator[None]:
    torch.compiler.reset()
    with torch._dynamo.config.patch(recompile_limit=8):
        yield


@pytest.mark.usefixtures("limit_of_eight")
def test_recompile_limit_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = torch.compile
    monkeypatch.setattr(torch, "compile", old_compile)
    assert torch_private.recompile_options(20) == {}
    assert torch._dynamo.config.recompile_limit == 40
    assert torch_private.recompile_options(3) == {}
    assert torch._dynamo.config.recompile_limit == 40, "never lowered"
    monkeypatch.setattr(torch, "compile", compiled)
    # More sizes than the initial limit.
    run = torch.compile(square, dynamic=False, fullgraph=True, backend="eager")
    for size in range(2, 20):
        assert torch.equal(run(images(size)), square(images(size)))


@pytest.mark.usefixtures("limit_of_eight")
def test_recompile_options_are_known() -> None:
    options = torch_private.recompile_options(64)
    run = torch.compile(square, fullgraph=True, dynamic=False, backend="eager", **options)
    for size in range(2, 20):
        assert torch.equal(run(images(size)), square(images(size)))


@pytest.mark.usefixtures("limit_of_eight")
def test_sizes_that_share_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact and symbolic code share one limit, which is high enough for both."""
    compiled = torch.compile
    monkeypatch.setattr(torch, "compile", old_compile)
    options = torch_private.recompile_options(64)
    monkeypatch.setattr(torch, "compile", compiled)
    monkeypatch.setattr("dagdsl_compiler.backends.inductor.recompile_options", lambda _: options)
    graph = compile(dagdsl.loads(NET), backend="eager", seed=0).graph
    run = ByBatchSize(graph, lambda f, **o: torch.compile(f, backend="eager", **o))
    for train in (True, False):
        graph.train(train)
        for size in (4, 3, 2, 5, 6):
            for _ in range(20):
                torch.testing.assert_close(run(images(size)), graph(images(size)))


def test_symbolic_size_instead_of_an_unknown_one(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.compiler.reset()
    run = torch.compile(square, fullgraph=True, backend="eager")
    known, unknown = images(4), images(4)
    torch_private.mark_batch_unknown(unknown)
    assert hasattr(unknown, "_dynamo_unbacked_indices")
    hide(monkeypatch, "torch._dynamo.decorators.mark_unbacked")
    torch_private.mark_batch_unknown(known)
    assert not hasattr(known, "_dynamo_unbacked_indices")
    assert hasattr(known, "_dynamo_weak_dynamic_indices")
    for size in (4, 1, 3):
        x = images(size)
        torch_private.mark_batch_unknown(x)
        assert torch.equal(run(x), square(x))


def test_torch_decides_where_sizes_cannot_be_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "torch._dynamo.maybe_mark_dynamic", "torch._dynamo.decorators.mark_unbacked")
    x = images(4)
    torch_private.mark_batch_unknown(x)
    torch_private.mark_batch_symbolic(x)
    assert not [name for name in vars(x) if "dynam" in name]


def test_no_export_for_any_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    model = compile(dagdsl.loads(NET), backend="eager", seed=0).eval()
    prepared = Prepared(model, Target("static"))
    assert torch_private.can_mark_unknown()
    assert export(prepared)
    monkeypatch.setattr(torch._dynamo.decorators, "mark_unbacked", lambda t, index: None)
    with pytest.raises(UsageError, match="cannot export for any batch size: give a batch size"):
        export(prepared)
    prepared = Prepared(model, Target("static", batch=3))
    program = export(prepared)
    torch.testing.assert_close(program.module()(images(3))[0], model(images(3)))


# TorchInductor


def test_without_freezing_unknown_sizes_run_uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.compiler.reset()
    monkeypatch.setattr("dagdsl_compiler.backends.frozen.can_freeze", lambda: False)
    torch._dynamo.utils.counters.clear()
    model, expected = (
        compile(dagdsl.loads(NET), mode="grouped", seed=0, backend=backend)
        for backend in ("inductor", "eager")
    )
    torch.testing.assert_close(model(images(3)), expected(images(3)))
    assert not torch._dynamo.utils.counters["stats"]["unique_graphs"]


def test_freezing_is_known() -> None:
    assert torch_private.can_freeze()


def test_unknown_options_are_ignored() -> None:
    import torch._inductor.config as config

    with torch_private.inductor_config(freezing=True, no_such_option=1):
        assert config.freezing
    assert not config.freezing
    with torch_private.inductor_config(no_such_option=1):
        assert not config.freezing


@pytest.mark.parametrize(
    "missing",
    [
        "torch._inductor.async_compile.get_compile_threads",
        "torch._inductor.async_compile.AsyncCompile.submit",
        "torch._inductor.codecache.CppPythonBindingsCodeCache.suffix_template",
        "torch._inductor.compile_fx.compile_fx_inner",
    ],
)
@pytest.mark.usefixtures("fresh")
def test_kernels_one_by_one(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert torch_private.kernel_builder() is not None
    torch_private.kernel_builder.cache_clear()
    with monkeypatch.context() as patch:
        hide(patch, missing)
        assert torch_private.kernel_builder() is None
    x = images(5).flatten(1).requires_grad_()
    y = torch.compile(square, fullgraph=True, backend=inductor_with_batched_kernels)(x)
    torch.testing.assert_close(y, square(x))
    (gradient,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(gradient, 4 * x)


@pytest.mark.usefixtures("fresh")
def test_kernels_one_by_one_if_arguments_change(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor.async_compile import AsyncCompile

    def wait(self: object, scope: object, more: object) -> None:
        """A method with one argument more."""

    monkeypatch.setattr(AsyncCompile, "wait", wait)
    assert torch_private.kernel_builder() is None


@pytest.mark.parametrize("wrapper", [True, False])
@pytest.mark.usefixtures("fresh")
def test_no_warm_up(wrapper: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import codecache

    kind = codecache.CppWrapperCodeCache if wrapper else codecache.CppPythonBindingsCodeCache
    seen: list[dict[str, object]] = []

    def new(code: str, needs_vec_isa: bool | None = None) -> None:
        seen.append({"needs_vec_isa": needs_vec_isa})

    def old(code: str) -> None:
        seen.append({})

    for load in (new, old):
        monkeypatch.setattr(kind, "load_async", load)
        call = torch_private.warm_up_call(wrapper)
        assert call is not None
        call()
    assert seen == [{"needs_vec_isa": True}, {}]
    hide(monkeypatch, "torch._inductor.codecache.CppWrapperCodeCache")
    assert torch_private.warm_up_call(wrapper) is None
    warm_up_toolchain(wrapper)


@pytest.mark.usefixtures("fresh")
def test_sums_without_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    values, weights = [images(4), images(4) + 1], torch.rand(4, 3)
    fast = sums.weighted_sum(values, [weights] * 2, [2, -1])
    gradients = sums.weight_gradients(values[0], values, weights, [0, 2])
    assert sums._kernels() is not None
    sums._kernels.cache_clear()
    hide(monkeypatch, "torch._inductor.codecache.CppCodeCache")
    assert sums._kernels() is None
    torch.testing.assert_close(sums.weighted_sum(values, [weights] * 2, [2, -1]), fast)
    slow = sums.weight_gradients(values[0], values, weights, [0, 2])
    torch.testing.assert_close(slow, gradients)


def test_has_cpp_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import cpp_builder
    from torch._inductor.exc import InvalidCxxCompiler

    def none() -> None:
        raise InvalidCxxCompiler

    assert torch_private.has_cpp_compiler()
    monkeypatch.setattr(cpp_builder, "get_cpp_compiler", none)
    assert not torch_private.has_cpp_compiler()
    hide(monkeypatch, "torch._inductor.cpp_builder.get_cpp_compiler")
    assert torch_private.has_cpp_compiler(), "unknown: compiling shows it"


# Packages


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "model.pt2"
    model = compile(dagdsl.loads(NET), backend="eager", seed=0).eval()
    prepared = Prepared(model, Target("static", batch=3))
    compile_package(export(prepared, generated=True), path)
    return path


def test_packages_by_the_public_loader(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Package(package)
    monkeypatch.setattr(torch_private, "_private_loader", lambda: None)
    second = Package(package)
    assert isinstance(second._loader, torch_private._PublicLoader)
    assert second.replaceable == first.replaceable
    assert second._loader.get_metadata() == first._loader.get_metadata()
    (y,), (z,) = first.run([images(3)]), second.run([images(3)])
    assert torch.equal(y, z)
    (name,) = [name for name in second.replaceable if name.endswith("bias") and "y" in name]
    for each in (first, second):
        each.replace({name: torch.full((3,), 5.0)})
    (y,), (w,) = first.run([images(3)]), second.run([images(3)])
    assert torch.equal(y, w)
    assert not torch.equal(w, z)


@pytest.mark.parametrize("private", [True, False])
def test_a_file_that_is_not_a_package(
    private: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not private:
        monkeypatch.setattr(torch_private, "_private_loader", lambda: None)
    path = tmp_path / "model.pt2"
    path.write_bytes(b"no package")
    with pytest.raises(UsageError, match="cannot load"):
        Package(path)


# Operators


def test_convolutions_are_not_packed_without_the_operators(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert torch_private.can_pack()
    monkeypatch.setattr("dagdsl_compiler.passes.pack.can_pack", lambda: False)
    model = compile(dagdsl.loads(NET), backend="eager", seed=0).eval()
    prepared = Prepared(model, Target("grouped"))
    graph = prepared.graph(generated=True)
    (step,) = [s for s in explain(graph) if s.name == "pack_convolutions"]
    assert [remark.done for remark in step.remarks] == [False]
    assert step.remarks[0].reason == "oneDNN does not compute it"
    torch.testing.assert_close(graph(images(3))[0], model(images(3)))


def test_a_fake_weight_that_cannot_be_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = nn.Conv2d(2, 8, 3).weight.detach()

    def fail(self: Tensor) -> Tensor:
        raise NotImplementedError("Cannot access storage of OpaqueTensorImpl")

    assert torch_private._fake_packed_weight(weight).shape == weight.shape
    monkeypatch.setattr(Tensor, "to_mkldnn", fail)
    fake = torch_private._fake_packed_weight(weight, (1, 1), [1, 2, 4, 4])
    assert fake.shape == weight.shape
    assert fake.layout == torch.strided


@pytest.mark.parametrize("together", [True, False])
def test_add_to_each(together: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not together:
        hide(monkeypatch, "torch._foreach_add_")
    counts = [torch.tensor(3), torch.tensor(5)]
    torch_private.add_to_each(counts, 2)
    assert [int(count) for count in counts] == [5, 7]
