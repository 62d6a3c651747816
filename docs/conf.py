"""Sphinx: `make docs` builds the pages of this folder into docs/_build."""

from sphinx.application import Sphinx

from dagdsl import __version__
from dagdsl.pygments_lexer import DgLexer

project = "dagdsl"
author = "the dagdsl authors"
release = __version__
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"dagdsl {__version__}"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
# What links into the source tree is meant for readers of the repository.
suppress_warnings = ["myst.xref_missing"]


def setup(app: Sphinx) -> None:
    """Colour `dg` blocks as the language they are: Pygments knows another one of that name."""
    app.add_lexer("dg", DgLexer)
