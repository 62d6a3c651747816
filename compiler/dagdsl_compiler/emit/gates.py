"""Functions from logits to edge weights, shared by all routers that follow the same rule."""

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
    {"alive", "edges", "groups", "i", "incoming", "is_open", "j", "node", "nodes", "open_masks"}
    | {"outputs", "row", "router", "routers", "routes", "self", "values", "w", "weight", "weights"}
    | {"x"}
)
"""Names of local variables in `forward`, which no function may have."""


@dataclass(frozen=True, slots=True)
class GateRule:
    """How a router turns logits into weights, except for the value of its threshold."""

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
        """Whether the rule can close edges."""
        return self.topk is not None or self.has_threshold

    @property
    def has_groups(self) -> bool:
        """Whether the rule compares weights within groups."""
        return self.activation == "softmax" or self.topk is not None or self.normalise

    @property
    def close(self) -> str:
        """The name of the runtime function that closes edges."""
        return "close_straight_through" if self.train == "straight_through" else "close"

    def weigh(self, weights: str) -> str:
        """Code for the weights of open edges."""
        return f"binary({weights})" if self.binary else weights

    def __str__(self) -> str:
        words: list[str] = [self.activation] if self.activation != "none" else []
        words += [f"top {self.topk}"] if self.topk is not None else []
        words += ["normalise"] if self.normalise else []
        words += [f"{self.train} threshold"] if self.has_threshold else []
        words += ["binary weights"] if self.binary else []
        return ", ".join(words) or "raw logits"


@dataclass(slots=True)
class GateFunction:
    """The function of a rule. If `masks`, it can also mask by the liveness of the source node."""

    name: str
    rule: GateRule
    masks: bool = False
    taus: set[float] = field(default_factory=set)

    @property
    def has_tau(self) -> bool:
        """Whether the threshold is an argument, because it differs between routers."""
        return len(self.taus) > 1

    def print(self) -> list[str]:
        """The lines of its definition."""
        rule = self.rule
        formals = ["logits: Tensor"]
        formals += ["tau: float"] if self.has_tau else []
        formals += ["groups: tuple[int, ...]"] if rule.has_groups else []
        formals += ["training: bool"] if rule.train == "soft" else []
        formals += ["alive: Tensor | None = None"] if self.masks else []
        result = "tuple[Tensor, ...]"
        result = f"tuple[{result}, {result}]" if rule.closes else result
        head = CallCode(f"def {self.name}", tuple(map(ArgCode, formals)))
        return [
            *layout(head, suffix=f" -> {result}:"),
            *docstring(self._doc()),
            *indent(self._body()),
        ]

    def _doc(self) -> list[str]:
        result = "The weight of each edge"
        if self.rule.closes:
            result += " and whether it is open"
        text = f"{result}: {self.rule}."
        if self.rule.dead == "keep_strongest":
            text += " The target nodes close edges, and keep the strongest if all would close."
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
    """The functions of all rules in a net."""

    names: Names
    functions: dict[GateRule, GateFunction] = field(default_factory=dict)

    @classmethod
    def of(cls, net: Net, names: Names) -> GateFunctions:
        """Collect the rules of all routers in `net`."""
        made = cls(names)
        for graph in graphs_in((net.graph,)):
            maybe_dead = may_be_dead(graph)
            for router in graph.routers:
                rule = GateRule.of(router)
                if rule not in made.functions:
                    name = snake(base_name(router))
                    name = f"{name}_gate" if name in LOCALS else name
                    made.functions[rule] = GateFunction(names.new(name), rule)
                function = made.functions[rule]
                function.masks |= masks_source(graph, router, maybe_dead)
                function.taus |= set() if router.threshold is None else {router.threshold}
        return made

    def __getitem__(self, router: Router) -> GateFunction:
        return self.functions[GateRule.of(router)]


def masks_source(graph: Graph, router: Router, maybe_dead: frozenset[str]) -> bool:
    """Whether a router closes its edges in samples where their source is dead.

    It does so if all its edges leave one node, which is among `maybe_dead`. A router with
    `dead = "keep_strongest"` does not: the target node first selects its strongest edge.
    """
    sources = {
        edge.source
        for edge in graph.edges
        if edge.gate is not None and edge.gate.router == router.name
    }
    keeps = router.threshold is not None and router.dead == "keep_strongest"
    return len(sources) == 1 and sources <= maybe_dead and not keeps


def base_name(router: Router) -> str:
    """The name of a router in the source, without the suffix for its vertex."""
    if router.vertex is None:
        return router.name
    vertex = re.sub(r"\W+", "_", plain(router.vertex)).strip("_")
    return router.name.removesuffix(f"_{vertex}") or router.name
