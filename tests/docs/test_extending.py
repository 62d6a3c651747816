"""Write the files of docs/extending.md to a folder, install them as a package, and use it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
FILE = re.compile(r"^```\w+\n# (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the page and the metadata of an installed package."""
    folder = tmp_path_factory.mktemp("project")
    groups: dict[str, dict[str, str]] = {}
    for name, text in FILE.findall(PAGE.read_text(encoding="utf-8")):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        if name == "pyproject.toml":
            groups |= tomllib.loads(text)["project"]["entry-points"]
    installed = folder / "blurry-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: blurry\nVersion: 1.0\n")
    points = [f"[{group}]\n{k} = {v}\n" for group, it in groups.items() for k, v in it.items()]
    (installed / "entry_points.txt").write_text("".join(points))
    return folder


def run(project: Path, *args: str) -> str:
    """Run Python in the folder and return stdout and stderr, whatever the exit status."""
    done = subprocess.run(
        [sys.executable, *args],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "COLUMNS": "100", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def dagdsl(project: Path, *args: str) -> str:
    return run(project, "-c", "from dagdsl.cli.app import main; main()", *args)


def test_an_op_and_a_pattern_check_clean(project: Path) -> None:
    assert "no problems" in dagdsl(project, "check", "net.dg", "wired.dg")


def test_check_stays_free_of_torch(project: Path) -> None:
    code = (
        "import dagdsl, sys; dagdsl.load('net.dg');"
        "print('torch' in sys.modules, 'blurry.layers' in sys.modules, 'blurry.ops' in sys.modules)"
    )
    assert run(project, "-c", code).strip() == "False False True"


def test_built_in_ops_load_no_entry_points(project: Path) -> None:
    code = (
        "import dagdsl, sys;"
        "dagdsl.loads('net N { input x: f32[4] node y: fc(2) x -> y output y }');"
        "print('blurry.ops' in sys.modules)"
    )
    assert run(project, "-c", code).strip() == "False"


def test_the_op_builds_and_model_py_imports_the_package(project: Path) -> None:
    said = dagdsl(project, "build", "net.dg", "--backend", "eager", "-o", "out")
    assert "model.py = eager" in said
    source = (project / "out" / "model.py").read_text()
    assert "import blurry.layers as blurry_layers_module" in source
    assert "torch and blurry" in source
    code = "import runpy; print(runpy.run_path('out/model.py')['N']())"
    assert "(blur): Blur()" in run(project, "-c", code)


def test_diagnostics_are_as_good_as_for_a_built_in_op(project: Path) -> None:
    head = "net N {\n  input image: f32[3, 32, 32]\n"
    rest = "\n  image -> a\n  output a\n}\n"
    (project / "wrong.dg").write_text(f"{head}  node a: conv(16) |> blur(9) |> gap{rest}")
    shown = re.search(r"^```text\n(error.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert shown is not None
    assert shown[1].strip() in dagdsl(project, "check", "wrong.dg")
    mistakes = {
        "blurr": "did you mean `blur`?",
        "blur(strid = 2)": "did you mean `stride`?",
        "gap |> blur": "`blur` needs a feature map of channels x height x width, not 3",
        "conv(stride = 32) |> blur": "`blur` has nothing to blur in 3 x 1 x 1",
        'blur("2")': "`stride` must be a whole number",
    }
    for number, pipe in enumerate(mistakes):
        (project / f"wrong{number}.dg").write_text(f"{head}  node a: {pipe}{rest}")
    answer = dagdsl(project, "check", *(f"wrong{number}.dg" for number in range(len(mistakes))))
    for said in mistakes.values():
        assert said in answer


def test_errors_of_the_pattern_are_diagnostics(project: Path) -> None:
    text = (project / "wired.dg").read_text().replace("step = 3", "step = 9")
    (project / "wrong.dg").write_text(text)
    said = dagdsl(project, "check", "wrong.dg")
    assert "error[DG0511]: `skip` cannot leap over 9 of 4 nodes" in said
    assert "take a smaller `step`" in said


def test_the_pass_does_what_the_page_shows(project: Path) -> None:
    assert run(project, "use_pass.py").strip() == (project / "use_pass.out").read_text().strip()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("from dagdsl.ops.spec", "from nowhere"), "cannot be loaded: ModuleNotFoundError"),
        (("whole(p,", "int(p +"), "the shape rule of op `blur` of package `blurry` fails on"),
        (('"stride", "int", 2', '"stride", "int", 9'), "has an invalid default for `stride`"),
        (('"blur",\n', '"conv",\n'), "`conv` of package `blurry` already exists"),
        (('module="blurry.layers:Blur",\n', ""), "has no `module`"),
    ],
)
def test_a_broken_package_is_reported_by_name(
    project: Path, change: tuple[str, str], said: str
) -> None:
    path = project / "blurry" / "ops.py"
    good = path.read_text()
    text = good.replace(*change)
    assert text != good
    path.write_text(text)
    try:
        answer = dagdsl(project, "check", "net.dg")
    finally:
        path.write_text(good)
    assert said in answer
    assert "Traceback" not in answer
    assert "bug" not in answer
