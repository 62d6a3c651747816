from __future__ import annotations

from hypothesis import given, settings

import dagdsl
from dagdsl.analysis.changes import Change, changes, costs
from dagdsl.analysis.cost import cost_of_net
from dagdsl.ir.nodes import Net
from tests.strategies import nets

BASE = """
router gate(tau) = gap |> fc |> sigmoid |> threshold(tau)
block cell = conv(kernel = 3) |> bn
net N {
  input image: f32[3, 8, 8]
  node stem: conv(4) |> bn
  stage s { node n[2]: cell  connect complete via gate(0.1) }
  node logits: gap |> fc(10)
  image -> stem -> s -> logits
  output logits
}
"""


def changed(*replacements: tuple[str, str]) -> list[str]:
    after = BASE
    for old, new in replacements:
        assert old in after
        after = after.replace(old, new)
    found = changes(dagdsl.loads(BASE), dagdsl.loads(after))
    return [f"{change.kind} {change.what} {'; '.join(change.details)}".strip() for change in found]


def test_only_written_in_another_way() -> None:
    assert changed(("net N", "net Other"), ("cell", "cell"), ("\n", "  # comment\n")) == []


def test_parameters_of_ops() -> None:
    assert changed(("kernel = 3", "kernel = 5")) == [
        f"changed node s.n[{index}] cell.conv kernel 3 -> 5" for index in range(2)
    ]


def test_ops_that_come_and_go() -> None:
    assert changed(("conv(4) |> bn", "conv(4) |> relu")) == [
        "changed node stem without bn; with relu"
    ]


def test_shapes() -> None:
    found = changed(("conv(4)", "conv(6)"))
    assert found[0] == "changed node stem shape 4 x 8 x 8 -> 6 x 8 x 8; conv channels 4 -> 6"
    assert "changed port s.out shape 4 x 8 x 8 -> 6 x 8 x 8" in found


def test_gates() -> None:
    assert changed(("gate(0.1)", "gate(0.3)"))[0] == (
        "changed edge s.in -> n[0] gate threshold 0.1 -> 0.3"
    )
    assert changed((" via gate(0.1)", ""), ("router gate", "router _gate"))[0] == (
        "changed edge s.in -> n[0] is no longer gated"
    )
    found = changed(("gap |> fc |> sigmoid", 'reads("stage") |> gap |> fc(init = 2.0) |> sigmoid'))
    assert "gate reads source -> stage" in found[0]


def test_edges_nodes_and_outputs() -> None:
    found = changed(("n[2]", "n[3]"), ("output logits", "output logits  output taps { a = s }"))
    assert "added node s.n[2]" in found
    assert "added edge s.n[1] -> n[2]" in found
    assert found[-1] == "added output taps"
    assert "removed edge s.in -> out" in changed(("complete via gate(0.1)", "chain"))


def test_order_alone() -> None:
    text = BASE.replace("node stem: conv(4) |> bn", "node stem, b: conv(4) |> bn")
    first = text.replace("stem -> s ->", "stem, b -> s ->").replace(
        "image -> stem", "image -> stem"
    )
    second = first.replace("stem, b -> s", "b, stem -> s")
    (only,) = changes(dagdsl.loads(first), dagdsl.loads(second))
    assert only == Change("changed", "order", ("nodes or edges come in another order",))


def test_costs() -> None:
    before, after = dagdsl.loads(BASE), dagdsl.loads(BASE.replace("fc(10)", "fc(20)"))
    old = cost_of_net(before)
    assert costs(before, after) == {
        "parameters": (old.parameters, old.parameters + 50),
        "macs": (old.macs, old.macs + 40),
        "least_macs": (old.least_macs, old.least_macs + 40),
    }
    assert costs(before, before) == {}


@given(nets(), nets())
@settings(max_examples=30, deadline=None)
def test_none_if_and_only_if_the_hashes_are_equal(a: Net, b: Net) -> None:
    assert changes(a, a) == []
    assert bool(changes(a, b)) == (a.hash != b.hash)
