"""The routes of single images as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagdsl.prediction import OpenEdge
    from dagdsl.training.evaluate import ImageRoutes


def show_edges(edges: Mapping[str, Sequence[OpenEdge]]) -> None:
    """Print the open edges of an image, one line per stage."""
    for stage, opened in edges.items():
        drawn = "  ".join(f"{e.source}->{e.target} {e.weight:.2f}" for e in opened)
        print(f"  {stage}: {len(opened)} open  {drawn}")


def show_routes(images: Sequence[ImageRoutes]) -> None:
    """Print the open edges of single images, and how the first two differ."""
    for image in images:
        print(
            f"\ntest image {image.index}, class {image.label}: predicted {image.predicted} "
            f"({image.probability:.0%})"
        )
        show_edges(image.edges)
    if len(images) > 1:
        first, second = (image.open_edges for image in images[:2])
        print(f"\nopen for both: {len(first & second)} edges")
        for image, own in ((images[0], first - second), (images[1], second - first)):
            drawn = "  ".join(
                f"{stage}: {source}->{target}" for stage, source, target in sorted(own)
            )
            print(f"only for image {image.index}: {len(own)}  {drawn}")
