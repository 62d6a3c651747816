"""Constant folding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import ClassVar

import torch
from torch import Tensor, fx, nn

from dagdsl_compiler.lower.remarks import Remark, did
from dagdsl_compiler.passes.regions import uniform_nodes

_HOME = "_constants"


@dataclass(frozen=True, slots=True)
class FoldConstants:
    """Replace values that no input reaches, such as gates of routers without input, by constants.

    For evaluation only: the constants depend on the current weights.
    """

    name: ClassVar[str] = "fold_constants"

    @torch.no_grad()
    def run(self, module: fx.GraphModule) -> Iterator[Remark]:
        """See the class."""
        graph, uniform = module.graph, uniform_nodes(module.graph)
        home, interpreter = nn.Module(), fx.Interpreter(module)
        for node in graph.nodes:
            if node not in uniform:
                continue
            value = interpreter.env[node] = interpreter.run_node(node)
            if not isinstance(value, Tensor) or uniform.issuperset(node.users):
                continue
            # Cloned, because a view would keep the larger tensor alive.
            home.register_buffer(node.name, value.clone(), persistent=False)
            module.add_submodule(_HOME, home)
            with graph.inserting_after(node):
                path, name = f"{_HOME}.{node.name}", f"{node.name}_constant"
                constant = graph.create_node("get_attr", path, name=name)
            constant.meta.update(node.meta)
            node.replace_all_uses_with(constant, lambda user: user not in uniform)
            yield did(node, f"always {_shown(value)}")


def constant_of(module: fx.GraphModule, node: fx.Node) -> Tensor | None:
    """The value of a folded node; None for any other."""
    if node.op != "get_attr" or not str(node.target).startswith(f"{_HOME}."):
        return None
    value: Tensor = attrgetter(str(node.target))(module)
    return value


def _shown(value: Tensor) -> str:
    if value.numel() > 1:
        return f"the same {value.numel()} numbers"
    number = value.item()
    return f"{number:.4g}" if isinstance(number, float) else str(number).lower()
