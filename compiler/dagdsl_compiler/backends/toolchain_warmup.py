"""The one-time preparations of the C++ toolchain, made while Python traces the first graph."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from threading import Thread

from dagdsl_compiler.torch_private import warm_up_call


@cache
def warm_up_toolchain(wrapper: bool) -> None:
    """Detect the vector instructions and precompile the header of all kernels, in the background.

    This takes ten seconds once on a machine, and nothing later. Left alone, TorchInductor does it
    when it first needs it, and waits. With `wrapper`, the header is that of code whose kernels are
    called from C++.
    """
    # Imported in this thread: two threads that import the same modules may see half of one.
    prepare = warm_up_call(wrapper)
    if prepare is None:
        return

    def run() -> None:
        # An error comes up again where it matters, in the thread that compiles.
        with suppress(Exception):
            prepare()

    Thread(target=run, name="dagdsl-toolchain-warmup", daemon=True).start()
