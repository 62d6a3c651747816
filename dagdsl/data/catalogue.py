"""`digits`, `fashion-mnist`, `folder:PATH` -> the opened data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch

from dagdsl.data import digits, fashion_mnist, folder
from dagdsl.data.splits import Data, Normalisation, Wanted
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Shape

DATA_SETS: Mapping[str, Callable[[str, Wanted], Data]] = MappingProxyType(
    {
        "digits": digits.open_digits,
        "fashion-mnist": fashion_mnist.open_fashion_mnist,
        "folder": folder.open_folder,
    }
)
"""Name -> opener; the opener's first argument is what follows the colon, or empty."""


def open_data(
    spec: str,
    *,
    shape: Shape,
    validation: float = 0.1,
    device: torch.device | str = "cpu",
    workers: int = 0,
    normalisation: Normalisation | None = None,
) -> Data:
    """Open a data set, its images adapted to `shape`: resized, grey made RGB or the reverse.

    `spec` is a name of `DATA_SETS`, with `:argument` behind it where it takes one. Raises
    UsageError: an unknown name, data that is not there or broken, a shape that is no image.
    """
    name, _, argument = spec.partition(":")
    if name not in DATA_SETS:
        raise UsageError(f"unknown data set `{spec}`: take digits, fashion-mnist or folder:PATH")
    if (name == "folder") != bool(argument):
        usage = "folder:PATH" if name == "folder" else name
        raise UsageError(f"data set `{spec}` is written `{usage}`")
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise UsageError(
            f"the net's input is {' x '.join(map(str, shape))}: "
            "a data set of images needs 1 or 3 channels x height x width"
        )
    wanted = Wanted(shape, torch.device(device), validation, normalisation, workers)
    return DATA_SETS[name](argument, wanted)
