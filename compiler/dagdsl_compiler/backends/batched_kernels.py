"""TorchInductor with the kernels of a graph compiled together, in a few C++ files."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from torch import Tensor, fx

from dagdsl_compiler.torch_private import (
    KernelBuilder,
    async_compile_replaced,
    inductor,
    kernel_builder,
)

KERNELS_A_FILE = 8
"""Start another file, up to one per compile thread, when all files have this many kernels."""

_INCLUDE = re.compile(r"^\s*#include.*$", re.MULTILINE)


def inductor_with_batched_kernels(graph: fx.GraphModule, inputs: Sequence[Tensor]) -> Any:
    """A backend for `torch.compile`: the code of "inductor", compiled sooner on a CPU.

    TorchInductor writes each kernel into a file of its own. Starting a compiler and reading the
    headers takes 0.4 s; compiling the kernel itself takes a tenth of that.
    """
    builder = kernel_builder()
    if builder is None:
        return inductor(graph, inputs)

    def compile_one(*args: Any, **options: Any) -> Any:
        # The backward graph is compiled at the first gradient, long after this backend is done.
        with batched(builder):
            return builder.compile_fx_inner(*args, **options)

    # Code from the cache is loaded without `compile_one`.
    with batched(builder):
        return builder.compile_fx(graph, inputs, inner_compile=compile_one)


_compiling = threading.RLock()


@contextmanager
def batched(builder: KernelBuilder) -> Iterator[None]:
    """While active, TorchInductor batches the kernels of every graph it compiles or loads."""
    with _compiling, async_compile_replaced(_batched_compile(builder)):
        yield


@dataclass(frozen=True, slots=True, eq=False)
class _Kernel:
    """One function as TorchInductor writes it: the text of its file and its argument types."""

    name: str
    argtypes: list[str]
    source: str

    def part(self, bindings: Any) -> str:
        """The kernel and its Python binding, an extension module of the same name, in a namespace.

        The binding is TorchInductor's own. The includes of both are moved out of the namespace by
        `_file`.
        """
        types = (kind.replace("const ", "") for kind in self.argtypes)
        arguments = ", ".join(f"parse_arg<{kind}>(args, {i})" for i, kind in enumerate(types))
        binding = bindings.suffix_template.format(
            arg_len=len(self.argtypes),
            call_entry_func=bindings.call_entry_function.format(arguments),
            entry_func=self.name,
            extra_parse_arg="",
        )
        body = self.source.replace('extern "C"', "")
        return f"namespace {self.name} {{\n{body}\n{binding}\n}}\n"


def _file(kernels: Sequence[_Kernel], bindings: Any) -> str:
    parts = "\n".join(kernel.part(bindings) for kernel in kernels)
    includes = dict.fromkeys(line.strip() for line in _INCLUDE.findall(parts))
    # The bindings define it as well, but it has to come before Python's header.
    return "\n".join(("#define PY_SSIZE_T_CLEAN", *includes, _INCLUDE.sub("", parts)))


@cache
def _batched_compile(builder: KernelBuilder) -> type:
    # Made here because importing the base classes takes seconds.
    bindings: Any = builder.bindings
    base: Any = builder.async_compile

    class Library(bindings):  # type: ignore[misc]
        """A shared library of several extension modules."""

        cache: dict[str, Any] = {}  # noqa: RUF012 (not a ClassVar in the base class)
        cache_clear = staticmethod(cache.clear)

        def __init__(self, path: str, key: str) -> None:
            self.path, self.key = path, key

        @classmethod
        def _load_library_inner(cls, path: str, key: str) -> Any:
            return cls(path, key)

        def function(self, name: str) -> Callable[..., None]:
            class Module(bindings):  # type: ignore[misc]
                entry_function = name

            module = Module._load_library_inner(self.path, self.key)
            function: Callable[..., None] = getattr(module, name)
            return function

    class BatchedCompile(base):  # type: ignore[misc]
        """Collects the kernels of a graph, and compiles them together in `wait`."""

        def __init__(self) -> None:
            super().__init__()
            self._kernels: list[_Kernel] = []

        def cpp_pybinding(self, argtypes: list[str], source_code: str) -> Any:
            self._kernels.append(_Kernel(f"kernel_{len(self._kernels)}", argtypes, source_code))
            return self._kernels[-1]

        def wait(self, scope: dict[str, Any]) -> None:
            waiting = {name: value for name, value in scope.items() if isinstance(value, _Kernel)}
            try:
                functions = self._compile_together()
            except Exception:
                # One by one, as TorchInductor does: its errors name the kernel that fails.
                build = super().cpp_pybinding
                functions = {each: build(each.argtypes, each.source) for each in waiting.values()}
            scope.update((name, functions[kernel]) for name, kernel in waiting.items())
            super().wait(scope)

        def _compile_together(self) -> dict[_Kernel, Any]:
            threads = builder.threads()
            number = min(threads, -(-len(self._kernels) // KERNELS_A_FILE))
            shares = [self._kernels[i::number] for i in range(number)]
            # With one thread, `submit` runs the task at once, and the task waits for a lock that
            # `load_async` holds meanwhile. Without `submit`, it runs when the library is requested.
            submit = self.submit if threads > 1 else None
            files = [
                Library.load_async(_file(share, bindings), submit_fn=submit) for share in shares
            ]
            return {
                kernel: library.function(kernel.name)
                for share, library in zip(shares, [load() for load in files], strict=True)
                for kernel in share
            }

    return BatchedCompile
