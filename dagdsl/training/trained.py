"""A run folder -> its best weights, and what is needed to show the net an image."""

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
    """Load the best weights of a run of `net`; the data of the run may be gone.

    Raises UsageError: no run, damaged, or one of another net.
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
