"""`dagdsl run`: the predictions of a built network for images."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dagdsl.cli.console import Format, FormatOption, print_json


def run(
    folder: Annotated[Path, typer.Argument(help="A folder that `dagdsl build` has written.")],
    images: Annotated[list[Path], typer.Argument(help="Image files.")],
    top: Annotated[int, typer.Option(min=1, help="Number of classes to print per image.")] = 1,
    format: FormatOption = Format.human,
) -> None:
    """Predict the classes of images with a built network, and show the routes they take."""
    from dagdsl.cli.routes import show_edges
    from dagdsl.prediction import Predictor

    predictions = Predictor(folder).predict(images)
    if format is Format.json:
        print_json(
            [
                {
                    "image": prediction.image,
                    "classes": [{"class": c, "probability": p} for c, p in prediction.top(top)],
                    "routes": {
                        key: [asdict(edge) for edge in edges]
                        for key, edges in prediction.edges.items()
                    },
                }
                for prediction in predictions
            ]
        )
        return
    for prediction in predictions:
        named = ", ".join(f"{name} ({share:.0%})" for name, share in prediction.top(top))
        print(f"{prediction.image}: {named}")
        show_edges(prediction.edges)
