"""A code -> what it means, with an example that is wrong and one that is right.

They stand beside this module, a file a code, and are read when one is asked for.
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
    """What a code means. The examples are whole files, or command lines if `shown` is `sh`."""

    code: str
    title: str
    meaning: str
    wrong: str
    right: str
    shown: str


def explain(code: str) -> Explanation:
    """The explanation of a code of the registry. Raises KeyError on another."""
    title = CODES[code]
    page = files("dagdsl.diagnostics") / "explanations" / f"{code}.md"
    match = _PAGE.fullmatch(page.read_text(encoding="utf-8"))
    assert match is not None, f"{code}.md does not have its three parts"
    parts = {name: text.strip() for name, text in match.groupdict().items()}
    return Explanation(
        code, title, parts["meaning"], parts["wrong"], parts["right"], parts["shown"]
    )
