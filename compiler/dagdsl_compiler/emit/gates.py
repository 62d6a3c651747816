"""Routers -> functions from logits to weights: one for all routers that decide alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dagdsl.analysis.liveness import may_be_dead
from dagdsl.ir.nodes import Activation, Dead, GateTraining, Graph, Net, Router
from dagdsl.ir.paths import graphs_in, plain
from dagdsl_compiler.emit.code import ArgCode, CallCode, docstring, indent, layout, literal
from dagdsl_compiler.emit.identifiers import Names, snake

LOCALS = frozenset(
    {"alive", "edges", "groups", "i", "into", "is_open", "j", "node", "nodes", "opens", "outputs"}
    | {"row", "router", "routers", "routes", "self", "values", "w", "weight", "weights", "x"}
)
"""Names of variables in a `forward`. No function may have one of them."""


@dataclass(frozen=True, slots=True)
class GateRule:
    """How routers decide, without their thresholds."""

    activation: Activation
    topk: int | None
    normalise: bool
    has_threshold: bool
    binary: bool = False
    train: GateTraining = "hard"
    dead: Dead = "zero"

    @classmethod
    def of(cls, router: Router) -> GateRule:
        """The rule of a router."""
        if router.threshold is None:
            return cls(router.activation, router.topk, router.normalise, False)
        return cls(
            router.activation,
            router.topk,
            router.normalise,
            True,
            router.binary,
            router.train,
            router.dead,
        )

    @property
    def closes(self) -> bool:
        """Whether it may close edges."""
        return self.topk is not None or self.has_threshold

    @property
    def has_groups(self) -> bool:
        """Whether weights are compared within groups."""
        return self.activation == "softmax" or self.topk is not None or self.normalise

    @property
    def close(self) -> str:
        """The runtime function that closes edges."""
        return "close_straight_through" if self.train == "straight_through" else "close"

    def weigh(self, weights: str) -> str:
        """The weights of open edges."""
        return f"binary({weights})" if self.binary else weights

    def __str__(self) -> str:
        words: list[str] = [self.activation] if self.activation != "none" else []
        words += [f"the {self.topk} largest"] if self.topk is not None else []
        words += ["normalise"] if self.normalise else []
        words += [f"{self.train} threshold"] if self.has_threshold else []
        words += ["one where open"] if self.binary else []
        return ", ".join(words) or "the logits as they are"


@dataclass(slots=True)
class GateFunction:
    """The function of a rule. With `masks`, some routers also mask by the source's liveness."""

    name: str
    rule: GateRule
    masks: bool = False
    taus: set[float] = field(default_factory=set)

    @property
    def has_tau(self) -> bool:
        """Whether its routers differ in their thresholds."""
        return len(self.taus) > 1

    def print(self) -> list[str]:
        """Its definition."""
        rule = self.rule
        formals = ["logits: Tensor"]
        formals += ["tau: float"] if self.has_tau else []
        formals += ["groups: tuple[int, ...]"] if rule.has_groups else []
        formals += ["training: bool"] if rule.train == "soft" else []
        formals += ["alive: Tensor | None = None"] if self.masks else []
        both = rule.closes
        result = "tuple[Tensor, ...]"
        result = f"tuple[{result}, {result}]" if both else result
        head = CallCode(f"def {self.name}", tuple(map(ArgCode, formals)))
        return [
            *layout(head, suffix=f" -> {result}:"),
            *docstring(self._doc()),
            *indent(self._body()),
        ]

    def _doc(self) -> list[str]:
        gives = "The weight of each edge"
        if self.rule.closes:
            gives += " and whether it is open"
        text = f"{gives}: {self.rule}."
        if self.rule.dead == "keep_strongest":
            text += " Closing is left to the nodes, which keep their strongest edge."
        return [text]

    def _body(self) -> Iterator[str]:
        rule = self.rule
        weights = {
            "sigmoid": "torch.sigmoid(logits)",
            "softmax": "softmax(logits, groups)",
            "relu_tanh": "relu_tanh(logits)",
            "hard_concrete": "hard_concrete(logits)",
            "none": "logits",
        }[rule.activation]
        yield f"weights = {weights}"
        if rule.topk is not None:
            yield f"is_open = strongest(weights, groups, {literal(rule.topk)})"
            yield "weights = close(weights, is_open)"
        if rule.normalise:
            yield "weights = normalise(weights, groups)"
        if not rule.closes:
            if self.masks:
                yield "if alive is not None:"
                yield "    weights = masked(weights, alive)"
            yield "return weights.unbind(1)"
            return
        if rule.has_threshold:
            yield from self._threshold()
        if self.masks:
            yield "if alive is not None:"
            yield "    weights, is_open = masked(weights, alive), is_open & alive[:, None]"
        yield "return weights.unbind(1), is_open.unbind(1)"

    def _threshold(self) -> Iterator[str]:
        rule = self.rule
        name = "is_open" if rule.topk is None else "above"
        yield f"{name} = weights > {'tau' if self.has_tau else literal(min(self.taus))}"
        if rule.train == "soft":
            yield "if training:"
            yield f"    {name} = torch.ones_like({name})"
        if rule.topk is not None:
            yield "is_open = is_open & above"
        if rule.dead == "zero":
            yield f"weights = {rule.close}({rule.weigh('weights')}, is_open)"


@dataclass(slots=True)
class GateFunctions:
    """The functions of all rules of a net."""

    names: Names
    functions: dict[GateRule, GateFunction] = field(default_factory=dict)

    @classmethod
    def of(cls, net: Net, names: Names) -> GateFunctions:
        """Collect the rules of all graphs."""
        made = cls(names)
        for graph in graphs_in((net.graph,)):
            mortal = may_be_dead(graph)
            for router in graph.routers:
                rule = GateRule.of(router)
                if rule not in made.functions:
                    wish = snake(base_name(router))
                    wish = f"{wish}_gate" if wish in LOCALS else wish
                    made.functions[rule] = GateFunction(names.new(wish), rule)
                function = made.functions[rule]
                function.masks |= masks_source(graph, router, mortal)
                function.taus |= set() if router.threshold is None else {router.threshold}
        return made

    def __getitem__(self, router: Router) -> GateFunction:
        return self.functions[GateRule.of(router)]


def masks_source(graph: Graph, router: Router, mortal: frozenset[str]) -> bool:
    """Whether the edges of a router all leave one node, which may be dead.

    Where the strongest edge is kept they must not be closed before the node has chosen.
    """
    sources = {
        edge.source
        for edge in graph.edges
        if edge.gate is not None and edge.gate.router == router.name
    }
    keeps = router.threshold is not None and router.dead == "keep_strongest"
    return len(sources) == 1 and sources <= mortal and not keeps


def base_name(router: Router) -> str:
    """The name of a router in the text, without the vertex that it was made for."""
    if router.vertex is None:
        return router.name
    vertex = re.sub(r"\W+", "_", plain(router.vertex)).strip("_")
    return router.name.removesuffix(f"_{vertex}") or router.name
