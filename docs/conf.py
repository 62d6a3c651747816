"""Sphinx: `make docs` builds the pages of this folder into docs/_build."""

import re

from sphinx.application import Sphinx

from dagdsl import __version__
from dagdsl.pygments_lexer import DgLexer

project = "dagdsl"
author = "the dagdsl authors"
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
autodoc_typehints = "none"
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 88
html_theme = "furo"
html_title = f"dagdsl {__version__}"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
# Links into the source tree work for readers of the repository only.
suppress_warnings = ["myst.xref_missing"]


_CODE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")


def _as_restructured_text(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Docstrings mark code with single backticks, as Markdown does; reStructuredText takes two."""
    paragraphs = "\n".join(lines).split("\n\n")
    lines[:] = "\n\n".join(
        text if ">>> " in text else _CODE.sub(r"``\1``", text) for text in paragraphs
    ).split("\n")


def setup(app: Sphinx) -> None:
    """Register the lexer for `dg` blocks; Pygments uses that name for another language."""
    app.add_lexer("dg", DgLexer)
    app.connect("autodoc-process-docstring", _as_restructured_text)
