"""The errors that dagdsl raises on purpose.

    DagdslError
    ├── UsageError        a wrong option, data set, checkpoint or environment
    │   └── InputError    a model's inputs do not have the declared number, shape or type
    ├── InvalidSource     a `.dg` file has errors; carries the diagnostics
    └── ModelError        PyTorch failed inside a model

Any other exception that leaves dagdsl is a bug.
"""

from __future__ import annotations


class DagdslError(Exception):
    """The base class of every error that dagdsl raises on purpose.

    >>> import dagdsl
    >>> try:
    ...     dagdsl.loads("net N {")
    ... except dagdsl.DagdslError as error:
    ...     print(type(error).__name__)
    InvalidSource
    """


class UsageError(DagdslError):
    """A wrong option, data set, checkpoint or environment.

    `str(error)` is one sentence for the user: what is wrong and what to do. The command line
    prints it without a traceback and exits with status 2.

    >>> import dagdsl
    >>> dagdsl.load("examples/quickstart.dg", width=1000)
    Traceback (most recent call last):
    dagdsl.errors.UsageError: `width` must be between 8 and 64, not 1000
    """
