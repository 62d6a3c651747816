"""The errors that compiled networks raise."""

from __future__ import annotations

from dagdsl.errors import DagdslError, UsageError
from dagdsl.source import Origin


class InputError(UsageError):
    """The number, shape or dtype of inputs does not match the declaration of the net.

    >>> import dagdsl, torch
    >>> model = dagdsl.compile(dagdsl.load("examples/quickstart.dg"), backend="eager")
    >>> model(torch.zeros(2, 3, 8, 8))
    Traceback (most recent call last):
    dagdsl_compiler.errors.InputError: expected [B, 1, 8, 8] for input `image`, got [2, 3, 8, 8]
    """


class ModelError(DagdslError):
    """PyTorch failed inside the network. The original error is chained as the cause.

    `message` is PyTorch's message, `ir` the path of the element that failed (`s1.n[0].ir.conv_2`),
    and `origin` its place in the text. `ir` and `origin` are None if only the compiled code failed.

    >>> import dagdsl, torch
    >>> model = dagdsl.compile(dagdsl.load("examples/quickstart.dg"), backend="eager")
    >>> model.stem.conv.weight = torch.nn.Parameter(torch.zeros(16, 2, 3, 3))
    >>> try:
    ...     model(torch.zeros(2, 1, 8, 8))
    ... except dagdsl.ModelError as error:
    ...     print(error.ir)
    stem.conv
    """

    def __init__(self, message: str, ir: str | None = None, origin: Origin | None = None) -> None:
        where = f"{origin.span!r}: " if origin is not None else ""
        at = f" (at `{ir}`)" if ir is not None else ""
        super().__init__(f"{where}{message}{at}")
        self.message = message
        self.ir = ir
        self.origin = origin
