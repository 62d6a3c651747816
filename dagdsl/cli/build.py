"""`dagdsl build`: compile a net, show what it is, and leave its IR, its graph and its source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from dagdsl.cli.console import Format, NetName, Sets

if TYPE_CHECKING:
    from torch.fx import GraphModule

    from dagdsl.check.cost import Costs
    from dagdsl.ir.nodes import Net
    from dagdsl_compiler.driver import Mode, Model

NAME = "build"


def run(
    file: Annotated[Path, typer.Argument(help="The `.dg` file, or an `ir.json`.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder for the results; `build/NAME` if left out."),
    ] = None,
    set: Sets = [],  # noqa: B006
    backend: Annotated[
        str, typer.Option(help="`inductor` generates code, `eager` runs the graph as it is.")
    ] = "inductor",
    mode: Annotated[
        str,
        typer.Option(
            help="`dense` trains; `static`, `grouped`, `branch` and `auto` only evaluate, and skip."
        ),
    ] = "dense",
    pin: Annotated[
        Path | None, typer.Option(help="Routes fixed as open or closed: a `routes.json`.")
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="How often edges are open, from `dagdsl profile`.")
    ] = None,
    dump: Annotated[
        bool, typer.Option("--dump", help="Also write the graph after each pass.")
    ] = False,
    net: NetName = None,
    format: Annotated[Format, typer.Option(help="How to answer.")] = Format.human,
) -> None:
    """Compile a net and write `ir.json`, `graph.txt` and a standalone `model.py`.

    What is built is compared with the plain graph on probe inputs before anything is written.
    """
    from dagdsl.check.cost import cost_of_net
    from dagdsl.cli.console import console, load_net, print_json, status

    built = load_net(file, set, net)
    folder = output or Path("build") / file.stem
    costs = cost_of_net(built)
    quiet = format is Format.json
    with status(f"compiling {built.name} ({backend}, {mode})", quiet):
        files, facts, removed = _compile(built, backend, mode, pin, profile, dump)
    _write(folder, files)

    if quiet:
        print_json(
            {
                "name": built.name,
                "ir_hash": built.hash,
                **{field: getattr(costs, field) for field in costs.__slots__},
                **facts,
                "mode": mode,
                "removed": removed,
                "stages": [
                    {"name": name, **{field: getattr(cost, field) for field in cost.__slots__}}
                    for name, _, cost in _rows(built)
                ],
                "settings": built.settings,
                "folder": str(folder),
                "files": sorted(files),
            }
        )
        return
    console().print(_table(built, costs))
    if removed:
        print(removed)
    print(f"built {folder}: {', '.join(sorted(f for f in files if '/' not in f))}")
    print(
        f"{backend} ({mode}) = eager = model.py on probe inputs, every routing: "
        f"largest relative error {facts['error']:.1e}; compiled in {facts['seconds']:.1f} s"
    )


def _compile(
    net: Net, backend: str, mode: str, pin: Path | None, profile: Path | None, dump: bool
) -> tuple[dict[str, str], dict[str, float], str]:
    """The files of a build, by name, facts about it, and what its mode took out.

    Raises ModelError on a mismatch.
    """
    import time

    from dagdsl.files import read_text
    from dagdsl_compiler.driver import Profile, compile, pins_from_json
    from dagdsl_compiler.emit.load import load_source
    from dagdsl_compiler.emit.source import emit_source
    from dagdsl_compiler.errors import ModelError
    from dagdsl_compiler.passes.base import dump as dump_graph
    from dagdsl_compiler.probe import BATCH, compare

    files: dict[str, str] = {}

    def keep(name: str, module: GraphModule) -> None:
        files[f"passes/{len(files):02}-{name}.txt"] = dump_graph(module)

    start = time.perf_counter()
    reference = compile(net, backend="eager", seed=0, on_pass=keep if dump else None)
    source = emit_source(net)
    pins = pins_from_json(read_text(pin)) if pin else None
    measured = Profile.from_json(read_text(profile)) if profile else None

    def in_mode(backend: str) -> Model:
        chosen = cast("Mode", mode)  # `compile` refuses what is none
        return compile(net, mode=chosen, pins=pins, profile=measured, backend=backend, seed=0)

    candidate = in_mode(backend)
    # What is pinned computes something else than the net: it is compared with itself, uncompiled.
    plain = in_mode("eager") if mode == "static" else reference
    error = 0.0
    for name, expected, got in (
        ("model.py", reference, load_source(source)),
        (f"{backend} ({mode})", plain, candidate),
    ):
        batches = (1,) if mode == "branch" else (BATCH,)
        found = compare(net, expected, got, with_routes=name == "model.py", batches=batches)
        if not found.is_tolerable:
            raise ModelError(
                f"{name} disagrees with the plain graph by {found.error:.1e} "
                f"({found.routing}): nothing was written"
            )
        error = max(error, found.error)
    files["ir.json"] = net.to_json()
    files["graph.txt"] = f"{reference.graph.graph}\n"
    files["model.py"] = source
    removed = str(getattr(candidate, "removed", ""))
    return files, {"error": error, "seconds": time.perf_counter() - start}, removed


def _write(folder: Path, files: dict[str, str]) -> None:
    from dagdsl.files import make_folder, write_atomic

    for name in sorted(files):
        path = folder / name
        make_folder(path.parent)
        write_atomic(path, files[name])


def _rows(net: Net) -> list[tuple[str, str, Costs]]:
    """Name, shape and costs of each node of the net's own graph."""
    from dagdsl.check.cost import cost_of_node
    from dagdsl.ops.spec import format_shape

    return [
        (node.name, format_shape(node.shape), cost_of_node(node, net.graph))
        for node in net.graph.nodes
        if node.kind != "in"
    ]


def _table(net: Net, total: Costs) -> object:
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


def _cells(costs: Costs, total: Costs) -> tuple[str, ...]:
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
