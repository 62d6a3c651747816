"""Lists, indexing, functions, empty arrays, and pipes as arguments."""

from __future__ import annotations

import pytest

import dagdsl
from dagdsl.frontend import analyse
from dagdsl.ir.nodes import Block, Net, Op, inner_graph
from dagdsl.source import SourceFile
from tests.frontend.test_load import net, op, pairs, stage_of


def channels(expression: str, before: str = "") -> int:
    """Return the value of an expression."""
    return net(f"node a: conv({expression}) image -> a output a", before).graph.node("a").shape[0]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[3, 4, 6][2]", 6),
        ("[[1, 2], [3, 4]][1][0]", 3),
        ("len([1, 2]) + len([[], 1, 2])", 5),
        ("choose(true, 3, 1 // 0)", 3),
        ("choose(false, nothing, false, nothing, 4)", 4),
        ("choose(equal([1, 2], [1, 2.0]), 5, 6)", 5),
        ("choose(equal([1, true], [1, 1]), 5, 6)", 6),
        ('choose(equal("a", "b"), 5, equal("a", "a"), 6, 7)', 6),
        ("regnet_stages(22, 24, 24.48, 2.54, 16)[0][3]", 400),
        ("regnet_stages(22, 24, 24.48, 2.54, 16)[1][2]", 7),
        ("regnet_stages(17, 192, 76.82, 2.19, 56)[0][1]", 448),
    ],
)
def test_values_of_expressions(expression: str, value: int) -> None:
    assert channels(expression) == value


def test_lists_are_params() -> None:
    text, before = "node a: conv(w[1]) image -> a output a", "param w: list = [3, 4]"
    assert net(text, before).graph.node("a").shape[0] == 4
    assert net(text, before).settings["w"] == [3, 4]
    assert net(text, before, w=[5, 6]).graph.node("a").shape[0] == 6
    assert net(text, before, w="[7, 8]").settings["w"] == [7, 8]
    assert net(text, 'param w: list = [3, 4] in [[3, 4], ["a", 5]]', w='["a", 5]').settings[
        "w"
    ] == [
        "a",
        5,
    ]
    for wrong in ("3, 4", "[3,, 4]", 3, "[3"):
        with pytest.raises(dagdsl.UsageError, match="a list like"):
            net(text, before, w=wrong)
    with pytest.raises(dagdsl.UsageError, match=r"one of \[3, 4\], not \[4, 4\]"):
        net(text, "param w: list = [3, 4] in [[3, 4]]", w=[4, 4])
    assert Net.from_json(net(text, before).to_json()).settings["w"] == [3, 4]


def test_arrays_may_be_empty() -> None:
    graph = stage_of(net("stage s { node n[0]: relu connect chain } image -> s output s"))
    assert pairs(graph) == [("in", "out")]
    graph = stage_of(net("stage s { node n[0]: relu connect complete } image -> s output s"))
    assert pairs(graph) == [("in", "out")]
    built = net("node n[0]: relu node a: relu image -> n, a n -> a output a")
    assert [node.name for node in built.graph.nodes] == ["image", "a"]


def test_an_arm_not_taken_is_not_unused() -> None:
    text = """
        param wide: bool = false
        block one = relu
        block two = conv(8)
        net N { input x: f32[4, 8, 8] node a: choose(wide, two, one) x -> a output a }
    """
    assert analyse(SourceFile("n.dg", text)).diagnostics == []
    assert dagdsl.loads(text, wide=True).graph.node("a").shape[0] == 8
    broken = text.replace("conv(8)", "conv(8, kernels = 3)")
    assert [d.code for d in analyse(SourceFile("n.dg", broken)).diagnostics] == ["DG0210"]


def test_choose_takes_routers() -> None:
    text = (
        "stage s { node n[2]: relu connect complete via"
        ' choose(equal(kind, "learned"), learned, gap |> fc |> sigmoid) } image -> s output s'
    )
    before = 'param kind: str = "learned" in ["learned", "source"]'
    assert len(stage_of(net(text, before)).routers) == 1
    assert len(stage_of(net(text, before, kind="source")).routers) == 3


def test_a_pipe_given_as_an_argument_takes_more_arguments() -> None:
    built = net(
        "k = 1 node a: twice(wide(by = 2), 3) image -> a output a",
        """block twice(cell: op, k) = cell(k, kernel = k + 2) |> cell
           block wide(k = 1, by = 1, kernel = 1) = conv(in.channels * by + k, kernel = kernel)""",
    )
    outer = built.graph.node("a").steps[0]
    assert isinstance(outer, Block)
    assert [step.shape[0] for step in outer.steps if isinstance(step, Block)] == [11, 23]
    first = outer.steps[0]
    assert isinstance(first, Block)
    assert isinstance(first.steps[0], Op)
    assert first.steps[0].params["kernel"] == 5


def test_arguments_of_pipes_keep_the_names_of_their_own_place() -> None:
    built = net(
        "node a: outer(5) image -> a output a",
        """block outer(n) = middle(conv(n), 7)
           block middle(cell: op, n) = inner(cell(kernel = n), 3)
           block inner(cell: op, n) = cell(groups = n - 2)""",
    )
    step = built.graph.node("a").steps[0]
    while isinstance(step, Block):
        step = step.steps[0]
    assert isinstance(step, Op)
    assert (step.params["channels"], step.params["kernel"], step.params["groups"]) == (5, 7, 1)


def test_lists_contain_pipes() -> None:
    built = net(
        "cells = [conv(2), conv(3)] node n[2]: cells[index] image -> n output t { a = n[1] }"
    )
    assert op(built, "n[1]").shape[0] == 3


def test_an_empty_array_in_a_stage_keeps_the_rest() -> None:
    text = "stage s { node a: relu node n[d]: relu connect chain } image -> s output s"
    graph = inner_graph(net(text, "param d: int = 0").graph.node("s"))
    assert graph is not None
    assert [node.name for node in graph.nodes] == ["in", "a", "out"]


def test_arrays_of_stages() -> None:
    built = net(
        "stage s[3] { channels = widths[index] stride = choose(equal(index, 0), 1, 2)"
        " node n[index]: conv(2 * channels - in.channels + index - index) connect chain }"
        " image -> s[0] -> s[1] -> s[2] output s3 { a = s[2] }",
        "param widths: list = [4, 6, 8]",
    )
    assert [stage.name for stage in built.stages] == ["s[0]", "s[1]", "s[2]"]
    assert [stage.shape for stage in built.stages] == [(4, 8, 8), (6, 4, 4), (8, 2, 2)]
    assert [len(stage_of(built, stage.name).nodes) for stage in built.stages] == [2, 3, 4]


def test_patterns_are_values() -> None:
    text = "stage s { node n[3]: relu connect wiring } image -> s output s"
    before = "param chained: bool = true\n"
    body = f"wiring = choose(chained, chain, er(1.0)) {text}"
    assert len(pairs(stage_of(net(body, before)))) == 4
    assert len(pairs(stage_of(net(body, before, chained=False)))) == 5
    inline = text.replace("wiring", "choose(chained, chain, complete)")
    assert len(pairs(stage_of(net(inline, before, chained=False)))) == 10
    given = f"net A(wiring: op = complete) {{ input image: f32[4, 8, 8] {text} }} net B = A(chain)"
    assert len(pairs(stage_of(dagdsl.loads(given, net="A")))) == 10
    assert len(pairs(stage_of(dagdsl.loads(given, net="B")))) == 4
    with pytest.raises(dagdsl.InvalidSource, match="not a connect pattern"):
        net(f"wiring = relu |> conv {text}")
    with pytest.raises(dagdsl.InvalidSource, match="unknown connect pattern `relu`"):
        net(f"wiring = relu {text}")


def test_always_is_not_a_step_of_a_router() -> None:
    text = "stage s { node n[2]: relu connect complete via always } image -> s output s"
    plain = "stage s { node n[2]: relu connect complete } image -> s output s"
    assert net(text).hash == net(plain).hash
    with pytest.raises(dagdsl.InvalidSource, match="`always` is not allowed here"):
        net(text.replace("always", "gap |> fc |> always"))


def test_lists_are_limited() -> None:
    doubled = "\n".join(f"x{i + 1} = [x{i}, x{i}]" for i in range(60))
    with pytest.raises(dagdsl.InvalidSource, match="the list has more than"):
        net(f"x0 = [1] {doubled} node a: conv(x60) image -> a output a")
    with pytest.raises(dagdsl.InvalidSource, match="the list has more than"):
        channels(f"len([{'1, ' * 2000}])")


def test_a_list_with_an_error_is_reported_once() -> None:
    with pytest.raises(dagdsl.InvalidSource) as raised:
        net("w = [wdith] node a: conv(w) image -> a output a")
    assert [found.code for found in raised.value.diagnostics] == ["DG0201"]
