"""`dagdsl build`: compile a network to an artefact that runs elsewhere, and print its costs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from dagdsl.cli.console import Format, FormatOption, NetFile, NetName, Sets

if TYPE_CHECKING:
    from dagdsl.analysis.cost import CostSummary
    from dagdsl.ir.nodes import Net
    from dagdsl_compiler.driver import Mode


def run(
    file: NetFile,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Output folder.", show_default="build/NAME"),
    ] = None,
    set: Sets = [],  # noqa: B006
    weights: Annotated[
        Path | None,
        typer.Option(help="Run folder whose best weights are used.", show_default="random weights"),
    ] = None,
    backend: Annotated[
        str,
        typer.Option(help="`inductor` compiles `model.pt2`; `eager` leaves it out."),
    ] = "inductor",
    mode: Annotated[
        str,
        typer.Option(
            help="`dense` computes every node; `static`, `grouped`, `branch` and `auto` skip nodes."
        ),
    ] = "dense",
    batch: Annotated[
        int | None,
        typer.Option(help="The only batch size that the artefact takes.", show_default="any"),
    ] = None,
    export: Annotated[
        str | None,
        typer.Option(help="`onnx`: also write `model.onnx` (modes `dense` and `static`)."),
    ] = None,
    pin: Annotated[
        Path | None, typer.Option(help="A `routes.json` of edges fixed as open or closed.")
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="A calibration profile from `dagdsl profile`.")
    ] = None,
    dump: Annotated[
        bool, typer.Option("--dump", help="Also write the graph after each pass.")
    ] = False,
    explain_passes: Annotated[
        bool,
        typer.Option("--explain-passes", help="Print what each pass did, and why not elsewhere."),
    ] = False,
    net: NetName = None,
    format: FormatOption = Format.human,
) -> None:
    """Build an artefact: `model.pt2` runs with torch alone, `model.py` is standalone source.

    Each is compared with the model on probe inputs before anything is written.
    """
    import dagdsl
    from dagdsl.cli.console import console, load_net, print_json, status
    from dagdsl.errors import UsageError
    from dagdsl.files import read_text

    if export not in (None, "onnx"):
        raise UsageError(f"unknown export format `{export}`: the only one is `onnx`")
    built = load_net(file, set, net)
    costs = dagdsl.costs(built)
    quiet = format is Format.json

    from dagdsl_compiler.driver import Profile, pins_from_json
    from dagdsl_compiler.export.manifest import MANIFEST

    with status(f"compiling {built.name} ({backend}, {mode})", quiet):
        report = dagdsl.build(
            built,
            output or Path("build") / file.stem,
            weights=weights,
            mode=cast("Mode", mode),  # checked by `build`
            batch=batch,
            backend=backend,
            pins=pins_from_json(read_text(pin)) if pin else None,
            profile=Profile.from_json(read_text(profile)) if profile else None,
            onnx=export is not None,
            dump=dump,
        )
    if quiet:
        print_json(
            {
                "name": built.name,
                "ir_hash": built.hash,
                **{field: getattr(costs, field) for field in costs.__slots__},
                "error": report.error,
                "seconds": report.seconds,
                "mode": mode,
                "batch": report.batch,
                "removed": report.removed,
                "stages": [
                    {"name": name, **{field: getattr(cost, field) for field in cost.__slots__}}
                    for name, _, cost in _rows(built)
                ],
                "settings": built.settings,
                "folder": str(report.folder),
                "files": list(report.files),
                "passes": [asdict(step) for step in report.passes if dump or explain_passes],
            }
        )
        return
    console().print(_table(built, costs))
    if report.removed:
        print(report.removed)
    if explain_passes or dump:
        print(*report.passes, sep="\n")
    artefact = [name for name in report.files if not name.startswith("passes/")]
    print(f"built {report.folder}: {', '.join(artefact)}")
    print(
        f"{' = '.join(report.forms)} = eager on probe inputs, every routing: "
        f"largest relative error {report.error:.1e}; compiled in {report.seconds:.1f} s"
    )
    if weights is None and MANIFEST in report.files:
        print("the weights are random: use those of a training run with `--weights RUN`")


def _rows(net: Net) -> list[tuple[str, str, CostSummary]]:
    """The name, shape and costs of each node of the top-level graph."""
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
        caption="MACs: multiply-adds per sample, all edges open; least: all closable edges closed",
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
