"""What the C++ compiler does once on each machine, done while Python traces the first graph."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from threading import Thread


@cache
def head_start(wrapper: bool) -> None:
    """Find out the vector instructions and build the header of all kernels, in the background.

    Takes ten seconds the first time, and nothing later. TorchInductor does it when it needs it, and
    waits. With `wrapper`, the header of code in which the kernels are called from C++ as well.
    """
    # Imported here, for two threads that import the same modules may see half of one.
    from torch._inductor.codecache import CppPythonBindingsCodeCache, CppWrapperCodeCache

    kind = CppWrapperCodeCache if wrapper else CppPythonBindingsCodeCache

    def prepare() -> None:
        # An error comes up again where it matters, in the thread that compiles.
        with suppress(Exception):
            # No code: all that any code needs is made, and nothing is compiled.
            kind.load_async("", needs_vec_isa=True)

    Thread(target=prepare, name="dagdsl-head-start", daemon=True).start()
