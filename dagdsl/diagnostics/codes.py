"""All diagnostic codes and their titles. A code is never reused."""

from __future__ import annotations

from types import MappingProxyType

CODES = MappingProxyType(
    {
        # 00 files
        "DG0001": "the file cannot be read",
        "DG0002": "the file is not UTF-8 text",
        "DG0003": "the file is too large",
        "DG0004": "too many problems",
        # 01 syntax
        "DG0101": "unexpected character",
        "DG0102": "syntax error",
        "DG0103": "unterminated string",
        "DG0104": "nested too deeply",
        "DG0105": "unknown edition",
        "DG0106": "number that cannot be represented",
        # 02 names
        "DG0201": "unknown name",
        "DG0202": "name declared twice",
        "DG0203": "the name refers to something else",
        "DG0204": "import not found",
        "DG0205": "cyclic imports",
        "DG0206": "unknown router",
        "DG0207": "unknown connect pattern",
        "DG0208": "node index out of range",
        "DG0209": "recursive block or router",
        "DG0210": "unknown argument",
        "DG0211": "duplicate argument",
        "DG0212": "missing argument",
        "DG0213": "too many arguments",
        # 03 values
        "DG0301": "wrong type",
        "DG0302": "value out of range",
        "DG0303": "default outside the param's domain",
        "DG0304": "arithmetic without a result",
        "DG0305": "not an integer",
        # 04 shapes
        "DG0401": "shapes that cannot be merged",
        "DG0402": "op does not fit its input",
        "DG0403": "stage differs from its declared shape",
        "DG0404": "tensor too large",
        "DG0405": "too many parameters",
        # 05 graphs
        "DG0501": "cycle",
        "DG0502": "node without incoming edges",
        "DG0503": "unused node",
        "DG0504": "impossible edge",
        "DG0505": "the file declares no net",
        "DG0506": "net without an input",
        "DG0507": "net without an output",
        "DG0508": "the graph is too large",
        "DG0509": "stage or block without a result",
        "DG0510": "duplicate edge",
        "DG0511": "pattern does not fit the number of nodes",
        # 06 routers
        "DG0601": "router without one weight per edge",
        "DG0602": "op not allowed in a router",
        "DG0603": "op not allowed here",
        "DG0604": "router without an input",
        "DG0605": "contradictory router",
        # 08 lint
        "DG0801": "unused name",
        "DG0802": "edges that can never open",
        "DG0803": "router starts near its threshold",
        "DG0804": "gate that never closes",
        "DG0805": "router decides by one number",
        "DG0806": "stage dominates the cost",
    }
)
"""Code -> title."""
