"""One version of a file -> everything that answers are made from, computed lazily and once."""

from __future__ import annotations

from functools import cached_property
from itertools import takewhile

from dagdsl.diagnostics.sink import Sink
from dagdsl.frontend import Analysis, analyse
from dagdsl.lsp.facts import Facts, NodeFact, facts_of
from dagdsl.lsp.library import Library
from dagdsl.lsp.resolver import symbols_of
from dagdsl.lsp.symbols import Definition, Kind, Symbols, path_of
from dagdsl.sema.context import Context
from dagdsl.sema.modules import ModuleLoader
from dagdsl.sema.scope import Module
from dagdsl.source import SourceFile, Span
from dagdsl.syntax import ast


class FileIndex:
    """Everything known about one text. `before` is the index of its previous version, if any."""

    def __init__(
        self, source: SourceFile, library: Library, before: FileIndex | None = None
    ) -> None:
        self.source = source
        self._library = library
        self._last_valid = before._latest_valid() if before else None

    @cached_property
    def module(self) -> Module:
        """The syntax tree of the file and of its imports, not elaborated."""
        return ModuleLoader(Context(Sink()), self._library.files).load(self.source)

    @cached_property
    def symbols(self) -> Symbols:
        """The names in the text and their meanings."""
        return symbols_of(self.module)

    @cached_property
    def analysis(self) -> Analysis:
        """The diagnostics and the elaborated nets."""
        return analyse(self.source, files=self._library.files)

    @cached_property
    def facts(self) -> Facts:
        """The IR elements, by the text they come from."""
        return facts_of(self.analysis.drafts.values())

    def nodes(self, definition: Definition) -> list[NodeFact]:
        """The nodes that a declaration creates.

        Where an error hides them, those of the last version without errors.
        """
        found = self._known.get(definition.path)
        if not found and self._last_valid is not None:
            found = self._last_valid._known.get(definition.path)
        return found or []

    def _latest_valid(self) -> FileIndex | None:
        """The latest version known to have no errors: this one or an earlier one."""
        # Triggers no analysis: versions overtaken by the next keystroke are never analysed.
        if "analysis" in self.__dict__ and not self.analysis.has_errors:
            self._last_valid = None  # otherwise the chain of all versions would stay in memory
            return self
        return self._last_valid

    @cached_property
    def _known(self) -> dict[tuple[str, ...], list[NodeFact]]:
        known = {}
        for definition in self.symbols.definitions:
            if definition.kind not in (Kind.NODE, Kind.STAGE, Kind.INPUT):
                continue
            start = definition.span.start
            if isinstance(definition.declared, ast.Input):
                start = definition.declared.span.start
            found = self.facts.nodes.get((self.source.name, start), [])
            known[definition.path] = [fact for fact in found if fact.node.shape]
        return known

    def files(self) -> set[str]:
        """The names of all files imported directly or indirectly, existing or not."""
        names: set[str] = set()
        seen: set[str] = set()
        todo = [self.module]
        while todo:
            module = todo.pop()
            name = module.file.source.name
            if name in seen:
                continue
            seen.add(name)
            todo.extend(imported for _, imported in module.imports.values())
            names.update(
                str(path_of(name).parent / str(item.path.value))
                for item in module.file.items
                if isinstance(item, ast.Import)
            )
        return names


def comment_above(span: Span) -> str:
    """Return the comment directly above a declaration, without the leading `#`."""
    file = span.file
    first = file.position(span.start).line
    above = (file.line(number).strip() for number in range(first - 1, 0, -1))
    lines = [line.removeprefix("#").strip() for line in takewhile(_is_comment, above)]
    return "\n".join(reversed(lines))


def _is_comment(line: str) -> bool:
    return line.startswith("#")
