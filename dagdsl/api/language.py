"""The public functions that work on text and networks, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dagdsl.diagnostics.model import Diagnostic, InvalidSource
from dagdsl.errors import UsageError
from dagdsl.frontend import analyse_file
from dagdsl.ir.nodes import Net

if TYPE_CHECKING:
    from dagdsl.analysis.changes import Change
    from dagdsl.analysis.cost import CostSummary
    from dagdsl.diagnostics.explain import Explanation


def check(path: str | Path) -> list[Diagnostic]:
    """Check a `.dg` file and return everything found, in the order of the text.

    An empty list means that the file is correct. A file that cannot be read is a diagnostic too.

    >>> import dagdsl
    >>> dagdsl.check("examples/quickstart.dg")
    []
    >>> [found] = dagdsl.check("missing.dg")
    >>> found.code, found.message
    ('DG0001', 'cannot read the file: no such file')
    """
    return analyse_file(Path(path)).diagnostics


def fmt(text: str, *, name: str = "<string>") -> str:
    """Return the text of a `.dg` file in its canonical form, comments kept.

    `name` is the file name in diagnostics. The result has the same meaning as `text`; this is
    checked. Raises InvalidSource if `text` has syntax errors.

    >>> import dagdsl
    >>> print(dagdsl.fmt("net N{input x:f32[4] node y:fc(2)\\nx->y output y}"), end="")
    net N {
      input x: f32[4]
      node y: fc(2)
      x -> y
      output y
    }
    """
    from dagdsl.diagnostics.sink import Sink
    from dagdsl.source import SourceFile
    from dagdsl.syntax.formatter import format_text

    sink = Sink()
    formatted = format_text(SourceFile(name, text), sink)
    if formatted is None:
        raise InvalidSource(sink.sorted())
    return formatted


def show(net: Net) -> str:
    """Return a `.dg` file that describes `net`: params set, nothing imported, numbers evaluated.

    Loading the text gives a network with the same hash. Raises UsageError if no text can express
    the network, which can happen for one read from an `ir.json`.

    >>> import dagdsl
    >>> net = dagdsl.load("examples/quickstart.dg")
    >>> dagdsl.loads(dagdsl.show(net)).hash == net.hash
    True
    """
    from dagdsl.unparse.writer import text_of

    return text_of(net)


@dataclass(frozen=True, slots=True)
class Difference:
    """How two networks differ; false if they are the same network.

    `changes` are the added, removed and changed elements. `costs` has the pair (before, after) of
    each cost that differs, by the name of its field in `CostSummary`. `str` gives the text of
    `dagdsl diff`.

    >>> import dagdsl
    >>> net = dagdsl.load("examples/quickstart.dg")
    >>> bool(dagdsl.diff(net, net))
    False
    """

    changes: tuple[Change, ...]
    costs: dict[str, tuple[int, int]]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        signs = {"added": "+", "removed": "-", "changed": "~"}
        lines = []
        for change in self.changes:
            details = f": {'; '.join(change.details)}" if change.details else ""
            lines.append(f"{signs[change.kind]} {change.what}{details}")
        for name, (old, new) in self.costs.items():
            percent = f" ({(new - old) / old:+.1%})" if old else ""
            lines.append(f"  {name.replace('_', ' ')} {old:,} -> {new:,}{percent}")
        return "\n".join(lines)


def diff(before: Net, after: Net) -> Difference:
    """Compare two networks: nodes, edges, gates, shapes, parameters and multiply-adds.

    Differences in the text alone do not count: there are no changes if and only if the hashes are
    equal.

    >>> import dagdsl
    >>> before = dagdsl.load("examples/quickstart.dg", tau=0.6)
    >>> after = dagdsl.load("examples/quickstart.dg", tau=0.6, depth=2)
    >>> print(str(dagdsl.diff(before, after)).splitlines()[0])
    - node s1.n[2]
    """
    from dagdsl.analysis.changes import changes, costs

    return Difference(tuple(changes(before, after)), costs(before, after))


def graph(net: Net, format: str = "svg", *, block: str | None = None) -> str:
    """Draw a network and return the text of the drawing.

    `format` is `svg`, `dot` (Graphviz) or `mmd` (Mermaid). With `block` the body of that block is
    drawn instead of the network. Raises UsageError for an unknown format or block.

    >>> import dagdsl
    >>> net = dagdsl.load("examples/quickstart.dg")
    >>> dagdsl.graph(net)[:4]
    '<svg'
    >>> print(dagdsl.graph(net, "mmd").splitlines()[0])
    flowchart TB
    """
    from dagdsl.viz.detail import block_names, block_net
    from dagdsl.viz.formats import FORMATS, draw

    if f".{format}" not in FORMATS:
        known = ", ".join(suffix.removeprefix(".") for suffix in FORMATS)
        raise UsageError(f"unknown drawing format `{format}`: choose one of {known}")
    if block is not None:
        blocks = block_names(net)
        if block not in blocks:
            known = ", ".join(f"`{name}`" for name in blocks)
            there_is = f"its blocks with a body are {known}" if known else "it has no such block"
            raise UsageError(f"{net.name} has no block `{block}` with a body: {there_is}")
        net = block_net(net, block)
    return draw(net, format)


def costs(net: Net) -> CostSummary:
    """Count the parameters of a network and its multiply-adds per sample.

    >>> import dagdsl
    >>> costs = dagdsl.costs(dagdsl.load("examples/quickstart.dg"))
    >>> costs.parameters > 0 and costs.least_macs < costs.macs
    True
    """
    from dagdsl.analysis.cost import cost_of_net

    return cost_of_net(net)


def explain(code: str) -> Explanation:
    """Explain the code of a diagnostic, with a wrong and a right example.

    Raises UsageError for an unknown code.

    >>> import dagdsl
    >>> dagdsl.explain("DG0301").title
    'wrong type'
    """
    from dagdsl.diagnostics.codes import CODES
    from dagdsl.diagnostics.explain import explain
    from dagdsl.diagnostics.sink import did_you_mean

    wanted = code.upper()
    if wanted not in CODES:
        hint = did_you_mean(wanted, CODES) or "`dagdsl explain` lists all codes"
        raise UsageError(f"unknown code {code}: {hint}")
    return explain(wanted)
