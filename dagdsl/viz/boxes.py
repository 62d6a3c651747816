"""Pictures of outputs and of the nodes of a net that are not stages."""

from __future__ import annotations

from collections.abc import Sequence

from dagdsl.ir.nodes import Node
from dagdsl.viz import facts, style
from dagdsl.viz.measure import clip, text_width
from dagdsl.viz.paint import Picture, arrow, box, label, title
from dagdsl.viz.xml import element

_INSET = 12.0
_TEXT_GAP = 7.0
_LINE = 14.0
_NAME_LIMIT = 150.0
_TEXT_LIMIT = 190.0
# Name and summary share a line if together they are at most this wide.
_ONE_LINE = 120.0
_TAG_HEIGHT = 20.0
_TAG_GAP = 6.0
_TAP_WIRE = 18.0
_END_WIRE = 22.0


def node_picture(node: Node) -> Picture:
    """Draw a node: its name and summary, and its shape below."""
    name = clip(node.name, style.NAME_SIZE, _NAME_LIMIT, bold=True)
    detail = clip(facts.node_summary(node), style.TEXT_SIZE, _TEXT_LIMIT)
    shape = facts.shape_text(node)
    name_width = text_width(name, style.NAME_SIZE, bold=True)
    detail_width = text_width(detail, style.TEXT_SIZE)
    line = name_width + (_TEXT_GAP + detail_width if detail else 0)
    middle = 13.0
    if not detail or line <= _ONE_LINE:
        heads = [
            label(-line / 2, middle, name, style.NAME_SIZE, bold=True),
            label(name_width + _TEXT_GAP - line / 2, middle, detail, style.TEXT_SIZE)
            if detail
            else None,
        ]
    else:
        line = max(name_width, detail_width)
        heads = [label(0, middle, name, style.NAME_SIZE, bold=True, anchor="middle")]
        middle += _LINE
        heads.append(label(0, middle, detail, style.TEXT_SIZE, anchor="middle"))
    middle += _LINE
    height = middle + 11
    half = max(line, text_width(shape, style.SMALL_SIZE), 36) / 2 + _INSET
    body = element(
        "g",
        title(facts.node_text(node)),
        box(-half, 0, 2 * half, height, height / 2 if node.kind == "in" else 5, class_="node"),
        *heads,
        label(0, middle, shape, style.SMALL_SIZE, anchor="middle", colour=style.GREY),
    )
    return Picture(half, half, height, body)


def with_output_below(picture: Picture, name: str) -> Picture:
    """Add the output `name` below the picture of a node without outgoing edges."""
    tag = _tag(name)
    top = picture.height + _END_WIRE
    body = element(
        "g",
        picture.body,
        arrow(f"M0 {picture.height:.1f}v{_END_WIRE:g}", class_="tap"),
        element("g", tag.body, transform=f"translate(0 {top:.1f})"),
    )
    return Picture(
        max(picture.left, tag.left), max(picture.right, tag.right), top + tag.height, body
    )


def with_outputs_beside(picture: Picture, names: Sequence[str]) -> Picture:
    """Add an output for each name to the right of the picture of a node."""
    tags = [_tag(name) for name in names]
    step = _TAG_HEIGHT + _TAG_GAP
    all_tags = step * len(tags) - _TAG_GAP
    # A stage is tapped at its foot, where its port `out` is; a box in its middle.
    top = max(0.0, picture.height - all_tags - _TAG_GAP)
    top = min(top, max(0.0, (picture.height - all_tags) / 2)) if picture.height < 60 else top
    marks = []
    for i, tag in enumerate(tags):
        y = top + i * step
        x = picture.right + _TAP_WIRE + tag.left
        path = f"M{picture.right:.1f} {y + _TAG_HEIGHT / 2:.1f}h{_TAP_WIRE:g}"
        marks.append(arrow(path, class_="tap"))
        marks.append(element("g", tag.body, transform=f"translate({x:.1f} {y:.1f})"))
    right = picture.right + _TAP_WIRE + max(tag.left + tag.right for tag in tags)
    height = max(picture.height, all_tags)
    return Picture(picture.left, right, height, element("g", picture.body, *marks))


def _tag(name: str) -> Picture:
    """An output: a name in a capsule, distinct from the boxes that compute something."""
    text = clip(name, style.NAME_SIZE, _NAME_LIMIT)
    half = max(text_width(text, style.NAME_SIZE), 20) / 2 + 10
    body = element(
        "g",
        title(f"output {name}"),
        box(-half, 0, 2 * half, _TAG_HEIGHT, _TAG_HEIGHT / 2, class_="output"),
        label(0, _TAG_HEIGHT / 2, text, style.NAME_SIZE, anchor="middle"),
    )
    return Picture(half, half, _TAG_HEIGHT, body)
