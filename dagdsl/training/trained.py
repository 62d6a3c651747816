"""A run folder -> its best weights, and how images become the input of the network."""

from __future__ import annotations

from pathlib import Path

from dagdsl.data.folder import CENTRE
from dagdsl.ir.nodes import Net
from dagdsl.training.checkpoint import load_weights
from dagdsl.training.classifier import as_classifier
from dagdsl.training.run import RunFolder
from dagdsl_compiler.driver import Model
from dagdsl_compiler.export.manifest import Images


def load_best(path: Path, net: Net, model: Model) -> Images:
    """Load the best weights of a run of `net` into `model`. The data of the run is not needed.

    Raises UsageError if the run is missing, damaged or of another network.
    """
    about = load_weights(RunFolder(path).best, net, model)
    return Images(
        data=about.data,
        classes=about.classes,
        mean=about.mean,
        std=about.std,
        centre=CENTRE if about.data.startswith("folder:") else 1.0,
        logits=as_classifier(net).output or net.outputs[0].name,
    )
