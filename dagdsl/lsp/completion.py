"""Completion: a position in a file -> the items that could be written there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from lsprotocol import types as lsp

from dagdsl.lsp import description
from dagdsl.lsp.index import FileIndex
from dagdsl.lsp.items import item_for, items_for, word
from dagdsl.lsp.lookup import attributes_of, builtin, lookup, parameters_of, target_name
from dagdsl.lsp.symbols import Builtin, BuiltinKind, Definition, Kind, LexicalScope, Target, item_of
from dagdsl.ops.catalogue import OPS
from dagdsl.sema.arguments import TYPES
from dagdsl.sema.functions import CHOOSE, FUNCTIONS
from dagdsl.sema.merging import ATTRIBUTE as MERGE
from dagdsl.source import Span
from dagdsl.syntax import ast
from dagdsl.syntax.cursor import Cursor, OpenCall, cursor_at
from dagdsl.syntax.reader import STD
from dagdsl.syntax.trace import STATEMENTS, TOP_LEVEL
from dagdsl.syntax.wording import KEYWORDS, spelling
from dagdsl.topology.patterns import PATTERNS

TRIGGERS: Final = [".", "(", '"', "/", ">"]
"""Characters after which an editor requests completion by itself."""

_VALUES: Final = (Kind.PARAM, Kind.ARGUMENT, Kind.CONSTANT, Kind.ATTRIBUTE, BuiltinKind.ATTRIBUTE)
_NEW_NAME_AFTER: Final = ("NODE", "STAGE", "PARAM", "ROUTER", "BLOCK", "NET", "INPUT", "AS")
_TOP: Final = ("IMPORT", "PARAM", "ROUTER", "BLOCK", "NET", "EDITION")


def complete(index: FileIndex, offset: int, folder: Path) -> list[lsp.CompletionItem]:
    """Return the completion items at `offset`. Paths of imports are relative to `folder`."""
    cursor = cursor_at(index.source.text, offset)
    items = list(_Completion(index, cursor, folder).items())
    for number, item in enumerate(items):
        item.sort_text = f"{number:04}"  # without it, an editor sorts them by name
    return items


class _Completion:
    def __init__(self, index: FileIndex, cursor: Cursor, folder: Path) -> None:
        self.index = index
        self.cursor = cursor
        self.folder = folder
        self.scope = _scope(index, cursor)

    def items(self) -> Iterator[lsp.CompletionItem]:
        """The items, the most likely first."""
        cursor = self.cursor
        if cursor.string is not None:
            return self._strings(cursor.string)
        if cursor.last == "DOT":
            return self._members()
        if _is_new_name(cursor):
            return iter(())
        if cursor.last == "CONNECT":
            return self._patterns()
        if cursor.last == "COLON" and cursor.kind != "NODE":
            return (word(name) for name in (["f32"] if cursor.kind == "INPUT" else TYPES))
        if _starts_statement(cursor):
            return self._statements()
        if _wants_node(cursor):
            return self._nodes()
        if "NAME" in cursor.expected:
            return self._expression()
        return self._keywords(cursor.expected)

    # Statements

    def _statements(self) -> Iterator[lsp.CompletionItem]:
        starts = STATEMENTS | TOP_LEVEL
        yield from self._keywords(self.cursor.expected - starts)
        if self.cursor.first_on_line or self.cursor.last in ("", "LBRACE", "RBRACE"):
            if self.scope.kind is Kind.NET:
                starts -= {"CONNECT"}  # the parser accepts it here only to report a better error
            yield from self._keywords(self.cursor.expected & starts)
            if self.cursor.blocks:
                yield from self._nodes()
            for name in attributes_of(self.scope):
                if not isinstance(self.scope.values.get(name), Definition):
                    yield item_for(Builtin(BuiltinKind.ATTRIBUTE, name), insert=f"{name} = ")

    def _patterns(self) -> Iterator[lsp.CompletionItem]:
        yield from items_for(Builtin(BuiltinKind.PATTERN, name) for name in PATTERNS)
        visible = self.scope.visible().values()
        yield from items_for(t for t in visible if t.kind in (Kind.ARGUMENT, Kind.CONSTANT))

    def _keywords(self, expected: Iterable[str]) -> Iterator[lsp.CompletionItem]:
        for type in sorted(KEYWORDS & set(expected) - {"IN", "OUT", "TRUE", "FALSE"}):
            yield word(spelling(type), lsp.CompletionItemKind.Keyword)
        if "IN" in expected and self.cursor.kind == "PARAM" and "NAME" not in expected:
            yield word("in", lsp.CompletionItemKind.Keyword)

    def _nodes(self) -> Iterator[lsp.CompletionItem]:
        if self.cursor.kind != "OUTPUT" and self.scope.kind is not Kind.NET:
            yield from items_for(Builtin(BuiltinKind.PORT, port) for port in ("in", "out"))
        for definition in self.scope.nodes.values():
            item = item_for(definition)
            item.kind = lsp.CompletionItemKind.Field
            item.detail = ", ".join(description.shapes(self.index.nodes(definition)))
            yield item

    # Expressions

    def _expression(self) -> Iterator[lsp.CompletionItem]:
        cursor = self.cursor
        if cursor.call is not None and not cursor.brackets[1:]:
            yield from self._argument(cursor.call)
        elif cursor.brackets:
            yield from self._values()
        elif cursor.last == "VIA":
            yield from self._steps(Kind.ROUTER)
        elif cursor.last in ("PIPE", "THROUGH", "COLON") or _defines_pipe(cursor):
            in_router = cursor.kind == "ROUTER" or (cursor.has("VIA") and not cursor.has("THROUGH"))
            yield from self._steps(Kind.ROUTER if in_router else Kind.BLOCK)
        elif cursor.kind == "NET":
            yield from self._items_of(Kind.NET)
        elif cursor.last == "EQUAL" and cursor.statement[0].text == MERGE:
            merges = (name for name, spec in OPS.items() if spec.role == "merge")
            yield from items_for(Builtin(BuiltinKind.OP, name) for name in merges)
        elif cursor.last == "EQUAL" and cursor.statement[0].text == "entry":
            yield from self._steps(Kind.BLOCK)
        else:
            yield from self._values()

    def _argument(self, call: OpenCall) -> Iterator[lsp.CompletionItem]:
        parameters = parameters_of(self._callee(call))
        if call.argument is not None:
            wanted = next((p for p in parameters if target_name(p) == call.argument), None)
            yield from self._value_for(wanted)
            return
        if self.cursor.last in ("LPAR", "COMMA"):
            for parameter in parameters[call.positional :]:
                name = target_name(parameter)
                if name not in call.named:
                    yield item_for(parameter, insert=f"{name} = ")
        yield from self._value_for(None)

    def _callee(self, call: OpenCall) -> Target | None:
        *spaces, last = call.callee
        if not spaces:
            return self.scope.find(last) or builtin(last, called=True)
        nowhere = Span(self.index.source, 0, 0)
        found = lookup(ast.Name(call.callee, nowhere), self.index.module)
        return item_of(*found) if found else None

    def _value_for(self, parameter: Target | None) -> Iterator[lsp.CompletionItem]:
        match parameter:
            case Builtin(param=param) if param is not None and param.choices:
                yield from (word(f'"{choice}"') for choice in param.choices)
            case Builtin(param=param) if param is not None and param.type == "bool":
                yield from (word(value) for value in ("true", "false"))
            case Definition(declared=ast.Formal(type=ast.TypeExpr(name="op"))):
                yield from self._steps(Kind.BLOCK)
                return
        yield from self._values()

    def _values(self) -> Iterator[lsp.CompletionItem]:
        visible = self.scope.visible().values()
        yield from items_for(target for target in visible if target.kind in _VALUES)
        yield from items_for(Builtin(BuiltinKind.FUNCTION, name) for name in (*FUNCTIONS, CHOOSE))
        if self.scope.kind in (Kind.STAGE, Kind.BLOCK):
            names = ("in.channels", "in.height", "in.width")
            yield from items_for(Builtin(BuiltinKind.PORT, name) for name in names)

    def _steps(self, wanted: Kind) -> Iterator[lsp.CompletionItem]:
        """Ops and blocks; for `Kind.ROUTER` also routers and the ops that only routers use."""
        kinds = {Kind.BLOCK, wanted}
        yield from self._items_of(*kinds)
        yield from items_for(
            target
            for target in self.scope.visible().values()
            if isinstance(target, Definition)
            and isinstance(target.declared, ast.Formal)
            and (target.declared.type is None or target.declared.type.name == "op")
        )
        roles = {"tensor"}
        if wanted is Kind.ROUTER:
            roles |= {"reads", "logit", "decision"}
        elif self.cursor.last == "COLON":
            roles |= {"merge"}
        yield from items_for(
            Builtin(BuiltinKind.OP, name) for name, spec in OPS.items() if spec.role in roles
        )

    def _items_of(self, *kinds: Kind) -> Iterator[lsp.CompletionItem]:
        """The top-level declarations of this file and of the files it imports."""
        module = self.index.module
        for target in (item_of(item, module) for item in module.items.values()):
            if target.kind in kinds:
                yield item_for(target)
        for alias, (_, imported) in module.imports.items():
            for target in (item_of(item, imported) for item in imported.items.values()):
                if target.kind in kinds:
                    yield item_for(target, label=f"{alias}.{target.name}")

    # Members and strings

    def _members(self) -> Iterator[lsp.CompletionItem]:
        spaces: list[str] = []
        for token in reversed(self.cursor.statement):
            if token.type not in ("DOT", "NAME", "IN"):
                break
            if token.type != "DOT":
                spaces.insert(0, token.text)
        if spaces == ["in"]:
            for name in ("channels", "height", "width"):
                yield item_for(Builtin(BuiltinKind.PORT, f"in.{name}"), label=name)
            return
        module = self.index.module
        for alias in spaces:
            if alias not in module.imports:
                return
            module = module.imports[alias][1]
        yield from items_for(item_of(item, module) for item in module.items.values())

    def _strings(self, written: str) -> Iterator[lsp.CompletionItem]:
        if self.cursor.kind == "IMPORT":
            yield from self._paths(written)
        elif self.cursor.call is not None:
            call = self.cursor.call
            parameters = parameters_of(self._callee(call))
            if call.argument is None:
                wanted = parameters[call.positional : call.positional + 1]
            else:
                wanted = [p for p in parameters if target_name(p) == call.argument]
            for target in wanted:
                if isinstance(target, Builtin) and target.param is not None:
                    yield from map(word, target.param.choices)

    def _paths(self, written: str) -> Iterator[lsp.CompletionItem]:
        """The files that can be imported: the standard library, and `folder`, level by level."""
        parent = written[: written.rfind("/") + 1]
        base = Path(parent)
        if base.is_absolute():
            return
        folder = STD.joinpath(*base.parts[1:]) if base.parts[:1] == ("std",) else self.folder / base
        if not parent:
            yield word("std/", lsp.CompletionItemKind.Folder)
        try:
            found = sorted(folder.iterdir())
        except OSError:
            return
        for path in found:
            if path.is_dir() and not path.name.startswith("."):
                yield word(f"{path.name}/", lsp.CompletionItemKind.Folder)
            elif path.suffix == ".dg" and path.resolve() != Path(self.index.source.name):
                yield word(path.name, lsp.CompletionItemKind.File)


def _scope(index: FileIndex, cursor: Cursor) -> LexicalScope:
    """The scope at the cursor, or the innermost enclosing one that survived a syntax error."""
    path = cursor.blocks
    if cursor.kind in ("ROUTER", "BLOCK", "NET") and not path and len(cursor.statement) > 1:
        path = (cursor.statement[1].text,)
    scopes = index.symbols.scopes
    while path not in scopes:
        path = path[:-1]
    return scopes[path]


def _is_new_name(cursor: Cursor) -> bool:
    if cursor.last in _NEW_NAME_AFTER:
        return True
    if cursor.last == "COMMA" and cursor.kind == "NODE" and not cursor.has("COLON"):
        return True
    if cursor.last in ("LBRACE", "COMMA") and cursor.kind == "OUTPUT":
        return True
    is_header = cursor.kind in _TOP and not cursor.has("EQUAL") and cursor.call is None
    return is_header and cursor.last in ("LPAR", "COMMA") and len(cursor.brackets) == 1


def _starts_statement(cursor: Cursor) -> bool:
    return not cursor.expected.isdisjoint({"NODE", "NET"}) and cursor.last not in ("DOT", "COMMA")


def _wants_node(cursor: Cursor) -> bool:
    if cursor.kind == "OUTPUT":
        return True
    is_wire = cursor.kind in ("NAME", "IN", "OUT") and cursor.has("ARROW")
    return is_wire and cursor.last in ("ARROW", "COMMA") and not cursor.brackets


def _defines_pipe(cursor: Cursor) -> bool:
    return cursor.last == "EQUAL" and cursor.kind in ("ROUTER", "BLOCK")
