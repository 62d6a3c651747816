"""IR -> warnings about the distribution of cost over the stages."""

from __future__ import annotations

from dagdsl.analysis.cost import cost_of_node
from dagdsl.diagnostics.sink import Sink
from dagdsl.ir.nodes import Net

MAX_SHARE = 0.95
"""A stage with a larger share of all stages' multiply-adds is most likely a mistake."""
MIN_STAGES = 3


def check_balance(net: Net, sink: Sink) -> None:
    """Report a stage whose cost dominates the net."""
    if len(net.stages) < MIN_STAGES:
        return
    macs = {stage.name: cost_of_node(stage, net.graph).macs for stage in net.stages}
    total = sum(macs.values())
    for stage in net.stages:
        if stage.origin is not None and macs[stage.name] > MAX_SHARE * total:
            sink.warning(
                "DG0806",
                stage.origin,
                f"stage `{stage.name}` has {macs[stage.name] / total:.1%} of the multiply-adds of "
                f"all {len(macs)} stages",
                label=f"{macs[stage.name]:,} of {total:,}",
                help="check its stride and its number of channels",
            )
