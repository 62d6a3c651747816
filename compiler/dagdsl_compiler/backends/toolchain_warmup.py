"""One-time preparation of the C++ toolchain, done while Python traces the first graph."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from threading import Thread

from dagdsl_compiler.torch_private import warm_up_call


@cache
def warm_up_toolchain(wrapper: bool) -> None:
    """Detect the vector instructions and precompile the header of all kernels, in the background.

    This takes ten seconds the first time on a machine, and no time later. Otherwise TorchInductor
    would do it when it first needs the results, and wait. With `wrapper`, the header is that for
    code that calls its kernels from C++.
    """
    # Imported in this thread: if two threads import a module, one may see it half initialised.
    prepare = warm_up_call(wrapper)
    if prepare is None:
        return

    def run() -> None:
        # The thread that compiles meets the same error and reports it.
        with suppress(Exception):
            prepare()

    Thread(target=run, name="dagdsl-toolchain-warmup", daemon=True).start()
