"""The statements of a net, stage or block body -> vertices and edges, in topological order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from dagdsl.diagnostics.model import Label
from dagdsl.diagnostics.sink import did_you_mean, respelling
from dagdsl.ir.nodes import NodeKind
from dagdsl.limits import MAX_NODES
from dagdsl.sema.arguments import callee_of, pipe_of
from dagdsl.sema.context import Context
from dagdsl.sema.expressions import evaluate, integer
from dagdsl.sema.order import sort_vertices
from dagdsl.sema.params import bind_params
from dagdsl.sema.scope import Scope
from dagdsl.sema.values import Unknown
from dagdsl.sema.vertices import Link, Vertex, Wiring
from dagdsl.source import Frame, Origin, Span
from dagdsl.syntax import ast
from dagdsl.topology.patterns import PATTERNS, Pattern, PatternError

Frames = tuple[Frame, ...]


class Wirer:
    """Reads the statements of a graph. `what` is its name in messages, such as "stage `s1`"."""

    def __init__(
        self, what: str, kind: str, scope: Scope, context: Context, frames: Frames
    ) -> None:
        self.what = what
        self.kind = kind
        self.scope = scope
        self.context = context
        self.sink = context.sink
        self.frames = frames
        self.wiring = Wiring()
        self._declared: dict[str, Span] = {}
        self._pairs: dict[tuple[str, str], Link] = {}
        self._repeated: set[int] = set()
        self._uncounted: set[str] = set()

    def wire(self, statements: Sequence[ast.NetStatement], at: Origin) -> Wiring:
        """Return all vertices and edges. Reports errors and drops what is wrong."""
        if self.kind != "net":
            self._vertex("in", "in", at)
        for statement in statements:
            self._declare(statement)
        if self.kind != "net":
            self._vertex("out", "out", at)
        for statement in statements:
            match statement:
                case ast.Wire():
                    self._wire(statement)
                case ast.Connect():
                    self._connect(statement)
        sort_vertices(self.wiring, self.sink)
        return self.wiring

    def lets(self, statements: Iterable[ast.NetStatement]) -> None:
        """Bind the local constants and attributes in order."""
        for statement in statements:
            if isinstance(statement, ast.Let) and self._is_new(statement.name):
                value = evaluate(statement.value, self.scope, self.context)
                self.scope.bind(statement.name.name, value, statement.name)

    # Vertices

    def _declare(self, statement: ast.NetStatement) -> None:
        match statement:
            case ast.Input():
                if self._is_new(statement.name):
                    at = Origin(statement.span, self.frames)
                    self._vertex(statement.name.name, "in", at, statement)
            case ast.Stage():
                if self._is_new(statement.name):
                    at = Origin(statement.name.span, self.frames)
                    self._declare_all("stage", statement.name, statement.count, at, statement)
            case ast.Node():
                for decl in statement.decls:
                    if self._is_new(decl.name):
                        at = Origin(decl.span, self.frames)
                        self._declare_all("node", decl.name, decl.count, at, statement)

    def _declare_all(
        self,
        kind: NodeKind,
        ident: ast.Ident,
        length: ast.Expr | None,
        at: Origin,
        statement: ast.Node | ast.Stage,
    ) -> None:
        """Declare a node or a stage, or an array of them."""
        name = ident.name
        if length is None:
            self.context.grow(at, nodes=1)
            self._vertex(name, kind, at, statement)
            return
        count = integer(length, f"the length of `{name}`", self.scope, self.context)
        if isinstance(count, Unknown):
            self.wiring.names[name] = []
            self._uncounted.add(name)
            self.wiring.incomplete = True
            return
        self.wiring.names[name] = []
        if count < 0:
            self.sink.error(
                "DG0302",
                length.span,
                f"`{name}` cannot have {count} {kind}s",
                label=f"this is {count}",
            )
            self.wiring.incomplete = True
            return
        if count > MAX_NODES:
            self.sink.error(
                "DG0508",
                length.span,
                f"`{name}` has {count:,} {kind}s, over the limit of {MAX_NODES:,}",
                label="too many",
            )
            self._uncounted.add(name)
            self.wiring.incomplete = True
            return
        self.context.grow(at, nodes=count)
        for index in range(count):
            vertex = self._vertex(f"{name}[{index}]", kind, at, statement, index)
            self.wiring.names[name].append(vertex)

    def _vertex(
        self,
        name: str,
        kind: NodeKind,
        at: Origin,
        declared: ast.Node | ast.Stage | ast.Input | None = None,
        index: int | None = None,
    ) -> Vertex:
        vertex = Vertex(name, kind, at, declared, index, len(self.wiring.vertices))
        self.wiring.vertices.append(vertex)
        if index is None:
            self.wiring.names[name] = [vertex]
        return vertex

    def _is_new(self, ident: ast.Ident) -> bool:
        first = self._declared.setdefault(ident.name, ident.span)
        if first is ident.span:
            return True
        self.sink.error(
            "DG0202",
            ident.span,
            f"`{ident.name}` is declared twice in {self.what}",
            label="declared again",
            notes=[Label(first, f"`{ident.name}` is declared here")],
        )
        return False

    # Edges

    def _wire(self, statement: ast.Wire) -> None:
        via = self._via(statement.via)
        groups = [self.resolve(group) for group in statement.groups]
        for before, after in pairwise(groups):
            self._reserve(len(before) * len(after), Origin(statement.span, self.frames))
            for source, source_at in before:
                for target, target_at in after:
                    # The span from the name of the source to the name of the target.
                    at = Origin(source_at.to(target_at), self.frames)
                    self._link(source, target, at, statement.through, via)

    def _connect(self, statement: ast.Connect) -> None:
        at = Origin(statement.span, self.frames)
        if self.kind == "net":
            self.sink.error(
                "DG0504",
                at,
                "`connect` cannot be used in a net, which has no `in` and `out`",
                label="only allowed in a stage or a block",
                help="write wires, such as `image -> stem -> s1`",
            )
            return
        called, scope = self._pattern(statement.pattern)
        if called is None:
            self.wiring.incomplete = True
            return
        name, args = callee_of(called)
        pattern = PATTERNS.get(str(name))
        if pattern is None:
            self.wiring.incomplete = True
            self.sink.error(
                "DG0207",
                name.span,
                f"unknown connect pattern `{name}`",
                label="not found",
                fix=respelling(str(name), name.span, PATTERNS),
                help=did_you_mean(str(name), PATTERNS)
                or "the patterns are " + ", ".join(f"`{known}`" for known in PATTERNS),
            )
            return
        via = self._via(statement.via)
        vertices = self.wiring.vertices
        for i, j in self._pattern_edges(pattern, args, scope, len(vertices) - 2, at):
            self._link(vertices[i], vertices[j], at, statement.through, via)

    def _pattern(self, expr: ast.Expr) -> tuple[ast.Name | ast.Call | None, Scope]:
        """Return the called pattern (None after an error), and the scope of its arguments."""
        scope = self.scope
        while (value := pipe_of(expr, scope, self.context, self.frames)) is not None:
            if isinstance(value, Unknown):
                return None, scope
            expr, scope = value.expr, value.scope
        if isinstance(expr, ast.Name | ast.Call):
            return expr, scope
        self.sink.error(
            "DG0207", expr.span, "a pipe of ops is not a connect pattern", label="a pipe"
        )
        return None, scope

    def _pattern_edges(
        self,
        pattern: Pattern,
        args: Sequence[ast.Arg],
        scope: Scope,
        nodes: int,
        at: Origin,
    ) -> Sequence[tuple[int, int]]:
        """Return the edges of a pattern, or none after an error."""
        what = f"pattern `{pattern.name}`"
        params, known = bind_params(pattern.params, args, what, at, scope, self.context)
        if nodes == 0 and known:
            return [(0, 1)]  # `in -> out` is the only possible edge
        if known:
            edges = self.context.edges
            self._reserve(pattern.most(nodes, params), at)
            try:
                pairs = list(pattern.edges(nodes, params))
            except PatternError as error:
                label = f"{nodes} node{'s' * (nodes != 1)} here"
                self.sink.error("DG0511", at, str(error), label=label, help=error.help)
            else:
                self.context.edges = edges + len(pairs)
                return pairs
        self.wiring.incomplete = True
        return ()

    def _reserve(self, edges: int, at: Origin) -> None:
        # Checked before edges are made: there can be quadratically more of them than nodes.
        self.context.grow(at, edges=edges)

    def _via(self, expr: ast.Expr | None) -> int | None:
        if expr is None:
            return None
        self.wiring.vias.append(expr)
        return len(self.wiring.vias) - 1

    def resolve(self, refs: Iterable[ast.Ref]) -> list[tuple[Vertex, Span]]:
        """Return the vertices that references denote; an array denotes all of its nodes."""
        found: list[tuple[Vertex, Span]] = []
        for ref in refs:
            vertices = self._resolve(ref)
            found.extend((vertex, ref.span) for vertex in vertices)
        return found

    def _resolve(self, ref: ast.Ref) -> list[Vertex]:
        found = self._find(ref)
        self.wiring.incomplete |= found is None
        return found or []

    def _find(self, ref: ast.Ref) -> list[Vertex] | None:
        """Return the vertices of a reference, which may be none, or None after an error."""
        name = ref.path[0]
        found = self.wiring.names.get(name)
        if found is None:
            self._unknown(ref, name)
            return None
        if len(ref.path) > 1:
            self.sink.error(
                "DG0203",
                ref.span,
                f"`{'.'.join(ref.path)}` refers to a part of `{name}`",
                label="only whole nodes and stages can be wired",
            )
            return None
        if ref.index is None:
            return found
        index = integer(ref.index, "an index", self.scope, self.context)
        if isinstance(index, Unknown) or name in self._uncounted:
            return None
        if found and found[0].index is None:
            self.sink.error(
                "DG0208",
                ref.span,
                f"`{name}` is a single node and has no index",
                label="not an array",
            )
            return None
        if not 0 <= index < len(found):
            declared = found[0].at.span if found else self._declared[name]
            last = f"the nodes are `{name}[0]` to `{name}[{len(found) - 1}]`"
            self.sink.error(
                "DG0208",
                Origin(ref.span, self.frames),
                f"`{name}` has no node {index}",
                label=last if found else "it has no nodes",
                notes=[Label(declared, f"`{name}` is declared here")],
            )
            return None
        return [found[index]]

    def _unknown(self, ref: ast.Ref, name: str) -> None:
        if name in ("in", "out"):
            self.sink.error(
                "DG0504",
                ref.span,
                f"a net has no `{name}`",
                label="only stages and blocks have it",
                help="wire its inputs by name, and declare what it returns with `output NAME`",
            )
            return
        if self.scope.find(name) is not None:
            self.sink.error(
                "DG0203", ref.span, f"`{name}` is a value, not a node", label="not a node"
            )
            return
        if name in self.scope.module.lost:
            return  # its declaration is broken, which was reported
        at = Span(ref.span.file, ref.span.start, ref.span.start + len(name))
        self.sink.error(
            "DG0201",
            ref.span,
            f"unknown node `{name}`",
            label="not found",
            help=did_you_mean(name, self.wiring.names),
            fix=respelling(name, at, self.wiring.names),
        )

    def _link(
        self, source: Vertex, target: Vertex, at: Origin, through: ast.Expr | None, via: int | None
    ) -> None:
        if target.kind == "in" or source.kind == "out":
            port = target if target.kind == "in" else source
            verb = "enter" if port is target else "leave"
            self.wiring.incomplete = True
            self.sink.error(
                "DG0504", at, f"no edge can {verb} `{port.name}`", label=f"`{port.name}` is a port"
            )
            return
        link = Link(source, target, at, through, via)
        first = self._pairs.setdefault((source.name, target.name), link)
        if first is not link:
            if at.span.start in self._repeated:
                return  # one report per statement: `connect complete` can repeat many edges
            self._repeated.add(at.span.start)
            self.sink.error(
                "DG0510",
                at,
                f"the edge `{source.name} -> {target.name}` is declared twice",
                label="declared again",
                notes=[Label(first.at.span, "first declared here")],
            )
            return
        self.wiring.links.append(link)
