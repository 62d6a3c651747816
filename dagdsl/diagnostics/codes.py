"""Every diagnostic code and what it stands for. A code is never reused."""

from __future__ import annotations

from types import MappingProxyType

CODES = MappingProxyType(
    {
        # 00 files
        "DG0001": "the file cannot be read",
        "DG0002": "the file is not text",
        "DG0003": "the file is too large",
        "DG0004": "too many problems",
        # 01 syntax
        "DG0101": "unexpected character",
        "DG0102": "syntax error",
        "DG0103": "string without an end",
        "DG0104": "nested too deeply",
        "DG0105": "unknown edition",
        "DG0106": "a number that cannot be represented",
        # 02 names
        "DG0201": "unknown name",
        "DG0202": "name declared twice",
        "DG0203": "the name stands for something else",
        "DG0204": "import that cannot be found",
        "DG0205": "imports that go in a circle",
        "DG0206": "unknown router",
        "DG0207": "unknown connect pattern",
        "DG0208": "node index out of range",
        "DG0209": "block that uses itself",
        "DG0210": "unknown argument",
        "DG0211": "the argument is given twice",
        "DG0212": "missing argument",
        "DG0213": "too many arguments",
        # 03 values
        "DG0301": "wrong type of value",
        "DG0302": "value out of range",
        "DG0303": "value outside the param's domain",
        "DG0304": "arithmetic that has no result",
        "DG0305": "not a whole number",
        # 04 shapes
        "DG0401": "shapes that cannot be merged",
        "DG0402": "op that does not fit its input",
        "DG0403": "the stage does not have the declared shape",
        "DG0404": "tensor too large",
        "DG0405": "too many parameters",
        # 05 graphs
        "DG0501": "cycle",
        "DG0502": "node nothing leads to",
        "DG0503": "node that leads nowhere",
        "DG0504": "edge that cannot be",
        "DG0505": "no net in the file",
        "DG0506": "net without input",
        "DG0507": "net without output",
        "DG0508": "the graph is too large",
        "DG0509": "stage without a path from in to out",
        "DG0510": "the edge is there twice",
        "DG0511": "pattern that cannot wire so many nodes",
        # 06 routers
        "DG0601": "router that does not end in weights",
        "DG0602": "op that has no place in a router",
        "DG0603": "op that has no place here",
        "DG0604": "router with nothing to read",
        "DG0605": "router that contradicts itself",
        # 08 lint
        "DG0801": "unused name",
        "DG0802": "edge that can never open",
        "DG0803": "router that starts near its threshold",
        "DG0804": "gate that is always open",
        "DG0805": "router that sees one number",
        "DG0806": "stage that dwarfs the others",
    }
)
"""Code -> title."""
