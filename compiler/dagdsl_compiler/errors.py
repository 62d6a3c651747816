"""What a compiled network raises."""

from __future__ import annotations

from dagdsl.errors import UsageError
from dagdsl.source import Origin


class InputError(UsageError):
    """The inputs are not what the network declares: their number, shape or type."""


class ModelError(Exception):
    """PyTorch failed inside the network; its own error is the cause.

    `message` is what PyTorch said, `ir` the place in the network (`s1.n[0].ir.conv_2`), `origin`
    the text that place comes from. Without a place it is the compiled code alone that failed.
    """

    def __init__(self, message: str, ir: str | None = None, origin: Origin | None = None) -> None:
        where = f"{origin.span!r}: " if origin is not None else ""
        at = f" (at `{ir}`)" if ir is not None else ""
        super().__init__(f"{where}{message}{at}")
        self.message = message
        self.ir = ir
        self.origin = origin
