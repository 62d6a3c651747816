"""The data sets by name: `digits`, `fashion-mnist` and `folder:PATH`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch

from dagdsl.data import digits, fashion_mnist, folder
from dagdsl.data.splits import Data, DataRequest, Normalisation
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Shape

DATA_SETS: Mapping[str, Callable[[str, DataRequest], Data]] = MappingProxyType(
    {
        "digits": digits.open_digits,
        "fashion-mnist": fashion_mnist.open_fashion_mnist,
        "folder": folder.open_folder,
    }
)
"""Name -> opener. The opener's first argument is the text after the colon, or empty."""


def open_data(
    spec: str,
    *,
    shape: Shape,
    validation: float = 0.1,
    device: torch.device | str = "cpu",
    workers: int = 0,
    normalisation: Normalisation | None = None,
) -> Data:
    """Open a data set with images of `shape` (C, H, W): resized, and converted to grey or RGB.

    `spec` is `digits`, `fashion-mnist` or `folder:PATH`. `validation` is the fraction of the
    training images to hold out if the data set has no validation split. `workers` is the number of
    processes that decode image files. `normalisation` replaces that of the data set. Raises
    UsageError if the name is unknown, the data is missing or damaged, or C is not 1 or 3.

    >>> data = open_data("digits", shape=(3, 16, 16))
    >>> len(data.train), len(data.validation), len(data.test)
    (1295, 143, 359)
    >>> images, labels = next(data.test.ordered(batch_size=4))
    >>> images.shape, labels.shape
    (torch.Size([4, 3, 16, 16]), torch.Size([4]))
    """
    name, _, argument = spec.partition(":")
    if name not in DATA_SETS:
        raise UsageError(f"unknown data set `{spec}`: use digits, fashion-mnist or folder:PATH")
    if (name == "folder") != bool(argument):
        usage = "folder:PATH" if name == "folder" else name
        raise UsageError(f"invalid data set `{spec}`: write `{usage}`")
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise UsageError(
            f"the net's input is {' x '.join(map(str, shape))}, but an image data set needs "
            "1 or 3 channels x height x width"
        )
    request = DataRequest(shape, torch.device(device), validation, normalisation, workers)
    return DATA_SETS[name](argument, request)
