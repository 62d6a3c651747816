"""The kernels of a graph are compiled together, and loaded from the cache together."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch._inductor.config
from torch import Tensor
from torch._inductor.async_compile import AsyncCompile

from dagdsl_compiler import torch_private
from dagdsl_compiler.backends import batched_kernels
from dagdsl_compiler.backends.batched_kernels import inductor_with_batched_kernels
from dagdsl_compiler.backends.toolchain_warmup import warm_up_toolchain


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    forget()
    with torch._inductor.config.patch(compile_threads=2):
        yield tmp_path
    forget()


def forget() -> None:
    """Clear all caches, as in a new process."""
    from torch._inductor.utils import clear_caches

    torch.compiler.reset()
    clear_caches()
    batched_kernels._batched_compile.cache_clear()


def several_kernels(x: Tensor) -> Tensor:
    # TorchInductor does not generate sorting on a CPU, so the code around it is separate kernels.
    x = (x.sin() * 2).sort(dim=0).values
    x = (x.exp() + x.mean(0)).sort(dim=0).values
    return (x.relu() / x.std(1, keepdim=True)).cumsum(0)


def run(x: Tensor) -> tuple[Tensor, Tensor]:
    x = x.clone().requires_grad_()
    y = torch.compile(several_kernels, backend=inductor_with_batched_kernels, fullgraph=True)(x)
    (gradient,) = torch.autograd.grad(y.square().sum(), x)
    return y.detach(), gradient


def test_kernels_give_the_same_results(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batched_kernels, "KERNELS_A_FILE", 2)
    x = torch.randn(20, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    first = run(x)
    expected = x.clone().requires_grad_()
    y = several_kernels(expected)
    torch.testing.assert_close(first[0], y.detach())
    (gradient,) = torch.autograd.grad(y.square().sum(), expected)
    torch.testing.assert_close(first[1], gradient)

    kernels = [path.read_text().count("PyInit_") for path in cache.glob("*/*.main.cpp")]
    assert sum(kernels) > len(kernels)
    assert len(kernels) <= 4, "two for each direction"

    # Another process loads them without compiling.
    built = {path: path.stat().st_mtime_ns for path in cache.glob("*/*.so")}
    forget()
    for ours, theirs in zip(run(x), first, strict=True):
        assert torch.equal(ours, theirs)
    assert {path: path.stat().st_mtime_ns for path in cache.glob("*/*.so")} == built


def test_one_by_one_if_that_fails(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batched_kernels, "_file", lambda kernels, bindings: "no C++")
    x = torch.randn(20, 30, generator=torch.Generator().manual_seed(0))
    y = torch.compile(several_kernels, backend=inductor_with_batched_kernels, fullgraph=True)(x)
    torch.testing.assert_close(y, several_kernels(x))
    built = [path.with_suffix(".so").exists() for path in cache.glob("*/*.main.cpp")]
    assert built.count(True) > 2
    assert built.count(False) > 0


def test_compiles_with_one_thread(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one thread, a task once waited 600 s for a lock that its own thread held."""
    fail = "kernels were compiled one by one"
    monkeypatch.setattr(AsyncCompile, "cpp_pybinding", lambda *args: pytest.fail(fail))
    x = torch.randn(20, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    began = time.monotonic()
    with torch._inductor.config.patch(compile_threads=1):
        found, _ = run(x)
    assert time.monotonic() - began < 300
    torch.testing.assert_close(found, several_kernels(x))
    assert len(list(cache.glob("*/*.so"))) == 2, "one file for each direction"


def test_the_class_is_put_back() -> None:
    from torch._inductor import async_compile

    builder = torch_private.kernel_builder()
    assert builder is not None
    before = async_compile.AsyncCompile
    with batched_kernels.batched(builder), batched_kernels.batched(builder):
        assert async_compile.AsyncCompile is not before
    assert async_compile.AsyncCompile is before


@pytest.mark.parametrize("wrapper", [False, True])
def test_a_warm_up_that_fails_does_no_harm(wrapper: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import codecache

    asked: list[bool] = []

    def fail(*args: object, **options: object) -> None:
        asked.append(wrapper)
        raise OSError("no compiler")

    for kind in (codecache.CppPythonBindingsCodeCache, codecache.CppWrapperCodeCache):
        monkeypatch.setattr(kind, "load_async", fail)
    warm_up_toolchain.cache_clear()
    for _ in range(3):
        warm_up_toolchain(wrapper)
    for thread in threading.enumerate():
        if thread.name == "dagdsl-toolchain-warmup":
            thread.join()
    assert asked == [wrapper]
    warm_up_toolchain.cache_clear()
