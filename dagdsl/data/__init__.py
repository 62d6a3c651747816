"""Data sets: a name -> batches of images and labels."""

from dagdsl.data.catalogue import DATA_SETS, open_data
from dagdsl.data.splits import Batch, Data, Normalisation, Split, steps_per_epoch, to_device

__all__ = [
    "DATA_SETS",
    "Batch",
    "Data",
    "Normalisation",
    "Split",
    "open_data",
    "steps_per_epoch",
    "to_device",
]
