"""Limits on the size of a `.dg` file and its nets, checked before anything is expanded."""

from __future__ import annotations

from typing import Final

MAX_FILE_BYTES: Final = 1 << 18
MAX_IR_BYTES: Final = 1 << 26
"""Size of an `ir.json`."""
MAX_IMPORTS: Final = 64
MAX_NESTING: Final = 64
"""Depth of nested brackets, of expressions, and of blocks that use blocks (with a body: two)."""
MAX_PROBLEMS: Final = 100
"""Syntax errors of one file after which the rest is not read."""
MAX_INTEGER: Final = 1 << 53
MAX_LIST: Final = 1024
"""Items of a list, including those of nested lists."""
MAX_NETS: Final = 256
"""Nets of a file. Without it, an untrusted file could build a large net many times."""
MAX_NODES: Final = 20_000
MAX_EDGES: Final = 100_000
"""As many as a complete DAG of 445 nodes has; checking it takes half a second."""
MAX_OPS: Final = 200_000
"""Ops of a net after all blocks are expanded."""
MAX_TENSOR: Final = 1 << 28
"""Elements of a tensor of one sample: 1 GiB in float32."""
MAX_PARAMETERS: Final = 2_000_000_000
"""8 GB in float32."""
