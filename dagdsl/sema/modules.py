"""File -> module, with its imports: declares names, evaluates params, finds recursion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dagdsl.diagnostics.model import Label
from dagdsl.diagnostics.sink import Sink, did_you_mean, respelling
from dagdsl.errors import UsageError
from dagdsl.limits import MAX_IMPORTS
from dagdsl.sema.arguments import as_type, callee_of
from dagdsl.sema.context import Context
from dagdsl.sema.expressions import evaluate, number
from dagdsl.sema.names import names_in
from dagdsl.sema.scope import Module, Scope
from dagdsl.sema.settings import Setting, Settings, as_setting, parse_setting
from dagdsl.sema.values import UNKNOWN, EvalValue, Unknown, describe
from dagdsl.source import SourceFile, Span
from dagdsl.syntax import ast
from dagdsl.syntax.parser import parse
from dagdsl.syntax.reader import STD, read


@dataclass(frozen=True, slots=True)
class Files:
    """How files are read and parsed. An editor has unsaved texts, and caches trees."""

    read: Callable[[Path, Sink, str | None], SourceFile | None] = read
    parse: Callable[[SourceFile, Sink], ast.File] = parse
    exists: Callable[[Path], bool] = Path.is_file


class ModuleLoader:
    """Loads a file and its imports, each once."""

    def __init__(self, context: Context, files: Files | None = None) -> None:
        self.files = files or Files()
        self.context = context
        self.sink = context.sink
        self._loaded: dict[Path, Module] = {}
        self._loading: list[Path] = []

    def load(
        self, source: SourceFile, settings: Settings | None = None, path: Path | None = None
    ) -> Module:
        """Return the module of a file, with everything it imports.

        `settings` replace the defaults of its params, and of the params of files that its nets are
        derived from. `path` is the location of the file, if its name is not. Raises UsageError if a
        setting does not fit.
        """
        module = Module(self.files.parse(source, self.sink))
        module.lost |= module.file.dropped
        if module.file.guessed:
            self.context.guessed[module.file.source.name] = module.file.guessed
        self.context.broken_syntax |= self.sink.has_errors
        path = path or Path(source.name)
        self._loading.append(path.resolve())
        for item in module.file.items:
            if isinstance(item, ast.Import):
                self._import(item, module, path.parent)
            else:
                self._declare(item.name, item, module)
                module.items.setdefault(item.name.name, item)
        self._find_recursion(module)
        self._set_params(module, settings or {})
        if settings and not self.sink.has_errors:
            inherited = {k: v for k, v in settings.items() if k not in module.params}
            for base in bases_of(module):
                self._set_params(base, inherited)
        self._loading.pop()
        return module

    def _set_params(self, module: Module, settings: Settings) -> None:
        """Evaluate the params of a file in order, because each may depend on earlier ones."""
        for name, item in module.items.items():
            if isinstance(item, ast.Param):
                module.params[name] = self._param(item, module, settings.get(name))

    def _declare(self, name: ast.Ident, item: ast.Item, module: Module) -> None:
        first: ast.Ident | None = None
        if name.name in module.items:
            first = module.items[name.name].name
        elif name.name in module.imports:
            statement = module.imports[name.name][0]
            first = statement.alias or ast.Ident(name.name, statement.span)
        if first is not None:
            self.sink.error(
                "DG0202",
                name.span,
                f"`{name.name}` is declared twice",
                label="declared again",
                notes=[Label(first.span, f"`{name.name}` is declared here")],
            )

    # Imports

    def _import(self, statement: ast.Import, module: Module, folder: Path) -> None:
        at, text = statement.path.span, str(statement.path.value or "")
        alias = statement.alias or ast.Ident(Path(text).stem, at)
        imported = self._imported(text, folder, at)
        if imported is None:
            module.lost.add(alias.name)
            return
        self._declare(alias, statement, module)
        module.imports.setdefault(alias.name, (statement, imported))

    def _imported(self, text: str, folder: Path, at: Span) -> Module | None:
        """Return the imported module, or None after an error."""
        path = self._locate(text, folder, at) if text else None
        if path is None:
            return None
        key = path.resolve()
        if key in self._loading:
            circle = " -> ".join(p.name for p in [*self._loading[self._loading.index(key) :], key])
            self.sink.error("DG0205", at, f"circular import: {circle}", label="closes the cycle")
            return None
        imported = self._loaded.get(key)
        if imported is None:
            if len(self._loaded) >= MAX_IMPORTS:
                self.sink.error("DG0204", at, f"more than {MAX_IMPORTS} files are imported")
                return None
            # A file of the standard library has the same name on every machine.
            source = self.files.read(path, self.sink, text if STD in path.parents else None)
            if source is None:
                return None
            imported = self._loaded[key] = self.load(source, path=path)
        return imported

    def _locate(self, text: str, folder: Path, at: Span) -> Path | None:
        """Return the path of an imported file: in the standard library, or relative to `folder`."""
        relative = Path(text)
        if relative.suffix != ".dg" or relative.is_absolute():
            self.sink.error(
                "DG0204",
                at,
                f'"{text}" cannot be imported',
                label="not a relative path to a `.dg` file",
                help='write a path such as "blocks.dg", or "std/resnet.dg" (standard library)',
            )
            return None
        standard = relative.parts[0] == "std"
        path = STD / Path(*relative.parts[1:]) if standard else folder / relative
        if standard and (".." in relative.parts or not path.is_file()):
            files = sorted(f"std/{p.relative_to(STD).as_posix()}" for p in STD.rglob("*.dg"))
            known = ", ".join(f'"{name}"' for name in files)
            self.sink.error(
                "DG0204",
                at,
                f'the standard library has no "{text}"',
                label="not found",
                help=did_you_mean(text, files) or f"its files are {known}",
                fix=respelling(text, Span(at.file, at.start + 1, at.end - 1), files),
            )
            return None
        if not self.files.exists(path):
            self.sink.error(
                "DG0204", at, f'"{text}" cannot be found', label=f"{path} does not exist"
            )
            return None
        return path

    # Params

    def _param(self, param: ast.Param, module: Module, given: Setting | None) -> EvalValue:
        scope, context = Scope(module), self.context
        name, at = param.name.name, param.default.span
        default = as_type(
            evaluate(param.default, scope, context), param.type, f"`{name}`", at, context
        )
        if not isinstance(default, Unknown) and as_setting(default) is None:
            message = f"`{name}` must be a number, a string, a bool or a list of these"
            self.sink.error("DG0301", param.span, message)
            return UNKNOWN
        domain = domain_of(param, scope, context)
        if domain is not None and not isinstance(default, Unknown) and not domain.holds(default):
            self.sink.error(
                "DG0303",
                at,
                f"the default of `{name}` is {describe(default)}, outside its domain",
                label="not allowed",
                help=f"it must be {domain}",
            )
        if given is None:
            return default
        value = parse_setting(name, given, param.type.name)
        if domain is not None and not domain.holds(value):
            raise UsageError(f"`{name}` must be {domain}, not {describe(value)}")
        return value

    # Recursion

    def _find_recursion(self, module: Module) -> None:
        """Report blocks and routers that use themselves, and mark them as not to be expanded."""
        uses = {
            name: [used for used in _names_in(item) if used in module.items]
            for name, item in module.items.items()
            if isinstance(item, ast.Block | ast.Router)
        }
        for start in uses:
            reached, todo = set[str](), list(uses[start])
            while todo:
                name = todo.pop()
                if name not in reached:
                    reached.add(name)
                    todo.extend(uses.get(name, ()))
            if start in reached:
                item = module.items[start]
                self.context.recursive.add(id(item))
                kind = type(item).__name__.lower()
                self.sink.error(
                    "DG0209",
                    item.name.span,
                    f"{kind} `{start}` uses itself",
                    label="infinite recursion",
                )


def bases_of(module: Module) -> list[Module]:
    """Return the other files that nets of a file are derived from, the nearest first."""
    files = [module]
    for file in files:
        for item in file.items.values():
            if isinstance(item, ast.Instance):
                space = callee_of(item.made)[0].path[0]
                base = file.imports[space][1] if space in file.imports else file
                if not any(base is known for known in files):
                    files.append(base)
    return files[1:]


class Domain:
    """The allowed values of a param: a list of choices, or a range including both ends."""

    def __init__(self, low: float, high: float, choices: list[EvalValue] | None) -> None:
        self.low, self.high, self.choices = low, high, choices

    def holds(self, value: EvalValue) -> bool:
        """Whether a value is allowed."""
        if self.choices is not None:
            return value in self.choices
        return isinstance(value, int | float) and self.low <= value <= self.high

    def __str__(self) -> str:
        if self.choices is not None:
            return "one of " + ", ".join(map(describe, self.choices))
        return f"between {describe(self.low)} and {describe(self.high)}"


def domain_of(param: ast.Param, scope: Scope, context: Context) -> Domain | None:
    """Return the declared domain of a param, if any."""
    what = f"the domain of `{param.name.name}`"
    match param.domain:
        case ast.Choices(items):
            kind = param.type
            values = [
                as_type(evaluate(item, scope, context), kind, what, item.span, context)
                for item in items
            ]
            return Domain(0, 0, values)
        case ast.Range(low, high):
            ends = [number(end, scope, context) for end in (low, high)]
            known = [end for end in ends if not isinstance(end, Unknown)]
            if len(known) == 2:
                return Domain(known[0], known[1], None)
    return None


def _names_in(item: ast.Block | ast.Router) -> Iterator[str]:
    """Yield the undotted names in a block or router, except its own formals."""
    own = {formal.name.name for formal in item.formals}
    for name in names_in(item.body, *(formal.default for formal in item.formals)):
        if len(name.path) == 1 and name.path[0] not in own:
            yield name.path[0]
