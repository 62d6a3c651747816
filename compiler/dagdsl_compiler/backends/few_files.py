"""TorchInductor, with all kernels of a graph in a few C++ files."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest import mock

from torch import Tensor, fx

KERNELS_A_FILE = 8
"""Files are added up to one for each compile thread, as long as each has that many kernels."""

_INCLUDE = re.compile(r"^\s*#include.*$", re.MULTILINE)


def inductor_in_few_files(graph: fx.GraphModule, inputs: Sequence[Tensor]) -> Any:
    """A backend for `torch.compile`: as "inductor", only sooner done on a CPU.

    TorchInductor writes each kernel into a file of its own. To start a compiler and to read the
    headers takes 0.4 s; the kernel itself takes a tenth of that.
    """
    from torch._inductor.compile_fx import compile_fx, compile_fx_inner

    def compile_one(*args: Any, **options: Any) -> Any:
        # The graph backwards is compiled at the first gradient, long after this backend is done.
        with in_few_files():
            return compile_fx_inner(*args, **options)

    # Code that comes out of the cache is loaded without `compile_one`.
    with in_few_files():
        return compile_fx(graph, inputs, inner_compile=compile_one)


_compiling = threading.RLock()


@contextmanager
def in_few_files() -> Iterator[None]:
    """Whatever TorchInductor compiles or loads meanwhile has its kernels in few files."""
    with _compiling, mock.patch("torch._inductor.async_compile.AsyncCompile", _compiler()):
        yield


@dataclass(frozen=True, slots=True, eq=False)
class _Kernel:
    """One function as TorchInductor writes it: a file's text, and its arguments' types."""

    name: str
    argtypes: list[str]
    source: str

    def part(self) -> str:
        """It and its binding for Python, an extension module of the same name, in a namespace.

        The binding is TorchInductor's own. Both include headers, which does not go inside of one.
        """
        from torch._inductor.codecache import CppPythonBindingsCodeCache as Binding

        types = (kind.replace("const ", "") for kind in self.argtypes)
        arguments = ", ".join(f"parse_arg<{kind}>(args, {i})" for i, kind in enumerate(types))
        binding = Binding.suffix_template.format(
            arg_len=len(self.argtypes),
            call_entry_func=Binding.call_entry_function.format(arguments),
            entry_func=self.name,
            extra_parse_arg="",
        )
        body = self.source.replace('extern "C"', "")
        return f"namespace {self.name} {{\n{body}\n{binding}\n}}\n"


def _file(kernels: Sequence[_Kernel]) -> str:
    parts = "\n".join(kernel.part() for kernel in kernels)
    includes = dict.fromkeys(line.strip() for line in _INCLUDE.findall(parts))
    # The bindings define it as well, but Python wants to know before its header.
    return "\n".join(("#define PY_SSIZE_T_CLEAN", *includes, _INCLUDE.sub("", parts)))


@cache
def _compiler() -> type:
    # Made in here, for what it is derived from takes seconds to import.
    from torch._inductor.async_compile import AsyncCompile, get_compile_threads
    from torch._inductor.codecache import CppPythonBindingsCodeCache

    class Library(CppPythonBindingsCodeCache):
        """A shared library of several extension modules."""

        cache: dict[str, Any] = {}  # noqa: RUF012 (not a ClassVar in the base class)
        cache_clear = staticmethod(cache.clear)

        def __init__(self, path: str, key: str) -> None:
            self.path, self.key = path, key

        @classmethod
        def _load_library_inner(cls, path: str, key: str) -> Any:
            return cls(path, key)

        def function(self, name: str) -> Callable[..., None]:
            class Module(CppPythonBindingsCodeCache):
                entry_function = name

            module = Module._load_library_inner(self.path, self.key)
            function: Callable[..., None] = getattr(module, name)
            return function

    class FewFiles(AsyncCompile):
        """Collects the kernels of a graph, and compiles them when they are waited for."""

        def __init__(self) -> None:
            super().__init__()
            self._kernels: list[_Kernel] = []

        def cpp_pybinding(self, argtypes: list[str], source_code: str) -> Any:
            self._kernels.append(_Kernel(f"kernel_{len(self._kernels)}", argtypes, source_code))
            return self._kernels[-1]

        def wait(self, scope: dict[str, Any]) -> None:
            waiting = {name: value for name, value in scope.items() if isinstance(value, _Kernel)}
            try:
                functions = self._together()
            except Exception:
                # One by one, as TorchInductor does it: what goes wrong there, it can explain.
                build = super().cpp_pybinding
                functions = {each: build(each.argtypes, each.source) for each in waiting.values()}
            scope.update((name, functions[kernel]) for name, kernel in waiting.items())
            super().wait(scope)

        def _together(self) -> dict[_Kernel, Any]:
            number = min(get_compile_threads(), -(-len(self._kernels) // KERNELS_A_FILE))
            shares = [self._kernels[i::number] for i in range(number)]
            files = [Library.load_async(_file(share), submit_fn=self.submit) for share in shares]
            return {
                kernel: library.function(kernel.name)
                for share, library in zip(shares, [load() for load in files], strict=True)
                for kernel in share
            }

    return FewFiles
