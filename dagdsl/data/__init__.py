"""A data set's name -> images and labels in batches."""

from dagdsl.data.catalogue import DATA_SETS, open_data
from dagdsl.data.splits import Batch, Data, Normalisation, Split, steps_an_epoch, to_device

__all__ = [
    "DATA_SETS",
    "Batch",
    "Data",
    "Normalisation",
    "Split",
    "open_data",
    "steps_an_epoch",
    "to_device",
]
