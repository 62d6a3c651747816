"""A text language, a typed IR and a compiler for networks whose wiring depends on the input.

    net = dagdsl.load("net.dg", tau=0.2)
    model = dagdsl.compile(net)
    logits, routes = model(images, return_routes=True)

Names are loaded when they are first used: `load` and `check` work without importing torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from dagdsl.api import check as check
    from dagdsl.api import compile as compile
    from dagdsl.api import load_torchvision_weights as load_torchvision_weights
    from dagdsl.diagnostics.model import Diagnostic as Diagnostic
    from dagdsl.diagnostics.model import InvalidSource as InvalidSource
    from dagdsl.errors import UsageError as UsageError
    from dagdsl.frontend import load as load
    from dagdsl.frontend import loads as loads
    from dagdsl.ir.nodes import Net as Net
    from dagdsl.transform.dynamize import dynamize as dynamize

__version__: Final = "0.2.0"

_HOMES: Final = {
    "check": "dagdsl.api",
    "compile": "dagdsl.api",
    "load_torchvision_weights": "dagdsl.api",
    "dynamize": "dagdsl.transform.dynamize",
    "load": "dagdsl.frontend",
    "loads": "dagdsl.frontend",
    "Net": "dagdsl.ir.nodes",
    "Diagnostic": "dagdsl.diagnostics.model",
    "InvalidSource": "dagdsl.diagnostics.model",
    "UsageError": "dagdsl.errors",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `dagdsl` has no `{name}`")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
