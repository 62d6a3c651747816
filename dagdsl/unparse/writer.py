"""A net -> the text of a file that elaborates to the same net, with the same `hash`.

Blocks, routers and arrays are declared again, with formal parameters for the differences between
the uses of a block or router. Params, imports and arithmetic are not recovered: the IR has only
their values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from dagdsl.diagnostics.sink import Sink
from dagdsl.errors import UsageError
from dagdsl.frontend import analyse
from dagdsl.ir.nodes import Net
from dagdsl.ops.catalogue import OPS
from dagdsl.source import SourceFile
from dagdsl.syntax.formatter import format_text
from dagdsl.unparse.reader import GraphTerms, NodeTerms, Reader
from dagdsl.unparse.terms import (
    ArgTerm,
    CallTerm,
    Inexpressible,
    Items,
    Lit,
    Mention,
    Pick,
    PipeTerm,
    Term,
    Variables,
    format_term,
    literal,
    unify,
)
from dagdsl.unparse.wires import WireStatement

_IN_ARRAY = {"index"}
_IN_STAGE = {"index", "channels", "stride", "entry", "merge"}
"""Names with a meaning of their own in the body of a block, and in that of a stage."""

T = TypeVar("T")


def text_of(net: Net) -> str:
    """Return the text of a file whose only net is this one.

    Raises UsageError if there is none, which can only happen for nets that were not built from
    text.

    >>> import dagdsl
    >>> net = dagdsl.loads(
    ...     "net Tiny(classes = 10) { input x: f32[8]  node y: fc(classes)  x -> y  output y }",
    ...     classes=2,
    ... )
    >>> print(text_of(net))
    edition 1
    <BLANKLINE>
    net Tiny {
      input x: f32[8]
      node y: fc(2)
      x -> y
      output y
    }
    <BLANKLINE>
    """
    try:
        text = _Writer().file(net)
    except Inexpressible as error:
        raise UsageError(f"{net.name} cannot be written as text: {error}") from None
    formatted = format_text(SourceFile(net.name, text), Sink())
    if formatted is None or not _elaborates_to(formatted, net):
        raise UsageError(f"{net.name} cannot be written as text: its names clash")
    return formatted


def _elaborates_to(text: str, net: Net) -> bool:
    nets = analyse(SourceFile(net.name, text)).nets.values()
    return [other.hash for other in nets] == [net.hash]


class _Writer:
    """Writes one file."""

    def __init__(self) -> None:
        self._reader = Reader()
        self._declarations: list[str] = []
        # By kind and name of a block or router: the arguments of each of its uses.
        self._arguments: dict[tuple[str, str], list[tuple[ArgTerm, ...]]] = {}
        self._open: set[tuple[str, str]] = set()

    def file(self, net: Net) -> str:
        """Return the text of a file, not yet formatted."""
        graph = self._reader.graph(net.graph)
        stages = {
            node.name: self._reader.stage(node, net.graph)
            for node in net.graph.nodes
            if node.kind == "stage"
        }
        lines = [f"net {net.name} {{"]
        done: set[str] = set()
        for node in graph.nodes:
            if isinstance(node, NodeTerms):
                lines += self._node([node], Variables(set()))
            elif node.kind == "in":
                shape = ", ".join(map(str, node.shape))
                lines.append(f"input {node.name}: f32[{shape}]")
            elif (name := node.name.partition("[")[0]) not in done:
                done.add(name)
                members = [stages[key] for key in _members(name, stages)]
                length = f"[{len(members)}]" if "[" in node.name else ""
                lines += [f"stage {name}{length} {{", *self._stage(members), "}"]
        lines += self._wires([graph], Variables(set()))
        for output in net.outputs:
            if isinstance(output.value, dict):
                taps = ", ".join(f"{tap} = {node}" for tap, node in output.value.items())
                lines.append(f"output {output.name} {{ {taps} }}")
            elif output.value == output.name:
                lines.append(f"output {output.name}")
            else:
                raise Inexpressible(f"output `{output.name}` does not have the name of its node")
        return "\n".join(["edition 1", "", *self._declarations, "", *lines, "}", ""])

    # Bodies

    def _stage(self, uses: Sequence[GraphTerms]) -> list[str]:
        """The body of a stage, or of an array of stages with one use each."""
        variables = Variables(self._taken() | _IN_STAGE)
        lines = self._body(uses, variables)
        lets = [
            f"{name} = {format_term(Pick(Items(values)))}"
            for name, values in variables.values.items()
        ]
        return [*lets, *lines]

    def _body(self, uses: Sequence[GraphTerms], variables: Variables) -> list[str]:
        lines = []
        for name in ("entry", "merge"):
            terms = [getattr(use, name) for use in uses]
            term = _all_or_none(terms, lambda them: self._unify(them, variables))
            if term is not None:
                lines.append(f"{name} = {format_term(term)}")
        for nodes in _zip_nodes([use.nodes for use in uses]):
            lines += self._node([node for node in nodes if isinstance(node, NodeTerms)], variables)
        return lines + self._wires(uses, variables)

    def _node(self, uses: Sequence[NodeTerms], variables: Variables) -> list[str]:
        """The statement `node name[length]: merge |> body` common to all uses."""
        first = uses[0]
        if any((use.name, use.is_array) != (first.name, first.is_array) for use in uses):
            raise Inexpressible(f"the uses of a block differ in their nodes, like `{first.name}`")
        length = ""
        if first.is_array:
            lengths: list[Term] = [literal(len(use.bodies)) for use in uses]
            length = f"[{format_term(unify(lengths, variables.hole, 'count'))}]"

        def rows(part: str) -> list[list[Term | None]]:
            return [list(getattr(use, part)) for use in uses]

        def common(rows: list[list[Term | None]]) -> Term | None:
            def unified(_: Sequence[Term]) -> Term:
                resolved = [[self._resolved(term) for term in row if term] for row in rows]
                return variables.unify_rows(resolved)

            return _all_or_none([term for row in rows for term in row], unified)

        merge, body = common(rows("merges")), common(rows("bodies"))
        parts = [format_term(term) for term in (merge, body) if term is not None]
        return [f"node {first.name}{length}: {' |> '.join(parts) or 'sum'}"]

    def _wires(self, uses: Sequence[GraphTerms], variables: Variables) -> list[str]:
        for by_list in (False, True):
            wires = [use.wiring.statements(by_list) for use in uses]
            if len({tuple(map(_kind, statements)) for statements in wires}) == 1:
                return [self._wire(same, variables) for same in zip(*wires, strict=True)]
        raise Inexpressible("the uses of a block differ in their wires")

    def _wire(self, uses: Sequence[WireStatement], variables: Variables) -> str:
        first = uses[0]
        text = " -> ".join(", ".join(group) for group in first.groups)
        if first.pattern is not None:
            patterns = [use.pattern for use in uses if use.pattern]
            text = f"connect {format_term(unify(patterns, variables.hole))}"
        if first.via is not None:
            vias = [self._reader.router(use.via) for use in uses if use.via]
            text += f" via {format_term(self._unify(vias, variables))}"
        if first.through is not None:
            through = [use.through for use in uses if use.through]
            text += f" through {format_term(self._unify(through, variables))}"
        return text

    # Blocks and routers

    def _unify(self, terms: Sequence[Term], variables: Variables) -> Term:
        return unify([self._resolved(term) for term in terms], variables.hole)

    def _resolved(self, term: Term) -> Term:
        """Replace mentions of blocks and routers by calls with arguments."""
        match term:
            case Mention(kind, name, number):
                self._declare(kind, name)
                return CallTerm(name, self._arguments[kind, name][number])
            case PipeTerm(steps):
                return PipeTerm(tuple(map(self._resolved, steps)))
            case _:
                return term

    def _declare(self, kind: str, name: str) -> None:
        """Write the declaration of a block or router, once, after those it uses."""
        key = kind, name
        if key in self._arguments:
            return
        if key in self._open:
            raise Inexpressible(f"two blocks have the name `{name}`, one inside the other")
        self._open.add(key)
        uses = self._reader.found[key]
        variables = Variables(self._taken() | _IN_ARRAY)
        pipes = [use for use in uses if isinstance(use, PipeTerm)]
        graphs = [use for use in uses if isinstance(use, GraphTerms)]
        if pipes and graphs:
            raise Inexpressible(f"two blocks have the name `{name}`")
        if pipes:
            body = f" = {format_term(self._unify(pipes, variables))}"
        else:
            body = "\n".join([" {", *self._body(graphs, variables), "}"])
        formals = ", ".join(
            name if isinstance(values[0], Lit | Items) else f"{name}: op"
            for name, values in variables.values.items()
        )
        self._declarations.append(f"{kind} {name}{f'({formals})' if formals else ''}{body}")
        self._arguments[key] = [
            tuple(ArgTerm(formal, values[number]) for formal, values in variables.values.items())
            for number in range(len(uses))
        ]

    def _taken(self) -> set[str]:
        """The names that variables must avoid."""
        return {*OPS, *(name for _, name in self._reader.found)}


def _members(name: str, stages: dict[str, GraphTerms]) -> list[str]:
    if name in stages:
        return [name]
    count = sum(key.partition("[")[0] == name for key in stages)
    return [f"{name}[{index}]" for index in range(count)]


def _zip_nodes(rows: Sequence[Sequence[T]]) -> list[tuple[T, ...]]:
    if len({len(row) for row in rows}) > 1:
        raise Inexpressible("the uses of a block differ in their nodes")
    return list(zip(*rows, strict=True))


def _all_or_none(
    terms: Sequence[Term | None], common: Callable[[Sequence[Term]], Term]
) -> Term | None:
    """Apply `common` if all terms are present; return None if all are None.

    Raises Inexpressible for a mixture.
    """
    known = [term for term in terms if term is not None]
    if known and len(known) < len(terms):
        raise Inexpressible("the uses of a block differ in what their nodes do")
    return common(known) if known else None


def _kind(wire: WireStatement) -> tuple[object, ...]:
    """The parts of a statement that must be the same in all uses of a block."""
    pattern = wire.pattern.callee if wire.pattern else None
    return wire.groups, pattern, wire.via is None, wire.through is None
