"""`dagdsl build`: compile a net, show what it is, and leave what runs it elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from dagdsl.cli.console import Format, NetName, Sets

if TYPE_CHECKING:
    from torch.fx import GraphModule

    from dagdsl.analysis.cost import CostSummary
    from dagdsl.ir.nodes import Net
    from dagdsl_compiler.driver import Mode


def run(
    file: Annotated[Path, typer.Argument(help="The `.dg` file, or an `ir.json`.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder for the results; `build/NAME` if left out."),
    ] = None,
    set: Sets = [],  # noqa: B006
    weights: Annotated[
        Path | None,
        typer.Option(help="The folder of a training run; random weights if left out."),
    ] = None,
    backend: Annotated[
        str,
        typer.Option(help="`inductor` compiles a `model.pt2`, `eager` runs the graph as it is."),
    ] = "inductor",
    mode: Annotated[
        str,
        typer.Option(
            help="`dense` trains; `static`, `grouped`, `branch` and `auto` only evaluate, and skip."
        ),
    ] = "dense",
    batch: Annotated[
        int | None,
        typer.Option(help="Compile for one batch size alone; for any if left out."),
    ] = None,
    export: Annotated[
        str | None, typer.Option(help="`onnx`: also write a `model.onnx` (`dense` and `static`).")
    ] = None,
    pin: Annotated[
        Path | None, typer.Option(help="Routes fixed as open or closed: a `routes.json`.")
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="How often edges are open, from `dagdsl profile`.")
    ] = None,
    dump: Annotated[
        bool, typer.Option("--dump", help="Also write the graph after each pass.")
    ] = False,
    explain_passes: Annotated[
        bool,
        typer.Option("--explain-passes", help="Say what each pass did where, or why it did not."),
    ] = False,
    net: NetName = None,
    format: Annotated[Format, typer.Option(help="How to answer.")] = Format.human,
) -> None:
    """Compile a net: `model.pt2` runs with torch alone, `model.py` is standalone source.

    What is built is compared with the plain graph on probe inputs before anything is written.
    """
    from dagdsl.analysis.cost import cost_of_net
    from dagdsl.cli.console import console, load_net, print_json, status
    from dagdsl.errors import UsageError
    from dagdsl.files import read_text

    if export not in (None, "onnx"):
        raise UsageError(f"there is no export to `{export}`: `onnx` is all there is")
    built = load_net(file, set, net)
    folder = output or Path("build") / file.stem
    costs = cost_of_net(built)
    quiet = format is Format.json

    from dagdsl.training.trained import load_best
    from dagdsl_compiler.driver import Profile, compile, explain, pins_from_json
    from dagdsl_compiler.export.artefact import build
    from dagdsl_compiler.export.manifest import MANIFEST
    from dagdsl_compiler.export.target import Target
    from dagdsl_compiler.passes.base import dump as dump_graph

    passes: dict[str, bytes] = {}

    def keep(name: str, module: GraphModule) -> None:
        passes[f"passes/{len(passes):02}-{name}.txt"] = dump_graph(module).encode()

    with status(f"compiling {built.name} ({backend}, {mode})", quiet):
        start = time.perf_counter()
        target = Target(
            cast("Mode", mode),  # which it checks
            batch,
            pins_from_json(read_text(pin)) if pin else {},
            Profile.from_json(read_text(profile)) if profile else None,
        )
        model = compile(built, backend="eager", seed=0)
        images = load_best(weights, built, model) if weights else None
        made = build(model, target, backend=backend, to_onnx=export is not None, images=images)
        seconds = time.perf_counter() - start
        steps = []
        if dump or explain_passes:
            generated = backend == "inductor"
            on_pass = keep if dump else None
            steps = explain(target.graph(target.model(model), generated=generated, on_pass=on_pass))
    files = {**made.files, **passes}
    _write(folder, files)

    if quiet:
        print_json(
            {
                "name": built.name,
                "ir_hash": built.hash,
                **{field: getattr(costs, field) for field in costs.__slots__},
                "error": made.error,
                "seconds": seconds,
                "mode": mode,
                "batch": target.batch,
                "removed": made.removed,
                "stages": [
                    {"name": name, **{field: getattr(cost, field) for field in cost.__slots__}}
                    for name, _, cost in _rows(built)
                ],
                "settings": built.settings,
                "folder": str(folder),
                "files": sorted(files),
                "passes": [asdict(step) for step in steps],
            }
        )
        return
    console().print(_table(built, costs))
    if made.removed:
        print(made.removed)
    for step in steps:
        print(step)
    print(f"built {folder}: {', '.join(sorted(made.files))}")
    print(
        f"{' = '.join(made.forms)} = eager on probe inputs, every routing: "
        f"largest relative error {made.error:.1e}; compiled in {seconds:.1f} s"
    )
    if weights is None and MANIFEST in files:
        print("the weights are random: `--weights RUN` takes those of a training run")


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write all files; an artefact of an earlier build does not stay beside them."""
    from dagdsl.files import make_folder, write_atomic
    from dagdsl_compiler.export.manifest import FILES, MANIFEST

    make_folder(folder)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    # Last the one without which the others are not used.
    for name in sorted(files, key=lambda name: (name == MANIFEST, name)):
        path = folder / name
        make_folder(path.parent)
        write_atomic(path, files[name])


def _rows(net: Net) -> list[tuple[str, str, CostSummary]]:
    """Name, shape and costs of each node of the net's own graph."""
    from dagdsl.analysis.cost import cost_of_node
    from dagdsl.ops.spec import format_shape

    return [
        (node.name, format_shape(node.shape), cost_of_node(node, net.graph))
        for node in net.graph.nodes
        if node.kind != "in"
    ]


def _table(net: Net, total: CostSummary) -> object:
    from rich import box
    from rich.table import Table

    table = Table(
        title=f"{net.name}  {net.hash[:12]}",
        title_justify="left",
        box=box.SIMPLE,
        show_footer=True,
        caption="MACs: multiply-adds a sample, all edges open; least: all closed that can close",
        caption_justify="left",
    )
    footer = ("total", "", *_cells(total, total))
    headers = ("", "shape", "nodes", "edges", "gated", "parameters", "MACs", "least", "routers")
    for i, (header, foot) in enumerate(zip(headers, footer, strict=True)):
        table.add_column(header, foot, justify="left" if i < 2 else "right")
    for name, shape, costs in _rows(net):
        table.add_row(name, shape, *_cells(costs, total))
    return table


def _cells(costs: CostSummary, total: CostSummary) -> tuple[str, ...]:
    share = costs.router_parameters / total.parameters if total.parameters else 0.0
    return (
        f"{costs.nodes or ''}",
        f"{costs.edges or ''}",
        f"{costs.gated_edges or ''}",
        f"{costs.parameters:,}",
        f"{costs.macs:,}",
        f"{costs.least_macs:,}",
        f"{share:.2%}" if costs.router_parameters else "",
    )
