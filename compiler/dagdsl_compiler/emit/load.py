"""The text of a `model.py` -> the module it describes, for comparing it with what was compiled."""

from __future__ import annotations

from types import ModuleType

from torch import nn


def load_source(source: str) -> nn.Module:
    """Run a `model.py` that `emit_source` has just written; gives an instance of its network.

    Nothing else may be given to it: the text is executed.
    """
    module = ModuleType("model")
    exec(compile(source, "model.py", "exec"), module.__dict__)
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == "model"
    ]
    # The network is the last class of the file: it is made from those before it.
    network: nn.Module = classes[-1]()
    return network
