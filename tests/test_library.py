"""`import dagdsl` is enough for what the commands do."""

from __future__ import annotations

import ast
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import assert_type

import pytest
import torch

import dagdsl
import dagdsl_compiler

ROOT = Path(__file__).parents[1]
QUICKSTART = ROOT / "examples/quickstart.dg"


def test_no_submodule_has_the_name_of_a_public_function() -> None:
    """Importing the submodule would replace the function."""
    submodules = {found.name for found in pkgutil.iter_modules(dagdsl.__path__)}
    assert not submodules & set(dagdsl.__all__)


def test_functions_stay_functions_whatever_is_imported() -> None:
    for found in pkgutil.walk_packages(dagdsl.__path__, "dagdsl."):
        if "lsp" not in found.name and "__main__" not in found.name:
            __import__(found.name)
    for name in ("check", "train", "bench", "show", "predict", "profile", "graph"):
        assert callable(getattr(dagdsl, name)), name


def test_type_checkers_see_the_public_names() -> None:
    """The names imported for type checkers are those that are looked up at run time."""
    tree = ast.parse((ROOT / "dagdsl/__init__.py").read_text())
    typed = {
        (alias.asname, statement.module)
        for statement in ast.walk(tree)
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
        if alias.asname
    }
    assert typed == set(dagdsl._MODULES.items())
    assert set(dir(dagdsl)) == set(dagdsl.__all__) == {*dagdsl._MODULES, "__version__"}
    assert (ROOT / "dagdsl/py.typed").exists()
    assert (ROOT / "compiler/dagdsl_compiler/py.typed").exists()


def test_the_reference_lists_each_public_name() -> None:
    page = (ROOT / "docs/api.md").read_text()
    listed = re.findall(r"^\.\. auto(?:function|class|exception):: (\w+)$", page, re.MULTILINE)
    assert sorted(listed) == sorted(dagdsl._MODULES)


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="`dagdsl` has no attribute `nothing`"):
        dagdsl.nothing  # noqa: B018


def test_types() -> None:
    net = dagdsl.load(QUICKSTART)
    assert_type(net, dagdsl.Net)
    assert_type(dagdsl.check(QUICKSTART), list[dagdsl.Diagnostic])
    assert_type(dagdsl.diff(net, net), dagdsl.Difference)
    assert_type(dagdsl.compile(net, backend="eager"), dagdsl.Model)
    assert_type(dagdsl.graph(net, "dot"), str)


# Exceptions that never leave dagdsl: caught where they are explained, or bugs.
INTERNAL = {
    "CannotRename",
    "CommentsChanged",
    "Exhausted",
    "FormatterBug",
    "Inexpressible",
    "PatternError",
    "ShapeError",
    "TreeChanged",
    "Unclear",
    "Unstable",
    "VerifyError",
}


def test_every_error_derives_from_dagdsl_error() -> None:
    """Those that are raised for users, that is."""
    found: set[str] = set()
    for package in (dagdsl, dagdsl_compiler):
        for path in Path(package.__path__[0]).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and node.bases:
                    base = ast.unparse(node.bases[0])
                    if base == "Exception" and not node.name.startswith("_"):
                        found.add(node.name)
    assert found - {"DagdslError"} <= INTERNAL
    for error in (
        dagdsl.UsageError,
        dagdsl.InputError,
        dagdsl.InvalidSource,
        dagdsl.ModelError,
    ):
        assert issubclass(error, dagdsl.DagdslError)


def test_text_functions_do_not_import_torch() -> None:
    code = (
        "import dagdsl, sys\n"
        f"net = dagdsl.load({str(QUICKSTART)!r})\n"
        "dagdsl.check('x.dg'), dagdsl.fmt('net N {}'), dagdsl.show(net), dagdsl.diff(net, net)\n"
        "dagdsl.graph(net), dagdsl.costs(net), dagdsl.explain('DG0301'), net._repr_svg_()\n"
        "dagdsl.TrainConfig, dagdsl.Observer, dagdsl.TrainSummary, dagdsl.routes_table\n"
        "print([m for m in ('torch', 'numpy', 'dagdsl_compiler') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_module_as_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dagdsl", "check", QUICKSTART],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, f"{QUICKSTART}: no problems\n")
    done = subprocess.run(
        [sys.executable, "-m", "dagdsl", "chekc"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "No such command" in done.stderr) == (2, True)


def test_notebook_shows_the_drawing() -> None:
    net = dagdsl.load(QUICKSTART)
    assert net._repr_svg_() == dagdsl.graph(net, "svg")
    assert net._repr_svg_().startswith("<svg")


def test_graph_of_a_block_and_wrong_usage() -> None:
    net = dagdsl.load(QUICKSTART)
    with pytest.raises(dagdsl.UsageError, match="unknown drawing format `png`: choose one of svg"):
        dagdsl.graph(net, "png")
    with pytest.raises(dagdsl.UsageError, match="Quickstart has no block `x` with a body"):
        dagdsl.graph(net, block="x")


def test_fmt_reports_syntax_errors() -> None:
    with pytest.raises(dagdsl.InvalidSource) as caught:
        dagdsl.fmt("net N {", name="mine.dg")
    assert caught.value.diagnostics[0].span.file.name == "mine.dg"


class TestRoutesTable:
    def test_counts(self) -> None:
        net = dagdsl.load(QUICKSTART, depth=2)
        routes = {key: torch.zeros(2, 4, 4) for key in ("s1", "s2", "s3")}
        routes["s1"][0, 0, 1] = 0.75
        routes["s1"][:, 0, 3] = torch.tensor([0.5, 1.0])
        table = dagdsl.routes_table(net, routes)
        rows = {edge.name: (edge.open, edge.weight) for edge in table.edges}
        assert len(rows) == 3 * 6
        assert rows["s1: in -> n[0]"] == (0.5, 0.75)
        assert rows["s1: in -> out"] == (1.0, 0.75)
        assert rows["s2: in -> out"] == (0.0, None)
        assert str(table).splitlines()[:3] == [
            "Quickstart, 2 samples",
            "edge              open  mean weight",
            "s1: in -> n[0]     50%        0.750",
        ]
        html = table._repr_html_()
        assert html.count("<tr>") == 1 + 3 * 6
        assert "<td>s1: in -&gt; n[0]</td><td>50%</td><td>0.750</td>" in html
        assert re.search("<caption>Quickstart, 2 samples</caption>", html)

    def test_agrees_with_the_model(self) -> None:
        net = dagdsl.load(QUICKSTART, width=8)
        model = dagdsl.compile(net, backend="eager", seed=0).eval()
        _, routes = model(torch.randn(5, 1, 8, 8), return_routes=True)
        table = dagdsl.routes_table(net, {key: r[:1] for key, r in routes.items()})
        assert table.samples == 1
        opened = sum(edge.open == 1 for edge in table.edges)
        assert opened == sum(int((r[0] != 0).sum()) for r in routes.values())

    def test_routes_of_another_net(self) -> None:
        net = dagdsl.load(QUICKSTART)
        for routes in ({}, {"s1": torch.zeros(2, 3, 3)}):
            with pytest.raises(dagdsl.UsageError, match="not the routes of Quickstart: `s1`"):
                dagdsl.routes_table(net, routes)


def test_build_of_a_model_has_its_weights(tmp_path: Path) -> None:
    net = dagdsl.load(QUICKSTART, width=8, depth=2)
    model = dagdsl.compile(net, backend="eager", seed=7).eval()
    report = dagdsl.build(model, tmp_path, backend="eager", dump=True)
    assert report.folder == tmp_path
    assert {path.name for path in tmp_path.iterdir()} == {*report.files[:3], "passes"}
    assert all((tmp_path / name).exists() for name in report.files)
    assert "eager (dense)" in report.forms


def test_a_run_is_opened_once(tmp_path: Path) -> None:
    net = dagdsl.load(QUICKSTART, width=8, depth=2)
    config = dagdsl.TrainConfig(epochs=1, batch_size=256, device="cpu")
    summary = dagdsl.train(net, config, out=tmp_path / "run", lr=0.01)
    assert '"lr": 0.01' in (tmp_path / "run" / "config.json").read_text()
    assert (summary.epochs, summary.seed) == (1, 0)
    run = dagdsl.open_run(tmp_path / "run")
    assert dagdsl.evaluate(run) == dagdsl.evaluate(tmp_path / "run")
    assert dagdsl.profile(run) == dagdsl.profile(tmp_path / "run", device="cpu")
    assert [image.index for image in dagdsl.image_routes(run, 1)] == [0]
    assert dagdsl.image_routes(run, 0) == []
    with pytest.raises(dagdsl.UsageError, match="the run is open already"):
        dagdsl.evaluate(run, data="digits")
    with pytest.raises(dagdsl.UsageError, match="pass `batches`"):
        dagdsl.profile(run.model)  # type: ignore[call-overload]
    with pytest.raises(dagdsl.UsageError, match="training option `lerning_rate`"):
        dagdsl.train(net, out=tmp_path / "other", lerning_rate=1.0)
