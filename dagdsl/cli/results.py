"""The evaluation of a trained network as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from dagdsl.cli.console import console

if TYPE_CHECKING:
    from dagdsl.training.metrics import Evaluation


def show_result(result: Evaluation) -> None:
    """Print the accuracy and, per stage, how edges and nodes were used."""
    if result.open_edge_rate:
        table = Table(box=box.SIMPLE)
        for header in ("stage", "open edges", "dead nodes", "unused nodes", "routes differ"):
            table.add_column(header, justify="left" if header == "stage" else "right")
        for stage, rate in result.open_edge_rate.items():
            table.add_row(
                stage,
                f"{rate:.1%}",
                f"{result.dead_node_rate[stage]:.1%}",
                f"{result.unused_node_rate[stage]:.1%}",
                f"{result.hamming_distance[stage]:.3f}",
            )
        console().print(table)
    line = f"test accuracy {result.test_accuracy:.2%} on {result.test_samples:,} images"
    if result.test_accuracy_without_threshold is not None:
        line += f" ({result.test_accuracy_without_threshold:.2%} with all edges open)"
    print(line)
