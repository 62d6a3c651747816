"""Making static nets dynamic: the families of the library, and small files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import dagdsl
from dagdsl.analysis.cost import cost_of_net
from dagdsl.diagnostics.sink import Sink
from dagdsl.frontend import analyse, analyse_file
from dagdsl.ir.nodes import Net, inner_graph
from dagdsl.source import SourceFile
from dagdsl.syntax.comments import comments_of
from dagdsl.syntax.formatter import format_text
from dagdsl.syntax.problems import Problems
from dagdsl.syntax.tokens import tokenize
from dagdsl.transform.edits import EntryKind
from tests.cli.run import dagdsl as run
from tests.models.torchvision_models import build

STD = Path(dagdsl.__file__).parent / "std" / "models"
FAMILIES = ("mobilenet_v2", "resnet", "resnext", "regnet")

NET = """
# A small net.
import "std/resnet.dg" as blocks

net Small {{
  input image: f32[3, 32, 32]
  # A stage of it.
  stage s {{
    {stage}
  }}
  node logits: gap |> fc(10)
  image -> s -> logits
  output logits  # of ten classes
}}
"""


def net_of(stage: str) -> str:
    return NET.format(stage=stage)


def stage_of(text: str) -> list[str]:
    """Return the lines of the stage in a text made from NET."""
    lines = [line.strip() for line in text.splitlines()]
    start = lines.index("stage s {")
    return lines[start + 1 : lines.index("}", start)]


def edges(net: Net) -> list[int]:
    return [len(graph.edges) for stage in net.stages if (graph := inner_graph(stage))]


def comments(text: str) -> list[str]:
    source = SourceFile("<test>", text)
    return comments_of(source, tokenize(source, Problems(source, Sink())))


class TestFamilies:
    @pytest.mark.parametrize(("entry", "shortcuts"), [("shrink", False), ("first", True)])
    @pytest.mark.parametrize("family", FAMILIES)
    def test_checks_clean(self, family: str, entry: EntryKind, shortcuts: bool) -> None:
        text = dagdsl.dynamize(f"std/models/{family}.dg", entry=entry, shortcuts=shortcuts)
        found = analyse(SourceFile("<dynamic>", text))
        assert found.diagnostics == []
        assert format_text(SourceFile("<dynamic>", text), Sink()) == text
        assert (
            found.nets.keys()
            == analyse(SourceFile("x", (STD / f"{family}.dg").read_text())).nets.keys()
        )

    @pytest.mark.parametrize("family", FAMILIES)
    def test_is_the_dynamic_family_of_the_library(self, family: str) -> None:
        """Every net has as many edges in each stage, parameters and MACs as in the library."""
        text = dagdsl.dynamize(f"std/models/{family}.dg")
        made = analyse(SourceFile("<dynamic>", text)).nets
        library = analyse_file(STD / f"dg_{family}.dg").nets
        assert {f"dg_{name}" for name in made} == library.keys()
        for name, net in made.items():
            other = library[f"dg_{name}"]
            assert edges(net) == edges(other)
            ours, theirs = cost_of_net(net), cost_of_net(other)
            assert (ours.parameters, ours.macs) == (theirs.parameters, theirs.macs)

    def test_resnet50_has_the_edges_of_the_method(self) -> None:
        text = dagdsl.dynamize("std/models/resnet.dg")
        assert sum(edges(dagdsl.loads(text, net="resnet50"))) == 63

    @pytest.mark.parametrize("family", FAMILIES)
    def test_keeps_comments(self, family: str) -> None:
        """All stay, except the comment of RegNet's residual block, which becomes unused."""
        static = (STD / f"{family}.dg").read_text()
        unused = {"regnet": "# A body with a shortcut: relu(shortcut(x) + body(x))."}
        kept = [comment for comment in comments(static) if comment != unused.get(family)]
        assert comments(dagdsl.dynamize(static)) == kept

    @pytest.mark.parametrize("family", FAMILIES)
    def test_builds_and_trains(self, family: str) -> None:
        small = {"resnet": "18", "resnext": "50_32x4d", "regnet": "_y_400mf"}
        name = family + small.get(family, "")
        net = dagdsl.loads(dagdsl.dynamize(f"std/models/{family}.dg"), net=name, size=32, classes=7)
        model = dagdsl.compile(net, backend="eager", seed=0)
        model(torch.randn(2, 3, 32, 32))["logits"].square().mean().backward()
        assert [key for key, p in model.named_parameters() if p.grad is None] == []

    def test_all_edges_open_are_the_shortcuts_of_mobilenet(self) -> None:
        """With all edges open, a DAG of linear bottlenecks equals the residual chain."""
        torch.manual_seed(0)
        theirs = build("mobilenet_v2").eval()
        text = dagdsl.dynamize("std/models/mobilenet_v2.dg", entry="first", via="always")
        net = dagdsl.loads(text, size=64).only("logits")
        ours = dagdsl.compile(net, backend="eager", seed=0).eval()
        dagdsl.load_torchvision_weights(ours, theirs.state_dict())
        x = torch.randn(2, 3, 64, 64)
        with torch.no_grad():
            expected = theirs(x)
            assert torch.allclose(
                ours(x), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max())
            )

    def test_weights_of_a_resnet_load(self) -> None:
        net = dagdsl.loads(dagdsl.dynamize("std/models/resnet.dg", entry="first"), net="resnet18")
        model = dagdsl.compile(net.only("logits"), backend="eager", seed=0)
        dagdsl.load_torchvision_weights(model, build("resnet18").state_dict())


class TestCommand:
    STATIC = net_of("node n[3]: conv |> bn |> relu connect chain")

    def test_writes(self, tmp_path: Path) -> None:
        static, dynamic = tmp_path / "static.dg", tmp_path / "dynamic.dg"
        static.write_text(self.STATIC)
        done = run("dynamize", static, "-o", dynamic)
        assert (done.returncode, done.stdout) == (0, f"wrote {dynamic}\n")
        assert dynamic.read_text() == dagdsl.dynamize(self.STATIC)
        assert run("dynamize", static).stdout == dynamic.read_text()

    def test_writes_nothing_if_the_result_has_errors(self, tmp_path: Path) -> None:
        static, dynamic = tmp_path / "static.dg", tmp_path / "elsewhere" / "dynamic.dg"
        static.write_text(self.STATIC.replace("std/resnet.dg", "own.dg"))
        (tmp_path / "own.dg").write_text("block own = conv |> bn\n")
        dynamic.parent.mkdir()
        done = run("dynamize", static, "-o", dynamic)
        assert done.returncode == 1
        assert "DG0204" in done.stderr
        assert not dynamic.exists()

    def test_refuses(self, tmp_path: Path) -> None:
        static = tmp_path / "static.dg"
        static.write_text(net_of("node n[3]: conv connect complete"))
        done = run("dynamize", static)
        assert done.returncode == 2
        assert "no stage to make dynamic" in done.stderr


class TestStages:
    def test_array(self) -> None:
        text = dagdsl.dynamize(
            net_of(
                """node n[4]: conv(8, stride = max(2 - index, 1)) |> bn |> relu  # four
                connect chain"""
            )
        )
        assert stage_of(text) == [
            "entry = dg.shrink(8, 2)",
            "node n[4]: conv(8, stride = 1) |> bn |> relu  # four",
            "connect complete via gate(tau)",
        ]
        assert text.startswith('# A small net.\nimport "std/resnet.dg" as blocks\n')
        assert "\nparam tau: float = 0.1 in 0.0..0.9\n" in text
        assert "\nrouter gate(tau) = gap |> fc |> sigmoid |> threshold(tau)\n" in text

    def test_keeps_comments_within_replaced_text(self) -> None:
        stage = """node n[3]: conv(8,  # eight
        stride = max(2 - index, 1)) |> bn connect chain"""
        assert "# eight" in comments(dagdsl.dynamize(net_of(stage)))

    def test_index_of_the_remaining_nodes_is_shifted(self) -> None:
        stage = (
            "node n[3]: conv(8, stride = max(2 - index, 1)) |> dropout(0.1 * index) connect chain"
        )
        lines = stage_of(dagdsl.dynamize(net_of(stage)))
        assert lines[1] == "node n[3]: conv(8, stride = 1) |> dropout(0.1 * (index + 1))"

    def test_first_node_as_entry(self) -> None:
        stage = "node n[4]: conv(8, stride = max(2 - index, 1)) |> bn\nconnect chain"
        assert stage_of(dagdsl.dynamize(net_of(stage), entry="first")) == [
            "entry = conv(8, stride = 2) |> bn",
            "node n[3]: conv(8, stride = 1) |> bn",
            "connect complete via gate(tau)",
        ]

    def test_named_nodes_and_wires(self) -> None:
        stage = """node a: conv(8, stride = 2)
        node b, c: blocks.unit(blocks.basic)
        in -> a -> b -> c -> out"""
        assert stage_of(dagdsl.dynamize(net_of(stage))) == [
            "entry = dg.shrink(8, 2)",
            "node a: blocks.basic(in.channels, stride = 1) |> relu",
            "node b, c: blocks.basic(in.channels, stride = 1) |> relu",
            "connect complete via gate(tau)",
        ]
        assert stage_of(dagdsl.dynamize(net_of(stage), entry="first", shortcuts=True)) == [
            "entry = conv(8, stride = 2)",
            "node b, c: blocks.unit(blocks.basic)",
            "connect complete via gate(tau)",
        ]

    def test_no_entry_where_the_shape_stays(self) -> None:
        text = dagdsl.dynamize(net_of("node n[3]: conv |> bn |> relu connect chain"))
        assert stage_of(text) == [
            "node n[3]: conv |> bn |> relu",
            "connect complete via gate(tau)",
        ]
        assert "std/dg.dg" not in text

    def test_other_router(self) -> None:
        stage = "node n[3]: conv |> bn |> relu connect chain"
        text = dagdsl.dynamize(net_of(stage), via="learned |> sigmoid")
        assert stage_of(text)[-1] == "connect complete via learned |> sigmoid"
        assert "tau" not in text

    def test_names_that_are_taken(self) -> None:
        gate = "param tau: int = 3\nblock gate = conv(8)\n"
        text = dagdsl.dynamize(net_of("node n[tau]: gate connect chain") + gate, entry="first")
        assert stage_of(text)[:2] == ["entry = gate", "node n[tau - 1]: gate"]
        assert "connect complete via gate_(tau_)" in text

    def test_net_by_name(self) -> None:
        stage = net_of("node n[3]: conv |> bn |> relu connect chain")
        other = stage.replace("Small", "Other").replace('import "std/resnet.dg" as blocks', "")
        text = dagdsl.dynamize(stage + other, net="Other")
        assert text.count("connect chain") == text.count("connect complete") == 1
        assert text.index("connect chain") < text.index("connect complete")

    def test_multiplicative_merges_are_not_shortcuts(self) -> None:
        text = dagdsl.dynamize(net_of("node n[3]: blocks.squeeze_excite(narrow = 1) connect chain"))
        assert "node n[3]: blocks.squeeze_excite(narrow = 1)" in stage_of(text)


class TestRefused:
    @pytest.mark.parametrize(
        ("stage", "message"),
        [
            ("node n[3]: conv connect complete", "no stage to make dynamic"),
            (
                "node n[3]: conv(8 * (index + 1)) connect chain",
                "`n[1]` has the shape 16 x 32 x 32 and `n[0]`",
            ),
            (
                "channels = 8 node n[3]: conv(16) connect chain",
                "sets `channels`, but its first node",
            ),
            ("node n[2]: conv(8) |> conv(16) connect chain", "in exactly one op or block"),
            ("node n[3]: conv([8, 8, 8][index]) connect chain", "index 3 is out of range"),
        ],
    )
    def test_says_why(self, stage: str, message: str) -> None:
        with pytest.raises(dagdsl.UsageError) as refused:
            dagdsl.dynamize(net_of(stage))
        assert message in str(refused.value)

    def test_invalid_router(self) -> None:
        with pytest.raises(dagdsl.UsageError, match="the router is not a valid expression"):
            dagdsl.dynamize(net_of("node n[3]: conv connect chain"), via="fc(")

    def test_unknown_net(self) -> None:
        with pytest.raises(dagdsl.UsageError, match="there is no net `X`; the file has Small"):
            dagdsl.dynamize(net_of("node n[3]: conv connect chain"), net="X")

    def test_errors_in_the_file(self) -> None:
        with pytest.raises(dagdsl.InvalidSource):
            dagdsl.dynamize(net_of("node n[3]: cnv connect chain"))
