"""An exported program -> an ONNX model, run by onnxruntime. Needs the extra `onnx`."""

from __future__ import annotations

import importlib.util
import io
import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dagdsl.errors import UsageError
from dagdsl_compiler.errors import ModelError

if TYPE_CHECKING:
    from torch.export import ExportedProgram

MODES = ("dense", "static")
"""The modes whose graphs ONNX can express without losing their savings."""
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def check_installed() -> None:
    """Raise UsageError if a package that ONNX export needs is not installed."""
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"ONNX needs {', '.join(missing)}, not installed: `pip install 'dagdsl[onnx]'`"
        )


class OnnxModel:
    """A model in ONNX, and the onnxruntime session that runs it."""

    def __init__(
        self,
        program: ExportedProgram,
        inputs: Sequence[str],
        results: Sequence[str],
        keep: Iterable[str],
    ) -> None:
        """`inputs` and `results` name its arguments; weights in `keep` stay replaceable.

        Raises ModelError if ONNX cannot express the program.
        """
        kept = {name: program.state_dict[name] for name in keep}
        exact = {name: tensor.detach().clone() for name, tensor in kept.items()}
        generator = torch.Generator().manual_seed(0)
        try:
            with torch.no_grad(), _silence():
                # The exporter merges equal weights, so make them different for the export.
                for tensor in kept.values():
                    tensor.copy_(torch.rand(tensor.shape, generator=generator))
                made: Any = torch.onnx.export(
                    program, input_names=list(inputs), output_names=list(results), verbose=False
                )
        except Exception as error:
            raise ModelError(f"cannot be expressed in ONNX: {error}") from error
        finally:
            with torch.no_grad():
                for name, tensor in kept.items():
                    tensor.copy_(exact[name])
        self._proto = made.model_proto
        self._weights = {tensor.name: tensor for tensor in self._proto.graph.initializer}
        if folded := exact.keys() - self._weights.keys():
            raise ModelError(f"ONNX folded {', '.join(sorted(folded))}: routes cannot be probed")
        self._inputs = tuple(inputs)
        self.replace(exact)

    @property
    def replaceable(self) -> frozenset[str]:
        """The names of its weights."""
        return frozenset(self._weights)

    def to_bytes(self) -> bytes:
        """The content of a `.onnx` file."""
        content: bytes = self._proto.SerializeToString()
        return content

    def replace(self, weights: Mapping[str, Tensor]) -> None:
        """Replace weights."""
        import onnxruntime
        from onnx import numpy_helper

        for name, tensor in weights.items():
            array = tensor.detach().numpy()
            self._weights[name].CopyFrom(numpy_helper.from_array(array, name))
        self._session = onnxruntime.InferenceSession(
            self.to_bytes(), providers=["CPUExecutionProvider"]
        )

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """The tensors it returns, in order."""
        fed = {name: x.numpy() for name, x in zip(self._inputs, inputs, strict=True)}
        return [torch.from_numpy(array) for array in self._session.run(None, fed)]


@contextmanager
def _silence() -> Iterator[None]:
    """Silence the exporter, which prints its progress and warns about its own changes."""
    log = logging.getLogger("onnxscript")
    level = log.level
    log.setLevel(logging.ERROR)
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
    log.setLevel(level)
