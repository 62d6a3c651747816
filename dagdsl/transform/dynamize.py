"""A file of static nets -> its dynamic (DG) version, as text for further editing.

Each stage whose nodes form a chain becomes a complete DAG whose edges a router weighs. A weighted
sum needs nodes of one shape, so the change of channels and resolution moves from the first node of
the chain to the stage's entry. The text is edited in place: comments and unrelated text stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dagdsl.diagnostics.model import InvalidSource, Severity
from dagdsl.diagnostics.sink import Sink
from dagdsl.errors import UsageError
from dagdsl.frontend import Analysis, analyse
from dagdsl.ir.nodes import Net, inner_graph
from dagdsl.ops.spec import format_shape
from dagdsl.sema.arguments import callee_of
from dagdsl.sema.context import Context
from dagdsl.sema.modules import ModuleLoader
from dagdsl.sema.scope import Module
from dagdsl.source import SourceFile
from dagdsl.syntax import ast
from dagdsl.syntax.formatter import format_text
from dagdsl.syntax.reader import locate, read
from dagdsl.transform.edits import EntryKind, StageEdits, chain_of
from dagdsl.transform.unused import without_unused

_USE_FIRST: Final = "try the first node as the entry (entry `first`)"


def dynamize(
    source: str | Path,
    *,
    net: str | None = None,
    via: str | None = None,
    entry: EntryKind = "shrink",
    shortcuts: bool = False,
) -> str:
    """Return the dynamic (DG) version of the nets in a `.dg` file, as text.

    `source` is the path of a file, or a text: a string that contains a newline or does not end in
    `.dg`. With `net`, only the stages of that net change. `via` is the router of the edges, written
    as after `via` in the language; the default is the gate of the DG method, with a param `tau`.
    `entry` maps a stage's input to the stage's shape: `"shrink"` is the block of `std/dg.dg`;
    `"first"` is the first node of the chain, so the stage has one node fewer. With `shortcuts`, the
    nodes keep their own shortcuts; without, the edges replace them.

    Raises InvalidSource if the file has errors, and UsageError if no stage can be made dynamic.

    >>> import dagdsl
    >>> text = dagdsl.dynamize('''
    ... net Small {
    ...   input image: f32[3, 32, 32]
    ...   stage s {
    ...     node n[3]: conv |> bn |> relu
    ...     connect chain
    ...   }
    ...   node logits: gap |> fc(10)
    ...   image -> s -> logits
    ...   output logits
    ... }
    ... ''')
    >>> [line.strip() for line in text.splitlines() if "connect" in line]
    ['connect complete via gate(tau)']
    """
    file = _read(source)
    before = _analysed(file)
    module = ModuleLoader(Context(Sink())).load(file)
    stages = [
        stage
        for owner in _owners(module, net)
        for stage in owner.body
        if isinstance(stage, ast.Stage) and chain_of(stage) is not None
    ]
    if not stages:
        raise UsageError(
            f"{file.name} has no stage to make dynamic: no stage of "
            + (f"`{net}`" if net else "its nets")
            + " is a chain without gates (`connect chain`)"
        )
    edits = StageEdits(module, via, entry, shortcuts)
    for stage in stages:
        edits.stage(stage, _first_changes_shape(stage, before.nets))
    text = _formatted(SourceFile(file.name, edits.text()))
    advice = f"; {_USE_FIRST}" if entry == "shrink" and via is None else ""
    after = _analysed(SourceFile(file.name, text), advice)
    _compare(before.nets, after.nets)
    return without_unused(SourceFile(file.name, text), after, before)


def _read(source: str | Path) -> SourceFile:
    if isinstance(source, str) and ("\n" in source or not source.endswith(".dg")):
        return SourceFile("<string>", source)
    sink = Sink()
    file = read(locate(Path(source)), sink, str(source))
    if file is None:
        raise InvalidSource(sink.sorted())
    return file


def _owners(module: Module, wanted: str | None) -> Iterator[ast.Net]:
    """The nets of the file whose text is to be edited."""
    if wanted is None:
        yield from (item for item in module.items.values() if isinstance(item, ast.Net))
        return
    item = module.items.get(wanted)
    while isinstance(item, ast.Instance):
        callee = callee_of(item.made)[0]
        if len(callee.path) > 1:
            raise UsageError(
                f"`{wanted}` is made from `{callee}`, which is in another file: dynamize that file"
            )
        item = module.items.get(callee.path[0])
    if not isinstance(item, ast.Net):
        nets = [n for n, i in module.items.items() if isinstance(i, ast.Net | ast.Instance)]
        raise UsageError(
            f"there is no net `{wanted}`; the file has {', '.join(nets) or 'no nets at all'}"
        )
    yield item


def _analysed(file: SourceFile, advice: str | None = None) -> Analysis:
    """Analyse a text that must have no errors.

    Raises InvalidSource if it has, or, with `advice`, UsageError: the text is our own output.
    """
    found = analyse(file)
    if not found.has_errors:
        return found
    if advice is None:
        raise InvalidSource(found.diagnostics)
    first = next(d for d in found.diagnostics if d.severity is Severity.ERROR)
    raise UsageError(f"the dynamic net would be invalid: {first.message}{advice}")


def _formatted(file: SourceFile) -> str:
    sink = Sink()
    text = format_text(file, sink)
    if text is None:
        raise UsageError(f"the router is not a valid expression: {sink.sorted()[0].message}")
    return text


def _first_changes_shape(stage: ast.Stage, nets: dict[str, Net]) -> bool:
    """Whether the first node of a stage changes the shape.

    Raises UsageError if a later one does.
    """
    changes = False
    for net in nets.values():
        for node in net.stages:
            graph = inner_graph(node)
            at = node.origin.span if node.origin else None
            if graph is None or at is None or at.file != stage.span.file:
                continue
            if not stage.span.start <= at.start < stage.span.end:
                continue
            start, *chain, _ = graph.nodes
            for later in chain[1:]:
                if later.shape != chain[0].shape:
                    raise UsageError(
                        f"stage `{node.name}` of {net.name} cannot be made dynamic: `{later.name}` "
                        f"has the shape {format_shape(later.shape)} and `{chain[0].name}` "
                        f"{format_shape(chain[0].shape)}; only the first node may change the shape"
                    )
            changes |= bool(chain) and chain[0].shape != start.shape
    return changes


def _compare(before: dict[str, Net], after: dict[str, Net]) -> None:
    """Check that each stage keeps its output shape. Raises UsageError if one does not."""
    for key, net in before.items():
        for node in net.stages:
            shape = after[key].graph.node(node.name).shape
            if shape != node.shape:
                raise UsageError(
                    f"stage `{node.name}` of {key} would have the shape {format_shape(shape)}, not "
                    f"{format_shape(node.shape)}: {_USE_FIRST}"
                )
