"""A stage that is a chain -> the text edits that turn it into a weighted DAG."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from dagdsl.errors import UsageError
from dagdsl.ops.catalogue import OPS
from dagdsl.sema.arguments import callee_of
from dagdsl.sema.graphs import STAGE_ATTRIBUTES
from dagdsl.sema.scope import Module
from dagdsl.syntax import ast
from dagdsl.syntax.formatter import same_tree
from dagdsl.syntax.printer import print_expr
from dagdsl.transform.rewrite import (
    bind_arguments,
    block_of,
    body_of_first,
    body_of_later,
    literal,
    name,
    simplify,
)
from dagdsl.transform.shortcuts import without_shortcut

EntryKind = Literal["shrink", "first"]

_SHRINK: Final = "std/dg.dg"
_WORD: Final = re.compile(r"\w+")
_STRING: Final = re.compile(r'"[^"\n]*"')
_COMMENT: Final = re.compile(r"#.*")


def chain_of(stage: ast.Stage) -> ast.Connect | ast.Wire | None:
    """Return the statement that wires all nodes of a stage as a chain.

    None if there is no such statement, or if the stage has other wiring.
    """
    nodes = nodes_of(stage)
    wiring = [s for s in stage.body if isinstance(s, ast.Connect | ast.Wire)]
    if not nodes or len(wiring) != 1 or wiring[0].via or wiring[0].through:
        return None
    arrays = [node for node in nodes if any(decl.count for decl in node.decls)]
    if any(len(node.decls) > 1 for node in arrays):
        return None
    only = wiring[0]
    if isinstance(only, ast.Connect):
        return only if callee_of(only.pattern)[0].path == ("chain",) else None
    names = ["in", *(decl.name.name for node in nodes for decl in node.decls), "out"]
    along = [[".".join(ref.path) for ref in group if not ref.index] for group in only.groups]
    return only if not arrays and along == [[name] for name in names] else None


def nodes_of(stage: ast.Stage) -> list[ast.Node]:
    """Return the node statements of a stage."""
    return [statement for statement in stage.body if isinstance(statement, ast.Node)]


def _require_no_entry(stage: ast.Stage) -> None:
    """Raise UsageError if the stage already has an entry, explicit or by default."""
    for let in stage.body:
        if isinstance(let, ast.Let) and let.name.name in STAGE_ATTRIBUTES:
            raise UsageError(
                f"stage `{stage.name.name}` sets `{let.name.name}`, but its first node changes the "
                "shape as well: change it in only one of them"
            )


def _shape_arguments(body: ast.Expr, module: Module) -> tuple[ast.Expr, ast.Expr] | None:
    """The `channels` and `stride` of a body, if exactly one of its steps has such parameters."""
    found: list[tuple[ast.Expr, ast.Expr]] = []
    for step in body.steps if isinstance(body, ast.Pipe) else (body,):
        if not isinstance(step, ast.Name | ast.Call):
            continue
        callee, args = callee_of(step)
        block, spec = block_of(callee, module), OPS.get(str(callee))
        known: dict[str, ast.Expr | None] = {}
        if block is not None:
            known = {formal.name.name: formal.default for formal in block[0].formals}
        elif spec is not None:
            known = {
                p.name: literal(p.default) if isinstance(p.default, int) else None
                for p in spec.params
            }
        if not {"channels", "stride"} & known.keys():
            continue
        given = bind_arguments(list(known), args)
        stride = given.get("stride") or known.get("stride")
        found.append(
            (
                given.get("channels") or name("in", "channels"),
                stride if stride is not None else literal(1),
            )
        )
    return found[0] if len(found) == 1 else None


@dataclass
class StageEdits:
    """The edits of a text, collected stage by stage."""

    module: Module
    via: str | None
    entry: EntryKind
    shortcuts: bool
    changes: list[tuple[int, int, str]] = field(default_factory=list)
    shrinks: bool = False

    def __post_init__(self) -> None:
        self.source = self.module.file.source
        words = set(_WORD.findall(_COMMENT.sub("", _STRING.sub("", self.source.text))))
        self.gate, self.tau, self.dg = (_fresh_name(word, words) for word in ("gate", "tau", "dg"))
        for alias, (statement, _) in self.module.imports.items():
            if statement.path.value == _SHRINK:
                self.dg = alias

    def stage(self, stage: ast.Stage, changes_shape: bool) -> None:
        """Make one stage dynamic. `changes_shape` says whether its first node does."""
        chain = chain_of(stage)
        assert chain is not None
        self._replace(chain, f"connect complete via {self.via or f'{self.gate}({self.tau})'}")
        first, *others = nodes_of(stage)
        rest: ast.Expr | None = first.body
        if changes_shape:
            _require_no_entry(stage)
            rest = self._move_to_entry(first, others)
        if rest is not None:
            self._body(first, rest)
        for node in others:
            self._body(node, node.body)

    def _move_to_entry(self, first: ast.Node, others: Sequence[ast.Node]) -> ast.Expr | None:
        """Move the change of the shape from the first node to the entry.

        Returns the body of the nodes that stay in its statement, or None if there are none.
        """
        if first.decls[0].count is not None:
            body, rest = (
                body_of_first(first.body, self.module),
                body_of_later(first.body, self.module),
            )
        else:
            # Named nodes: a node that keeps the shape has the body of the next statement.
            alone = len(first.decls) == 1 and others
            body, rest = first.body, others[0].body if alone else first.body
        line = f"entry = {self._entry(body)}"
        if self.entry == "first" and first.decls[0].count is None and len(first.decls) == 1:
            self._replace(first, line)
            return None
        self.changes.append((first.span.start, first.span.start, f"{line}\n"))
        if self.entry == "first":
            self._remove_first(first)
        return rest

    def _entry(self, body: ast.Expr) -> str:
        """The text of the entry of a stage whose first node has this body."""
        if self.entry == "first":
            return print_expr(body)
        shape = _shape_arguments(body, self.module)
        if shape is None:
            raise UsageError(
                f"`{print_expr(body)}` does not set `channels` and `stride` in exactly one op or "
                "block: use the first node as the entry (entry `first`)"
            )
        channels, stride = shape
        args = [channels] if same_tree(stride, literal(1)) else [channels, stride]
        self.shrinks = True
        return f"{self.dg}.shrink({', '.join(map(print_expr, args))})"

    def _body(self, node: ast.Node, body: ast.Expr) -> None:
        """Replace the body of a node statement, without shortcuts unless they are to stay."""
        if not self.shortcuts:
            # The node keeps the shape, so its channels are those of its input.
            shape = _shape_arguments(body, self.module)
            channels = shape[0] if shape else name("in", "channels")
            body = without_shortcut(body, self.module, channels)
        if not same_tree(body, node.body):
            self._replace(node.body, print_expr(body))

    def _remove_first(self, node: ast.Node) -> None:
        """Remove the first node from its statement."""
        decl = node.decls[0]
        if decl.count is not None:
            fewer = ast.Binary("-", decl.count, literal(1), decl.span)
            self._replace(decl.count, print_expr(simplify(fewer, self.module)))
        else:
            self.changes.append((decl.span.start, node.decls[1].span.start, ""))

    def _replace(self, part: ast.Expr | ast.GraphStatement, text: str) -> None:
        """Replace a part by `text`, preceded by the comments within the part."""
        comments = "".join(f"{c}\n" for c in _COMMENT.findall(_STRING.sub("", part.span.text)))
        self.changes.append((part.span.start, part.span.end, comments + text))

    def text(self) -> str:
        """Return the text with all edits applied, and the imports and declarations they need."""
        if self.shrinks and self.dg not in self.module.imports:
            self._declare(f'import "{_SHRINK}" as {self.dg}\n', ast.Import)
        if self.via is None:
            gap = "" if any(isinstance(i, ast.Param) for i in self.module.file.items) else "\n"
            param = f"{gap}param {self.tau}: float = 0.1 in 0.0..0.9\n"
            self._declare(param, ast.Import, ast.Param)
            steps = f"gap |> fc |> sigmoid |> threshold({self.tau})"
            router = f"\nrouter {self.gate}({self.tau}) = {steps}\n"
            self._declare(router, ast.Import, ast.Param)
        text = self.source.text
        order = sorted(enumerate(self.changes), key=lambda item: (item[1][0], item[0]))
        for _, (start, end, new) in reversed(order):
            text = text[:start] + new + text[end:]
        return text

    def _declare(self, line: str, *behind: type[ast.Item]) -> None:
        """Insert a line after the last item of these kinds, or before the first item."""
        items: Sequence[ast.Item] = self.module.file.items
        last = [item for item in items if isinstance(item, behind)]
        source = self.source.text
        if last:
            place = last[-1].span.end
            rest = source[place:].partition("\n")[0]
            if not rest.strip() or rest.lstrip().startswith("#"):
                place += len(rest)
            line = f"\n{line.rstrip()}" + ("" if source[place : place + 1] == "\n" else "\n")
        else:
            place = items[0].span.start
            start = source.rfind("\n", 0, place) + 1
            if not source[start:place].strip():
                place = start
                while place and source[: place - 1].rpartition("\n")[2].startswith("#"):
                    place = source.rfind("\n", 0, place - 1) + 1
            line += "\n"
        self.changes.append((place, place, line))


def _fresh_name(word: str, taken: set[str]) -> str:
    """`word`, with underscores appended until it is not taken."""
    while word in taken:
        word += "_"
    return word
