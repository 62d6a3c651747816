"""Latency of the language server after a keystroke in a file of 500 lines.

    python benchmarks/lsp_latency.py
    python benchmarks/lsp_latency.py --lines 2000 --keystrokes 50 --limit 100

Each keystroke types a digit, a name or an operator somewhere in the file; half of them make it
invalid. `in the server` is the processor time for all answers to one keystroke: diagnostics,
completion and inlay hints, which an editor requests at once. `seen by the editor` is the wall time
from the keystroke to the diagnostics, including the server process, its pipes and its delay for
further keystrokes. Exits with status 1 if the median in the server exceeds the limit.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from dagdsl.lsp import completion, outline
from dagdsl.lsp.problems import problems
from dagdsl.lsp.server import tune_collector
from dagdsl.lsp.workspace import Workspace

HEADER = """\
edition 1
import "std/mobile.dg" as mobile
param width: float = 1.0 in [0.5, 1.0]
param tau: float = 0.1 in 0.0..0.5
router gate(tau) = gap |> fc |> sigmoid |> threshold(tau)
block ir(expand = 6) = mobile.inverted_residual(expand = expand, kernel = 3)

net Large(classes: int = 10) {
  input image: f32[3, 32, 32]
  node stem: conv(24 * width, kernel = 3) |> bn |> relu6
"""
STAGE = """
  stage s%d {
    channels = 24 * width
    node a, b, c: ir
    node d: mobile.inverted_residual(kernel = 5)
    in -> a
    a -> b, c, d via gate(tau)
    b -> d
    c -> d via gate(0.2)
    d -> out
  }
"""
TYPED = (("kernel = 5", "kernel = 57"), ("b -> d", "b -> "), ("a, b, c: ir", "a, b, c: i"))
"""Text before and after a keystroke."""
NAME = "/nowhere/large.dg"
ANYWHERE = lsp.Range(lsp.Position(0, 0), lsp.Position(1_000_000, 0))


def text_of(lines: int) -> str:
    """Return the text of a net with about `lines` lines."""
    stages = max(1, (lines - HEADER.count("\n") - 4) // STAGE.count("\n"))
    names = " -> ".join(f"s{number}" for number in range(stages))
    body = "".join(STAGE % number for number in range(stages))
    footer = f"  node logits: gap |> fc(classes)\n  image -> stem -> {names} -> logits\n"
    return HEADER + body + footer + "  output logits\n}\n"


def keystrokes(text: str, count: int) -> Iterator[tuple[str, int]]:
    """Yield versions of the text with the offset of the cursor."""
    for number in range(count):
        old, new = TYPED[number % len(TYPED)]
        at = text.index(old, number * 997 % (len(text) // 2))
        yield text[:at] + new + text[at + len(old) :], at + len(new)
        yield text, at + len(old)


def in_the_server(text: str, count: int) -> dict[str, list[float]]:
    """Return milliseconds of processor time for each kind of answer, one per keystroke."""
    workspace = Workspace()
    problems(workspace.set(NAME, text))
    tune_collector()
    took: dict[str, list[float]] = {}

    def timed(what: str, work: Callable[[], object]) -> None:
        start = time.process_time()
        work()
        took.setdefault(what, []).append(1000 * (time.process_time() - start))

    for version, at in keystrokes(text, count):
        index = workspace.set(NAME, version)
        timed("diagnostics", lambda index=index: problems(index))  # type: ignore[misc]
        timed("completion", lambda index=index, at=at: completion.complete(index, at, Path()))  # type: ignore[misc]
        timed("shapes", lambda index=index: outline.hints(index, ANYWHERE))  # type: ignore[misc]
        del index
    took["everything"] = [sum(parts) for parts in zip(*took.values(), strict=True)]
    return took


async def seen_by_the_editor(text: str, count: int) -> list[float]:
    """Return milliseconds from each keystroke to its diagnostics."""
    client = LanguageClient("benchmark", "1")
    published: asyncio.Queue[int | None] = asyncio.Queue()

    @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]
    def receive(params: lsp.PublishDiagnosticsParams) -> None:
        published.put_nowait(params.version)

    program = "from dagdsl.cli.app import main; main()"
    await client.start_io(sys.executable, "-c", program, "lsp")
    await client.initialize_async(lsp.InitializeParams(lsp.ClientCapabilities()))
    client.initialized(lsp.InitializedParams())
    uri = Path(NAME).as_uri()
    document = lsp.TextDocumentItem(uri, "dg", 0, text)
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(document))
    await published.get()
    took = []
    for number, (version, _) in enumerate(keystrokes(text, count), 1):
        start = time.perf_counter()
        client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(number, uri),
                [lsp.TextDocumentContentChangeWholeDocument(version)],
            )
        )
        while await published.get() != number:
            pass
        took.append(1000 * (time.perf_counter() - start))
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()  # type: ignore[no-untyped-call]
    return took


def report(what: str, took: list[float]) -> None:
    """Print median, best and worst in one line."""
    print(f"{what:24}{statistics.median(took):8.1f}{min(took):8.1f}{max(took):8.1f}")


def main() -> int:
    """Measure, print, and compare with the limit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, default=500)
    parser.add_argument("--keystrokes", type=int, default=20)
    parser.add_argument(
        "--limit",
        type=float,
        default=100.0,
        help="limit of the median in the server, in milliseconds",
    )
    arguments = parser.parse_args()
    text = text_of(arguments.lines)
    lines = text.count("\n")
    print(f"{f'{lines} lines, milliseconds':24}{'median':>8}{'best':>8}{'worst':>8}")
    took = in_the_server(text, arguments.keystrokes)
    gc.unfreeze()
    for what, times in took.items():
        report("in the server" if what == "everything" else f"  {what}", times)
    report("seen by the editor", asyncio.run(seen_by_the_editor(text, arguments.keystrokes)))
    return int(statistics.median(took["everything"]) > arguments.limit)


if __name__ == "__main__":
    sys.exit(main())
