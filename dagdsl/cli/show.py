"""`dagdsl show`: a network as the text of a `.dg` file."""

from __future__ import annotations

from dagdsl.cli.console import NetFile, NetName, Sets


def run(
    file: NetFile,
    set: Sets = [],  # noqa: B006
    net: NetName = None,
) -> None:
    """Print a network as a self-contained `.dg` file: params set, imports resolved.

    The text describes the same network, with the same hash.
    """
    import dagdsl
    from dagdsl.cli.console import load_net

    print(dagdsl.show(load_net(file, set, net)), end="")
