"""How large a `.dg` file and what it describes may be. Checked before anything is expanded."""

from __future__ import annotations

from typing import Final

MAX_FILE_BYTES: Final = 1 << 18
MAX_IR_BYTES: Final = 1 << 26
"""Of an `ir.json`."""
MAX_IMPORTS: Final = 64
MAX_NESTING: Final = 64
"""Parentheses, braces and lists inside one another; blocks that use blocks (with a body: two)."""
MAX_PROBLEMS: Final = 100
"""Diagnostics of one file after which the rest is not read."""
MAX_INTEGER: Final = 1 << 53
MAX_LIST: Final = 1024
"""Items of a list, with those of the lists in it."""
MAX_NETS: Final = 256
"""Nets of a file: an untrusted one would else make a large net again and again."""
MAX_NODES: Final = 20_000
MAX_EDGES: Final = 100_000
"""A complete DAG of 445 nodes; checking it takes half a second."""
MAX_OPS: Final = 200_000
"""Operators of a net after expansion of all blocks."""
MAX_TENSOR: Final = 1 << 28
"""Elements of one sample's tensor: 1 GiB in float32."""
MAX_PARAMETERS: Final = 2_000_000_000
"""8 GB in float32."""
