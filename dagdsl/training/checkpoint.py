"""The two safetensors files of a run: the best weights, and everything that resuming needs.

Each is a single file that is replaced atomically, so its contents are always consistent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn, optim

from dagdsl.data import Normalisation
from dagdsl.errors import UsageError
from dagdsl.files import write_atomic
from dagdsl.ir.nodes import Net
from dagdsl.training.config import TrainConfig
from dagdsl.training.metrics import EpochMetrics, JsonRecord
from dagdsl.training.optim import load_state_tensors, state_tensors

_METADATA = "dagdsl"
"""The only key of the files' metadata; its value is the JSON of `WeightsInfo` or `RunProgress`."""
_MODEL, _OPTIMIZER = "model.", "optimizer."

R = TypeVar("R", bound=BaseModel)


class WeightsInfo(JsonRecord):
    """The metadata of a file of weights: the network, the data, and the epoch."""

    ir_hash: str
    net: str
    data: str
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    epoch: int
    val_accuracy: float

    @property
    def normalisation(self) -> Normalisation:
        """The normalisation of the images in training."""
        return Normalisation(self.mean, self.std)


class RunProgress(JsonRecord):
    """The state of a run. All files of its folder except the weights can be derived from it."""

    ir_hash: str
    config: TrainConfig
    classes: tuple[str, ...]
    train_samples: int
    history: tuple[EpochMetrics, ...] = ()

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return len(self.history)

    @property
    def best(self) -> EpochMetrics:
        """The best epoch by validation accuracy; ties go to the lower loss, then to the earlier."""
        return max(self.history, key=lambda m: (m.val_accuracy, -m.val_loss))

    def after(self, metrics: EpochMetrics) -> RunProgress:
        """The state after one more epoch."""
        return self.model_copy(update={"history": (*self.history, metrics)})


def save_weights(path: Path, model: nn.Module, about: WeightsInfo) -> None:
    """Write the state dict of a model. Raises UsageError if the file cannot be written."""
    _save(path, model.state_dict(), about)


def load_weights(path: Path, net: Net, model: nn.Module) -> WeightsInfo:
    """Load a file of weights. Raises UsageError if it is missing, damaged or of another network."""
    about, tensors = _load(path, WeightsInfo)
    _check_hash(path, about.ir_hash, net)
    _load_into(model, tensors, path)
    return about


def save_progress(
    path: Path, model: nn.Module, optimizer: optim.Optimizer, progress: RunProgress
) -> None:
    """Write a checkpoint. Raises UsageError if the file cannot be written."""
    tensors = {_MODEL + key: tensor for key, tensor in model.state_dict().items()}
    tensors |= {_OPTIMIZER + key: t for key, t in state_tensors(optimizer, model).items()}
    _save(path, tensors, progress)


def read_progress(path: Path) -> RunProgress:
    """Read the state of the run from a checkpoint. Raises UsageError like `load_progress`."""
    with _opened(path) as file:
        return _metadata(path, file, RunProgress)


def load_progress(
    path: Path, net: Net, model: nn.Module, optimizer: optim.Optimizer
) -> RunProgress:
    """Load a checkpoint into model and optimizer. Raises UsageError like `load_weights`."""
    progress, tensors = _load(path, RunProgress)
    _check_hash(path, progress.ir_hash, net)
    _load_into(model, _under(_MODEL, tensors), path)
    try:
        load_state_tensors(optimizer, model, _under(_OPTIMIZER, tensors))
    except KeyError as error:
        raise UsageError(f"{path} does not contain the optimizer state of this net") from error
    return progress


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}


def _save(path: Path, tensors: Mapping[str, Tensor], about: BaseModel) -> None:
    plain = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    # Not with the writer of safetensors, which writes in place and hides OSErrors.
    write_atomic(path, save(plain, {_METADATA: about.model_dump_json()}))


def _load(path: Path, kind: type[R]) -> tuple[R, dict[str, Tensor]]:
    with _opened(path) as file:
        keys = file.keys()  # safe_open is not iterable
        return _metadata(path, file, kind), {key: file.get_tensor(key) for key in keys}


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError as error:
        raise UsageError(f"{path} does not exist") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    except SafetensorError as error:
        raise UsageError(f"{path} is damaged or truncated ({error})") from error


def _metadata(path: Path, file: Any, kind: type[R]) -> R:
    try:
        return kind.model_validate_json((file.metadata() or {})[_METADATA])
    except (KeyError, ValidationError) as error:
        raise UsageError(f"{path} was not written by this version of dagdsl train") from error


def _check_hash(path: Path, ir_hash: str, net: Net) -> None:
    if ir_hash != net.hash:
        raise UsageError(
            f"{path} belongs to another net (ir_hash {ir_hash[:12]}, not {net.hash[:12]})"
        )


def _load_into(model: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise UsageError(f"{path} does not contain the weights of this net") from error
