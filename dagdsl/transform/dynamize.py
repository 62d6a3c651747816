"""A file of static nets -> its DG version, as text that a person then edits.

Each stage whose nodes form a chain becomes a complete DAG that a router weighs. A weighted sum
needs nodes of one shape, so what the first node of a chain does to channels and resolution moves to
the stage's entry. The text is edited in place: all that need not change stays, comments too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dagdsl.diagnostics.model import InvalidSource, Severity
from dagdsl.diagnostics.sink import Sink
from dagdsl.errors import UsageError
from dagdsl.frontend import Analysis, analyse
from dagdsl.ir.nodes import Net, inner_graph
from dagdsl.ops.spec import format_shape
from dagdsl.sema.arguments import callee_of
from dagdsl.sema.context import Context
from dagdsl.sema.modules import Modules
from dagdsl.sema.scope import Module
from dagdsl.source import SourceFile
from dagdsl.syntax import ast
from dagdsl.syntax.formatter import format_text
from dagdsl.syntax.reader import locate, read
from dagdsl.transform.edits import EntryKind, StageEdits, chain_of
from dagdsl.transform.unused import without_unused


def dynamize(
    source: str | Path,
    *,
    net: str | None = None,
    via: str | None = None,
    entry: EntryKind = "shrink",
    shortcuts: bool = False,
) -> str:
    """The DG version of the nets in a file, or in a text (a string of more than a path).

    Only those of `net`, if it is given. `via` is the router of the edges; the default is the
    method's, with a param `tau`. `entry` is what brings a stage's input to its shape: `shrink` of
    `std/dg.dg`, or the `first` node of the chain, which leaves the stage a node less. The nodes
    keep their own shortcuts with `shortcuts`; else the edges take their place.

    Raises InvalidSource if the file has errors, UsageError if it cannot be made dynamic.
    """
    file = _read(source)
    before = _analysed(file)
    module = Modules(Context(Sink())).load(file)
    stages = [
        stage
        for owner in _owners(module, net)
        for stage in owner.body
        if isinstance(stage, ast.Stage) and chain_of(stage) is not None
    ]
    if not stages:
        raise UsageError(
            f"{file.name} has no stage to make dynamic: no `connect chain` in any stage of "
            + (f"`{net}`" if net else "its nets")
        )
    made = StageEdits(module, via, entry, shortcuts)
    for stage in stages:
        made.stage(stage, _changes_shape(stage, before.nets))
    text = _formatted(SourceFile(file.name, made.text()))
    advice = "; the first node as the entry may do" if entry == "shrink" and via is None else ""
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
    """The nets of the file whose text is to change."""
    if wanted is None:
        yield from (item for item in module.items.values() if isinstance(item, ast.Net))
        return
    item = module.items.get(wanted)
    while isinstance(item, ast.Instance):
        callee = callee_of(item.made)[0]
        if len(callee.path) > 1:
            raise UsageError(f"`{wanted}` is made from `{callee}`: make that file dynamic")
        item = module.items.get(callee.path[0])
    if not isinstance(item, ast.Net):
        nets = [n for n, i in module.items.items() if isinstance(i, ast.Net | ast.Instance)]
        raise UsageError(f"there is no net `{wanted}`: there is {', '.join(nets) or 'none'}")
    yield item


def _analysed(file: SourceFile, advice: str | None = None) -> Analysis:
    """A text without errors; for one that we wrote, `advice` says what to do about them."""
    found = analyse(file)
    if not found.has_errors:
        return found
    if advice is None:
        raise InvalidSource(found.diagnostics)
    first = next(d for d in found.diagnostics if d.severity is Severity.ERROR)
    raise UsageError(f"the dynamic net would not be right: {first.message}{advice}")


def _formatted(file: SourceFile) -> str:
    sink = Sink()
    text = format_text(file, sink)
    if text is None:
        raise UsageError(f"the router is no expression: {sink.sorted()[0].message}")
    return text


def _changes_shape(stage: ast.Stage, nets: dict[str, Net]) -> bool:
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
                        f"gives {format_shape(later.shape)} and `{chain[0].name}` "
                        f"{format_shape(chain[0].shape)}; only the first node may change the shape"
                    )
            changes |= bool(chain) and chain[0].shape != start.shape
    return changes


def _compare(before: dict[str, Net], after: dict[str, Net]) -> None:
    """Each stage must still give the shape it gave."""
    for key, net in before.items():
        for node in net.stages:
            shape = after[key].graph.node(node.name).shape
            if shape != node.shape:
                raise UsageError(
                    f"stage `{node.name}` of {key} would give {format_shape(shape)}, not "
                    f"{format_shape(node.shape)}: the first node as its entry may do"
                )
