"""The execution modes side by side: time against the share of multiply-adds that samples need.

    OMP_NUM_THREADS=2 OMP_WAIT_POLICY=PASSIVE python benchmarks/modes.py
    python benchmarks/modes.py net.dg --set depth=8 --batch 1 8 32 --active 0.25 0.5 0.75 1.0

For each active share the biases of the routers are moved until calibration images need about that
much; the share that they do need is printed. Then all modes run in turn, again and again, in this
one process: each time is the median of its runs, each ratio that of the medians. `dense` is the
same network with weights frozen and batch normalisation folded, and without any skipping (mode
`static` with nothing pinned): what is left between it and the others is the skipping alone.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

import dagdsl
from dagdsl.ir.nodes import Net
from dagdsl_compiler.driver import Mode, Model, compile, profile
from dagdsl_compiler.plan import active_share

NET = """
edition 1
param width: int = 32 in 4..128
param depth: int = 5 in 1..24
param size: int = 112 in 8..224

router gate = gap |> fc |> sigmoid |> threshold(0.5)
block residual = conv(in.channels * 3, kernel = 1) |> bn |> relu6 |> dwconv |> bn |> relu6
  |> conv(in.channels, kernel = 1) |> bn

net Bench(classes: int = 100) {
  input image: f32[3, size, size]
  node stem: conv(width, stride = 2) |> bn |> relu6
  stage s1 { node n[depth]: residual  connect complete via gate }
  stage s2 { channels = 2 * width  stride = 2  node n[depth]: residual  connect complete via gate }
  stage s3 { channels = 4 * width  stride = 2  node n[depth]: residual  connect complete via gate }
  node logits: gap |> fc(classes)
  image -> stem -> s1 -> s2 -> s3 -> logits
  output logits
}
"""

SINGLES = 8
"""How many images a batch of one is tried on, as no two need the same."""


@dataclass(frozen=True, slots=True)
class Row:
    """Milliseconds of a mode at a batch size, and the active share at which they were taken."""

    batch: int
    active: float
    mode: str
    median: float
    spread: float
    ratio: float

    def __str__(self) -> str:
        return (
            f"batch {self.batch:>3}  active {self.active:>4.0%}  {self.mode:<8}"
            f" {self.median:>9.2f} ms +- {self.spread:>3.0%}  x {self.ratio:.2f}"
        )


def images(net: Net, batch: int, seed: int = 0) -> Tensor:
    """Noise of another colour and contrast for every sample, so that routes differ."""
    generator = torch.Generator().manual_seed(seed)
    (shape,) = (node.shape for node in net.inputs)
    noise = torch.randn(batch, *shape, generator=generator)
    colour, contrast = (torch.randn(batch, shape[0], 1, 1, generator=generator) for _ in range(2))
    return noise * contrast.exp() + 2 * colour


@torch.no_grad()
def reach(model: Model, wanted: float, calibration: Tensor) -> None:
    """Move all router biases until samples need about the share `wanted`."""
    biases = [p for name, p in model.named_parameters() if is_router(name) and "bias" in name]
    low, high = -12.0, 12.0
    middle = high
    for _ in range(12):
        for bias in biases:
            bias.fill_(middle)
        share = active_share(model.net, profile(model, [calibration]))
        if middle == high and share <= wanted:
            return
        low, high = (middle, high) if share < wanted else (low, middle)
        middle = (low + high) / 2


@torch.no_grad()
def spread_routes(model: Model) -> None:
    """Weights of routers for which samples differ, as they do after training."""
    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        if is_router(name) and name.endswith("weight"):
            parameter.copy_(torch.randn(parameter.shape, generator=generator))


def is_router(name: str) -> bool:
    """Whether a parameter is one of a router."""
    return ".routers." in f".{name}"


def run_all(model: Model, batches: Sequence[Tensor]) -> None:
    """Run a model on some batches."""
    for batch in batches:
        model(batch)


def interleaved(
    runs: Mapping[str, Callable[[], object]], rounds: int
) -> dict[str, tuple[float, float]]:
    """Median milliseconds of each, and half the distance of the quartiles relative to it."""
    for run in runs.values():
        run()
        run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(1e3 * (time.perf_counter() - start))
    result = {}
    for name, taken in times.items():
        first, median, third = statistics.quantiles(taken, n=4)
        result[name] = (median, (third - first) / 2 / median)
    return result


def bench(
    net: Net, batches: Sequence[int], shares: Sequence[float], rounds: int, backend: str
) -> list[Row]:
    """Rows for every active share, batch size and mode; each is printed when it is known."""
    rows = []
    for wanted in shares:
        eager = compile(net, backend="eager", seed=0).eval()
        spread_routes(eager)
        reach(eager, wanted, images(net, 16))
        models: dict[tuple[Mode, int], Model] = {}
        for batch in batches:
            modes: list[Mode] = ["static", "branch" if batch == 1 else "grouped"]
            x = images(net, max(batch, SINGLES), seed=2)
            runs: dict[str, Callable[[], object]] = {}
            for mode in modes:
                # Code for one batch size is the fastest; `grouped` has one for all of them.
                key = (mode, batch if mode == "static" else 0)
                if key not in models:
                    models[key] = compile(net, mode=mode, backend=backend)
                    models[key].load_state_dict(eager.state_dict())
                name = "dense" if mode == "static" else mode
                runs[name] = partial(run_all, models[key], torch.split(x, batch))
            active = active_share(net, profile(eager, [x]))
            times = interleaved(runs, rounds)
            calls = len(torch.split(x, batch))
            for ran, (median, spread) in times.items():
                ratio = median / times["dense"][0]
                rows.append(Row(batch, active, ran, median / calls, spread, ratio))
                print(rows[-1], flush=True)
    return rows


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", nargs="?", type=Path, help="a .dg file with one image input")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="params")
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 8, 32])
    parser.add_argument("--active", nargs="+", type=float, default=[0.25, 0.5, 0.75, 1.0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--backend", default="inductor", choices=["inductor", "eager"])
    parser.add_argument("--json", type=Path, help="also write the rows here")
    args = parser.parse_args()
    settings = dict(assignment.split("=", 1) for assignment in args.set)
    net = dagdsl.load(args.file, **settings) if args.file else dagdsl.loads(NET, **settings)
    print(f"{net.name}, {platform.machine()}, {torch.get_num_threads()} threads, {args.backend}")
    rows = bench(net, args.batch, args.active, args.rounds, args.backend)
    noisy = [row for row in rows if row.spread > 0.05]
    if noisy:
        print(f"the machine is busy: {len(noisy)} of {len(rows)} times spread by more than 5 %")
    if args.json:
        content = [{field: getattr(row, field) for field in Row.__slots__} for row in rows]
        args.json.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
