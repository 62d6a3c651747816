"""The routes of single images -> what a person reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagdsl.prediction import OpenEdge
    from dagdsl.training.evaluate import ImageRoutes


def show_edges(edges: Mapping[str, Sequence[OpenEdge]]) -> None:
    """The open edges of an image, a line a stage."""
    for stage, there in edges.items():
        drawn = "  ".join(f"{e.source}->{e.target} {e.weight:.2f}" for e in there)
        print(f"  {stage}: {len(there)} open  {drawn}")


def show_routes(images: Sequence[ImageRoutes]) -> None:
    """The open edges of single images, and how the first two differ."""
    for image in images:
        print(
            f"\ntest image {image.index}, a {image.label}: taken for {image.predicted} "
            f"({image.probability:.0%})"
        )
        show_edges(image.edges)
    if len(images) > 1:
        first, second = (_open(image) for image in images[:2])
        print(f"\nopen for both: {len(first & second)} edges")
        for image, own in ((images[0], first - second), (images[1], second - first)):
            drawn = "  ".join(
                f"{stage}: {source}->{target}" for stage, source, target in sorted(own)
            )
            print(f"only for image {image.index}: {len(own)}  {drawn}")


def most_different(images: Sequence[ImageRoutes], count: int) -> list[ImageRoutes]:
    """The first image, then each time the one least like those chosen so far."""
    chosen, rest = list(images[:1]), list(images[1:])
    while rest and len(chosen) < count:
        far = max(rest, key=lambda image: min(len(_open(image) ^ _open(c)) for c in chosen))
        chosen.append(far)
        rest.remove(far)
    return chosen[:count]


def _open(image: ImageRoutes) -> set[tuple[str, str, str]]:
    return {(stage, e.source, e.target) for stage, edges in image.edges.items() for e in edges}
