"""Files that must come out in one way only."""

import pytest

from batchqc.intake.contract import Reading
from tests.intake.files import found, read
from tests.intake.nasty import NASTY


def decision(reading: Reading) -> str:
    if not reading.accepted:
        return "reject"
    return "accept_with_warning" if reading.problems else "accept"


@pytest.mark.parametrize("nasty", NASTY, ids=lambda nasty: nasty.name)
def test_a_nasty_file_comes_out_as_written(nasty):
    reading = read(nasty.data)
    assert decision(reading) == nasty.decision
    assert tuple(one.text for one in reading.measurements) == nasty.values
    assert tuple(found(reading.problems)) == nasty.problems


def test_a_word_is_kept_and_its_meaning_is_shown():
    reading = read(next(one.data for one in NASTY if one.name.startswith("08")))
    assert [one.unit for one in reading.measurements] == ["", "CFU"]
    assert '"TNTC" is read as "growth"' in reading.problems[0].message


def test_a_quoted_comment_is_kept_with_its_line_end():
    reading = read(next(one.data for one in NASTY if one.name.startswith("19")))
    assert reading.measurements[0].comment == 'bubble seen,\r\n"re-read" ok'


def test_digits_and_qualifiers_are_kept_exactly():
    texts = {}
    for name in ("07", "26", "30"):
        reading = read(next(one.data for one in NASTY if one.name.startswith(name)))
        texts |= {one.text: one.amount for one in reading.measurements}
    assert {text: str(amount.number) for text, amount in texts.items() if amount} == {
        "<0.05": "0.05",
        ">95": "95",
        "<=2.0": "2.0",
        "2.45E6": "2.45E+6",
        "2.45e+06": "2.45E+6",
        "95.0": "95.0",
        "95.00": "95.00",
        "94.95": "94.95",
        "0.30000000000000004": "0.30000000000000004",
    }
    assert [texts[text].qualifier for text in ("<0.05", ">95", "<=2.0")] == ["<", ">", "<="]
