"""All private API of torch that dagdsl uses, each with a fallback.

Torch may rename or drop these names in any release, and older releases lack some of them. Every
function tests what the installed torch can do, not its version. Where something is
missing, code is slower or one feature refuses to work and says so; results stay the same. No other
file of the two packages names private API, and every fallback has a test: see
`tests/compiler/test_torch_private.py`.

Imports are inside the functions: most of TorchInductor takes seconds to import, and `dagdsl run`
needs only the package loader.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, fx

if TYPE_CHECKING:
    from torch.export import ExportedProgram


def _parameters(function: Any) -> list[str]:
    return list(signature(function).parameters)


# torch.compile


def recompile_options(limit: int) -> dict[str, Any]:
    """Options for `torch.compile` that let it compile one function up to `limit` times.

    Fallback (before torch 2.13): raise the limit of the whole process. Functions compiled from the
    same code then share one count, hence twice the limit.
    """
    if {"isolate_recompiles", "recompile_limit"} <= set(_parameters(torch.compile)):
        return {"isolate_recompiles": True, "recompile_limit": limit}
    config: Any = torch._dynamo.config
    config.recompile_limit = max(getattr(config, "recompile_limit", 0), 2 * limit)
    return {}


def can_mark_unknown() -> bool:
    """Whether `mark_batch_unknown` can say that several inputs share their batch size.

    If not, exporting a model for any batch size is refused.
    """
    mark = getattr(torch._dynamo.decorators, "mark_unbacked", None)
    return mark is not None and "shape_id" in _parameters(mark)


def mark_batch_unknown(x: Tensor, group: str | None = None) -> None:
    """Mark the batch size of `x` as unknown to the compiler, so that its code serves every size.

    Tensors of one `group` are taken to have the same batch size. Fallback: mark the size as
    symbolic. Then torch compiles once more for a batch of one.
    """
    if group is not None:
        torch._dynamo.decorators.mark_unbacked(x, 0, shape_id=group)
    elif hasattr(torch._dynamo.decorators, "mark_unbacked"):
        torch._dynamo.decorators.mark_unbacked(x, 0)
    else:
        mark_batch_symbolic(x)


def mark_batch_symbolic(x: Tensor) -> None:
    """Ask torch to compile for a symbolic batch size where it can. Fallback: torch decides."""
    mark = getattr(torch._dynamo, "maybe_mark_dynamic", None)
    if mark is not None:
        mark(x, 0)


# TorchInductor


def can_freeze() -> bool:
    """Whether TorchInductor can treat weights as constants.

    Without it, convolutions on data-dependent batch sizes have been compiled to wrong code, so
    graphs with such sizes then run uncompiled.
    """
    import torch._inductor.config

    return hasattr(torch._inductor.config, "freezing")


def inductor_config(**options: Any) -> AbstractContextManager[Any]:
    """Set options of TorchInductor within a context. Fallback: ignore options that it lacks."""
    from torch._inductor import config

    known = {name: value for name, value in options.items() if hasattr(config, name)}
    patched: AbstractContextManager[Any] = config.patch(known) if known else nullcontext()
    return patched


@dataclass(frozen=True, slots=True)
class KernelBuilder:
    """The parts of TorchInductor that compile its C++ kernels."""

    compile_fx: Callable[..., Any]
    compile_fx_inner: Callable[..., Any]
    async_compile: Any
    threads: Callable[[], int]
    bindings: Any


_KERNEL_METHODS = {
    "cpp_pybinding": ["self", "argtypes", "source_code"],
    "wait": ["self", "scope"],
    "submit": ["task"],
}
_BINDING_PARTS = ("suffix_template", "call_entry_function", "_load_library_inner", "load_async")


@cache
def kernel_builder() -> KernelBuilder | None:
    """The classes that `backends/batched_kernels.py` derives its own from.

    Fallback: None if any of them is missing or has other arguments. Then TorchInductor compiles
    each kernel in a file of its own, which takes longer.
    """
    try:
        from torch._inductor.async_compile import AsyncCompile, get_compile_threads
        from torch._inductor.codecache import CppPythonBindingsCodeCache
        from torch._inductor.compile_fx import compile_fx, compile_fx_inner

        fits = all(
            _parameters(getattr(AsyncCompile, name)) == expected
            for name, expected in _KERNEL_METHODS.items()
        )
    except (ImportError, AttributeError):
        return None
    if not fits or not all(hasattr(CppPythonBindingsCodeCache, part) for part in _BINDING_PARTS):
        return None
    return KernelBuilder(
        compile_fx,
        compile_fx_inner,
        AsyncCompile,
        get_compile_threads,
        CppPythonBindingsCodeCache,
    )


def inductor(graph: fx.GraphModule, inputs: Sequence[Tensor]) -> Any:
    """TorchInductor without changes: a backend for `torch.compile`."""
    import torch._inductor

    return torch._inductor.compile(graph, list(inputs))


@contextmanager
def async_compile_replaced(replacement: type) -> Iterator[None]:
    """Let TorchInductor build kernels with another class than `AsyncCompile`. Not thread-safe."""
    from torch._inductor import async_compile

    module: Any = async_compile
    original = module.AsyncCompile
    module.AsyncCompile = replacement
    try:
        yield
    finally:
        module.AsyncCompile = original


def warm_up_call(wrapper: bool) -> Callable[[], Any] | None:
    """A call that detects vector instructions and precompiles the header that all kernels include.

    With `wrapper`, the header is that for code that calls its kernels from C++. Fallback: None;
    TorchInductor then does this work when it first needs the results.
    """
    try:
        from torch._inductor.codecache import CppPythonBindingsCodeCache, CppWrapperCodeCache
    except ImportError:
        return None
    cache: Any = CppWrapperCodeCache if wrapper else CppPythonBindingsCodeCache
    if not hasattr(cache, "load_async"):
        return None
    # Since torch 2.14 empty code counts as code without vector instructions, which has no header.
    known = "needs_vec_isa" in _parameters(cache.load_async)
    options = {"needs_vec_isa": True} if known else {}
    # Empty code: this prepares what all code needs, and compiles nothing.
    return lambda: cache.load_async("", **options)


def load_cpp(source: str) -> ctypes.CDLL | None:
    """Compile C++ with TorchInductor's compiler, flags and cache, and load the library.

    Fallback: None. The caller then composes the same function of torch's operators.
    """
    try:
        from torch._inductor.codecache import CppCodeCache

        load = CppCodeCache.load
    except (ImportError, AttributeError):
        return None
    library = load(source)
    assert isinstance(library, ctypes.CDLL)
    return library


def has_cpp_compiler() -> bool:
    """Whether TorchInductor finds a C++ compiler. Fallback: True, and compiling may fail."""
    try:
        from torch._inductor.cpp_builder import get_cpp_compiler
        from torch._inductor.exc import InvalidCxxCompiler
    except ImportError:
        return True
    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        return False
    return True


# Packages of AOTInductor


def build_package(program: ExportedProgram, path: Path, options: dict[str, Any]) -> None:
    """Compile a program into a package. There is no fallback: without it, no artefacts."""
    import torch._inductor

    torch._inductor.aoti_compile_and_package(
        program, package_path=str(path), inductor_configs=options
    )


class PackageLoader(Protocol):
    """A loaded package of AOTInductor."""

    def run(self, inputs: list[Tensor]) -> list[Tensor]:
        """The outputs, flat and in order."""
        ...

    def get_metadata(self) -> dict[str, str]:
        """The metadata recorded when the package was built."""
        ...

    def get_constant_fqns(self) -> list[str]:
        """The names of the weights that can be replaced."""
        ...

    def load_constants(
        self, weights: dict[str, Tensor], inactive: bool, check_full: bool, user_managed: bool
    ) -> None:
        """Replace weights. Newer torch has a fifth argument; leave it at its default."""
        ...


def load_package(path: Path) -> PackageLoader:
    """Load a package. Raises RuntimeError or OSError for a file that is not one.

    Fallback: `torch._inductor.aoti_load_package`, which is public but takes 1.5 s to import.
    """
    private = _private_loader()
    if private is None:
        return _PublicLoader(path)
    loader: PackageLoader = private(str(path), "model", False, 1, -1)
    return loader


def _private_loader() -> Callable[..., Any] | None:
    return getattr(getattr(torch._C, "_aoti", None), "AOTIModelPackageLoader", None)


class _PublicLoader:
    """Adapts the public interface of packages to the private one."""

    def __init__(self, path: Path) -> None:
        import torch._inductor

        self._model: Any = torch._inductor.aoti_load_package(str(path))

    def run(self, inputs: list[Tensor]) -> list[Tensor]:
        return torch.utils._pytree.tree_leaves(self._model(*inputs))

    def get_metadata(self) -> dict[str, str]:
        return dict(self._model.get_metadata())

    def get_constant_fqns(self) -> list[str]:
        return list(self._model.get_constant_fqns())

    def load_constants(
        self, weights: dict[str, Tensor], inactive: bool, check_full: bool, user_managed: bool
    ) -> None:
        self._model.load_constants(weights, check_full_update=check_full, user_managed=user_managed)


# Operators


def can_pack() -> bool:
    """Whether torch has oneDNN and its operators for packed weights.

    If not, `passes/pack.py` leaves convolutions unchanged.
    """
    names = ("_reorder_convolution_weight", "_convolution_pointwise", "data_ptr", "_nbytes")
    return torch.backends.mkldnn.is_available() and all(  # type: ignore[no-untyped-call]
        hasattr(torch.ops.mkldnn, name) for name in names
    )


def packed_weight(weight: Tensor, layout: Sequence[Any], size: list[int]) -> Tensor:
    """The weight of a convolution in the blocked layout that oneDNN prefers for that input size.

    `layout` is padding, stride, dilation and groups. The result is opaque: only
    `packed_convolution` and `bytes_of_packed` read it.
    """
    packed: Tensor = torch.ops.mkldnn._reorder_convolution_weight(weight, *layout, size)
    return packed


def register_fake_packing() -> None:
    """Tell torch the shape of `packed_weight` for tracing, since it has no rule of its own."""
    name = "mkldnn::_reorder_convolution_weight"
    torch.library.register_fake(name, _fake_packed_weight, allow_override=True)


def _fake_packed_weight(weight: Tensor, *layout: object) -> Tensor:
    try:
        return weight.to_mkldnn()
    except NotImplementedError:
        # Before torch 2.14 fake tensors cannot be converted; a dense one serves as well.
        return torch.empty_like(weight)


def packed_convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    layout: Sequence[Any],
    activation: tuple[str, list[float], str],
) -> Tensor:
    """A convolution with a plain or a packed weight, and an activation by oneDNN's name for it."""
    y: Tensor = torch.ops.mkldnn._convolution_pointwise(x, weight, bias, *layout, *activation)
    return y


def bytes_of_packed(packed: Tensor) -> bytes:
    """The bytes of a result of `packed_weight`."""
    address: int = torch.ops.mkldnn.data_ptr(packed)
    return ctypes.string_at(address, torch.ops.mkldnn._nbytes(packed))


def add_to_each(tensors: list[Tensor], number: int) -> None:
    """Add a number to each tensor in place. Fallback: one call per tensor."""
    together = getattr(torch, "_foreach_add_", None)
    if together is not None:
        together(tensors, number)
        return
    for tensor in tensors:
        tensor.add_(number)
