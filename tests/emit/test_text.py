"""The emitted text: a golden file, and properties of every text."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

import dagdsl
from dagdsl_compiler.emit import emit_source
from tests.conftest import Golden
from tests.strategies import nets

GOLDEN = Path(__file__).parent / "golden"


def test_golden(golden: Golden) -> None:
    net = dagdsl.load(GOLDEN / "dgnet.dg")
    # Both change with the version of dagdsl, even if the network does not.
    text = emit_source(net).replace(net.hash, "<hash>").replace(dagdsl.__version__, "<version>")
    golden(GOLDEN / "dgnet.model.txt", text)


def test_emitting_is_deterministic() -> None:
    first, second = (emit_source(dagdsl.load(GOLDEN / "dgnet.dg")) for _ in range(2))
    assert first == second


@settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(nets())
def test_imports_only_torch_and_fits_line_length(net: dagdsl.Net) -> None:
    text = emit_source(net)
    assert imported(text) <= {"__future__", "typing", "torch"}
    assert max(map(len, text.splitlines())) <= 100


def test_passes_ruff(tmp_path: Path) -> None:
    sources = [GOLDEN / "dgnet.dg", Path("examples/quickstart.dg")]
    for path in sources:
        (tmp_path / f"{path.stem}.py").write_text(emit_source(dagdsl.load(path)))
    options = ["--isolated", "--select", "E,F", "--line-length", "100"]
    ruff = [sys.executable, "-m", "ruff", "check", *options, str(tmp_path)]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def imported(text: str) -> set[str]:
    """The top-level packages that a Python text imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found
