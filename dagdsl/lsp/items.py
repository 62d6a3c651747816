"""Targets and words -> completion items of the protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from lsprotocol import types as lsp

from dagdsl.lsp import description
from dagdsl.lsp.lookup import target_name
from dagdsl.lsp.symbols import BuiltinKind, Kind, Target

_ICONS: Final = {
    Kind.IMPORT: lsp.CompletionItemKind.Module,
    Kind.PARAM: lsp.CompletionItemKind.Constant,
    Kind.ROUTER: lsp.CompletionItemKind.Interface,
    Kind.BLOCK: lsp.CompletionItemKind.Class,
    Kind.NET: lsp.CompletionItemKind.Class,
    Kind.ARGUMENT: lsp.CompletionItemKind.Variable,
    Kind.CONSTANT: lsp.CompletionItemKind.Constant,
    Kind.ATTRIBUTE: lsp.CompletionItemKind.Property,
    BuiltinKind.OP: lsp.CompletionItemKind.Function,
    BuiltinKind.FUNCTION: lsp.CompletionItemKind.Method,
    BuiltinKind.PATTERN: lsp.CompletionItemKind.Enum,
    BuiltinKind.PARAMETER: lsp.CompletionItemKind.Property,
    BuiltinKind.ATTRIBUTE: lsp.CompletionItemKind.Property,
    BuiltinKind.PORT: lsp.CompletionItemKind.Event,
}


def items_for(targets: Iterable[Target]) -> Iterator[lsp.CompletionItem]:
    """Return an item for each target."""
    return map(item_for, targets)


def item_for(target: Target, label: str = "", insert: str | None = None) -> lsp.CompletionItem:
    """Return an item with signature and documentation. `label` and `insert` default to the name."""
    doc = description.documentation(target)
    return lsp.CompletionItem(
        label or target_name(target),
        kind=_ICONS.get(target.kind),
        detail=description.signature(target),
        documentation=lsp.MarkupContent(lsp.MarkupKind.Markdown, doc) if doc else None,
        insert_text=insert,
    )


def word(
    text: str, kind: lsp.CompletionItemKind = lsp.CompletionItemKind.Value
) -> lsp.CompletionItem:
    """Return an item for a keyword, a literal or a path."""
    return lsp.CompletionItem(text, kind=kind)
