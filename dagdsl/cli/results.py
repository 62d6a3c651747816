"""What a trained net did -> what a person reads: accuracy, open edges, routes of single images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from dagdsl.cli.console import console

if TYPE_CHECKING:
    from dagdsl.train.evaluate import ImageRoutes
    from dagdsl.train.metrics import Result


def show_result(result: Result) -> None:
    """Accuracy, and per stage how many edges were open and how far samples differ."""
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
        line += f" ({result.test_accuracy_without_threshold:.2%} with no edge closed)"
    print(line)


def most_different(images: Sequence[ImageRoutes], count: int) -> list[ImageRoutes]:
    """The first image, then each time the one least like those chosen so far."""
    chosen, rest = list(images[:1]), list(images[1:])
    while rest and len(chosen) < count:
        far = max(rest, key=lambda image: min(len(_open(image) ^ _open(c)) for c in chosen))
        chosen.append(far)
        rest.remove(far)
    return chosen[:count]


def show_routes(images: Sequence[ImageRoutes]) -> None:
    """The open edges of single images, and how the first two differ."""
    for image in images:
        print(
            f"\ntest image {image.index}, a {image.label}: taken for {image.predicted} "
            f"({image.probability:.0%})"
        )
        for stage, edges in image.edges.items():
            drawn = "  ".join(f"{e.source}->{e.target} {e.weight:.2f}" for e in edges)
            print(f"  {stage}: {len(edges)} open  {drawn}")
    if len(images) > 1:
        first, second = (_open(image) for image in images[:2])
        print(f"\nopen for both: {len(first & second)} edges")
        for image, own in ((images[0], first - second), (images[1], second - first)):
            drawn = "  ".join(
                f"{stage}: {source}->{target}" for stage, source, target in sorted(own)
            )
            print(f"only for image {image.index}: {len(own)}  {drawn}")


def _open(image: ImageRoutes) -> set[tuple[str, str, str]]:
    return {(stage, e.source, e.target) for stage, edges in image.edges.items() for e in edges}
