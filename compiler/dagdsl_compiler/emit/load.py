"""Load an emitted `model.py`, to compare its network with the compiled one."""

from __future__ import annotations

from types import ModuleType

from torch import nn


def load_source(source: str) -> nn.Module:
    """Execute the text of a `model.py` and return an instance of its network.

    Pass only text that `emit_source` has just returned, because all of it is executed.
    """
    module = ModuleType("model")
    exec(compile(source, "model.py", "exec"), module.__dict__)
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == "model"
    ]
    # The network is the last class, because it uses the others.
    network: nn.Module = classes[-1]()
    return network
