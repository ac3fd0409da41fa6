"""Numbers of a column: their points stand below each other, whatever they are."""

import pytest

from batchqc.web.numbers import number, room, tail


@pytest.mark.parametrize(
    ("text", "after"),
    [("93.40", 3), ("100", 0), ("<0.05", 3), ("1.8E8", 4), ("2E6", 2), ("-1", 0), ("no growth", 0)],
)
def test_a_number_has_its_point_before_its_places_and_its_exponent(text: str, after: int):
    assert tail(text) == after
    assert f"pad-{4 - after}" in number(text, 4) or text == "no growth"


def test_a_column_leaves_room_for_the_longest_and_words_need_none():
    assert room(["93.40", "no growth", "<0.05000", ""]) == 6
    assert room([]) == 0
    assert room(["0." + "1" * 40]) == 14
    assert number("growth <b>", 3) == "growth &lt;b&gt;"
