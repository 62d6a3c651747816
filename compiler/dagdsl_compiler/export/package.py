"""An exported program -> a package of compiled code and weights, loaded with torch alone.

Loading and running a package must import little, because `dagdsl run` does it at startup.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dagdsl.errors import UsageError
from dagdsl_compiler.errors import ModelError
from dagdsl_compiler.torch_private import build_package, has_cpp_compiler, load_package

if TYPE_CHECKING:
    from torch.export import ExportedProgram


_LEVELS = ("DEFAULT", "AVX2", "AVX512")
"""Torch's names for the instruction sets of x86 processors. Each includes those before it."""


class Package:
    """A loaded package. It does not check its inputs."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError for a file that is not a package, or not built for this machine."""
        try:
            self._loader = load_package(path)
        except (RuntimeError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise UsageError(
                f"cannot load {path} with torch {torch.__version__}: {reason}"
            ) from None
        _check_processor(path, self._loader.get_metadata().get("AOTI_CPU_ISA", ""))

    @property
    def replaceable(self) -> frozenset[str]:
        """The weights that can be replaced; the others were folded."""
        return frozenset(self._loader.get_constant_fqns())

    def replace(self, weights: Mapping[str, Tensor]) -> None:
        """Replace weights in memory; the file does not change."""
        self._loader.load_constants(dict(weights), False, False, False)

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """The tensors it returns, in order; inputs are contiguous float32."""
        return self._loader.run(list(inputs))


def _check_processor(path: Path, built_for: str) -> None:
    """Raise UsageError if the code needs instructions that this processor lacks."""
    wanted, there = built_for.partition(" ")[0], torch.backends.cpu.get_cpu_capability()
    if wanted in _LEVELS and there in _LEVELS and _LEVELS.index(wanted) > _LEVELS.index(there):
        raise UsageError(
            f"{path} was built for {wanted}, this processor has {there}: build it here"
        )


def compile_package(program: ExportedProgram, path: Path) -> Package:
    """Generate code with AOTInductor, build it, and write the package to `path`, a `.pt2`.

    Freezing is required: without it, convolutions on data-dependent batch sizes were silently
    wrong. Weights that it does not fold stay replaceable, even small ones.
    Raises ModelError if PyTorch fails, UsageError without a C++ compiler.
    """
    if not has_cpp_compiler():
        raise UsageError("compiling a net needs a C++ compiler: install g++ or clang++")
    configs = {"freezing": True, "always_keep_tensor_constants": True}
    # AOTInductor warns if there is no GPU.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    try:
        with torch.no_grad():
            build_package(program, path, configs)
    except Exception as error:
        raise ModelError(f"AOTInductor failed: {error}") from error
    return Package(path)
