"""The front end: runs the phases in order: read, parse, import, elaborate, check."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dagdsl.analysis.balance import check_balance
from dagdsl.analysis.gates import check_gates
from dagdsl.analysis.verify import verify
from dagdsl.collector import gc_paused
from dagdsl.diagnostics.model import Diagnostic, InvalidSource, Severity
from dagdsl.diagnostics.sink import Sink
from dagdsl.errors import UsageError
from dagdsl.ir.nodes import Net
from dagdsl.limits import MAX_IR_BYTES
from dagdsl.sema.context import Context
from dagdsl.sema.elaborate import check_unused_bodies, elaborate, report_unused
from dagdsl.sema.graphs import build_body
from dagdsl.sema.instances import Blueprint, blueprints
from dagdsl.sema.modules import Files, ModuleLoader, bases_of
from dagdsl.sema.settings import Setting, Settings
from dagdsl.source import SourceFile, Span
from dagdsl.syntax import ast
from dagdsl.syntax.reader import locate, read


@dataclass(frozen=True, slots=True)
class Analysis:
    """The result of the front end: the nets of a file (none after an error), and the diagnostics.

    `drafts` are the nets as far as they were understood, errors or not: an editor shows what it
    can. A shape that is not known is empty in them.
    """

    nets: dict[str, Net]
    diagnostics: list[Diagnostic]
    drafts: dict[str, Net] = field(default_factory=dict)

    @property
    def has_errors(self) -> bool:
        """Whether anything found stops the build."""
        return any(d.severity is Severity.ERROR for d in self.diagnostics)


@gc_paused()
def analyse(
    source: SourceFile,
    settings: Settings | None = None,
    net: str | None = None,
    files: Files | None = None,
) -> Analysis:
    """Run the front end on a text. `files` says how imported files are read.

    `settings` replace the defaults of params. `net` selects one net of the file. Raises UsageError
    if the file has no such param or net, or if a setting does not fit.
    """
    sink = Sink()
    context = Context(sink, build_body)
    settings = settings or {}
    module = ModuleLoader(context, files).load(source, settings)
    declared = [item for item in module.file.items if isinstance(item, ast.Net | ast.Instance)]
    wanted = [item for item in declared if net is None or item.name.name == net]
    plans = blueprints(wanted, module, context)
    if not sink.has_errors:
        params = {name for file in (module, *bases_of(module)) for name in file.params}
        _check_names(settings, net, declared, plans, params)
    nets: dict[str, Net] = {}
    for plan in plans:
        if net is None and plan.is_generic and id(plan.name) in context.used:
            continue  # a template that other nets of the file are derived from
        own = {formal.name.name for formal in plan.open}
        chosen = {name: value for name, value in settings.items() if name in own}
        context.reset_budget()
        built = elaborate(plan, chosen, context)
        if built is not None:
            nets[built.name] = built
    check_unused_bodies(module, context)
    if declared and net is None:
        report_unused(module, context)
    if not sink.has_errors:
        for built in nets.values():
            check_gates(built, sink)
            check_balance(built, sink)
    return Analysis({} if sink.has_errors else nets, sink.sorted(), nets)


def analyse_file(path: Path, settings: Settings | None = None, net: str | None = None) -> Analysis:
    """`analyse` for a file; one that cannot be read is a diagnostic too.

    A path like `std/models/resnet.dg` that does not exist means a file of the standard library.
    """
    sink = Sink()
    source = read(locate(path), sink, str(path))
    return Analysis({}, sink.sorted()) if source is None else analyse(source, settings, net)


def only_net(analysis: Analysis, name: str, wanted: str | None = None) -> Net:
    """Return the only net of an analysis. `name` is the file's name for messages.

    Raises InvalidSource if there were errors or there is no net, and UsageError if there are
    several and `wanted` does not select one.
    """
    if analysis.has_errors:
        raise InvalidSource(analysis.diagnostics)
    if not analysis.nets:
        start = Span(SourceFile(name, ""), 0, 0)
        raise InvalidSource([Diagnostic("DG0505", "the file has no net", start)])
    if len(analysis.nets) > 1 and wanted is None:
        names = ", ".join(analysis.nets)
        raise UsageError(f"{name} has several nets, {names}: choose one")
    return next(iter(analysis.nets.values()))


def load(path: str | Path, *, net: str | None = None, **params: Setting) -> Net:
    """Load the network of a `.dg` file or of an `ir.json`, with its params set.

    `net` is the name of the network, which may be left out if the file has only one. A path such as
    `std/models/resnet.dg` that does not exist is a file of the standard library.

    Raises InvalidSource with the diagnostics if the file has errors, and UsageError if a param does
    not exist or its value does not fit, or if the file has several networks and `net` is left out.

    >>> import dagdsl
    >>> dagdsl.load("examples/quickstart.dg", tau=0.2).settings["tau"]
    0.2
    >>> dagdsl.load("std/models/resnet.dg", net="resnet50").name
    'resnet50'
    """
    path = Path(path)
    if path.suffix == ".json":
        if params or net:
            raise UsageError(f"{path} is an ir.json: it has no params, and only one net")
        return load_ir(path)
    return only_net(analyse_file(path, params, net), str(path), net)


def loads(text: str, *, net: str | None = None, **params: Setting) -> Net:
    """Load a network from a text; see `load`. Imports are relative to the working directory.

    >>> import dagdsl
    >>> net = dagdsl.loads("net N { input x: f32[4]  node y: fc(2)  x -> y  output y }")
    >>> net.inputs[0].shape
    (4,)
    """
    return only_net(analyse(SourceFile("<string>", text), params, net), "<string>", net)


def load_ir(path: Path) -> Net:
    """The net of an `ir.json`. Raises UsageError if the file does not contain a valid net."""
    try:
        if path.stat().st_size > MAX_IR_BYTES:
            raise UsageError(f"{path} is too large for an ir.json")
        net = Net.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is not an ir.json of this version: {error}") from error
    problem = verify(net)
    if problem:
        raise UsageError(f"{path} does not describe a net: {problem}")
    return net


def _check_names(
    settings: Settings,
    net: str | None,
    declared: list[ast.Net | ast.Instance],
    plans: list[Blueprint],
    params: set[str],
) -> None:
    names = [item.name.name for item in declared]
    if net is not None and net not in names:
        raise UsageError(f"there is no net `{net}`; the file has {', '.join(names) or 'no nets'}")
    known = params | {formal.name.name for plan in plans for formal in plan.open}
    for name in settings:
        if name not in known:
            params_known = "the params are " + ", ".join(f"`{n}`" for n in sorted(known))
            raise UsageError(
                f"there is no param `{name}`; {params_known if known else 'the file has no params'}"
            )
