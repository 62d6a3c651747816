"""Lines and columns, as people count them and as editors do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagdsl.source import Position, SourceFile

TEXT = "ab\n😀 = ü\r\n\nz"


def test_people_count_characters_from_one() -> None:
    file = SourceFile("net.dg", TEXT)
    assert file.position(TEXT.index("=")) == Position(2, 3)
    assert file.line(2) == "😀 = ü"


@pytest.mark.parametrize(
    ("part", "place"), [("ab", (0, 0)), ("😀", (1, 0)), ("=", (1, 3)), ("ü", (1, 5)), ("z", (3, 0))]
)
def test_editors_count_utf16_from_zero(part: str, place: tuple[int, int]) -> None:
    file = SourceFile("net.dg", TEXT)
    assert file.utf16_position(TEXT.index(part)) == place
    assert file.utf16_offset(*place) == TEXT.index(part)


def test_places_that_are_not_there() -> None:
    file = SourceFile("net.dg", TEXT)
    assert file.utf16_offset(0, 99) == 2, "behind the end of a line"
    assert file.utf16_offset(99, 0) == len(TEXT), "behind the end of the text"
    assert file.utf16_offset(1, 1) == 3, "in the middle of a character"


@given(st.text(alphabet="a😀ü \n", max_size=40), st.data())
def test_there_and_back(text: str, data: st.DataObject) -> None:
    file = SourceFile("net.dg", text)
    offset = data.draw(st.integers(0, len(text)))
    assert file.utf16_offset(*file.utf16_position(offset)) == offset
