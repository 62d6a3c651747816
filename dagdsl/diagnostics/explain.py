"""A diagnostic code -> its explanation, with a wrong and a corrected example.

Each explanation is a Markdown file beside this module, read on demand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

from dagdsl.diagnostics.codes import CODES

_PAGE = re.compile(
    r"(?P<meaning>.+)\n## Wrong\n+```(?P<shown>\w+)\n(?P<wrong>.+)```\n+"
    r"## Right\n+```\w+\n(?P<right>.+)```\n",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The meaning of a diagnostic code.

    The examples are complete `.dg` files, or command lines if `shown` is `sh`.

    >>> import dagdsl
    >>> dagdsl.explain("DG0103").shown
    'dg'
    """

    code: str
    title: str
    meaning: str
    wrong: str
    right: str
    shown: str


def explain(code: str) -> Explanation:
    """Return the explanation of a diagnostic code. Raises KeyError if the code is unknown.

    >>> explain("DG0103").title
    'unterminated string'
    """
    title = CODES[code]
    page = files("dagdsl.diagnostics") / "explanations" / f"{code}.md"
    match = _PAGE.fullmatch(page.read_text(encoding="utf-8"))
    assert match is not None, f"{code}.md lacks one of its three parts"
    parts = {name: text.strip() for name, text in match.groupdict().items()}
    return Explanation(
        code, title, parts["meaning"], parts["wrong"], parts["right"], parts["shown"]
    )
