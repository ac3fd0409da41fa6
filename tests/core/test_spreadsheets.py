"""What leaves batchqc is never run by a spreadsheet, and comes back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.quantities import parse_amount
from batchqc.core.spreadsheets import guarded, unguarded

RUNS = "=+-@\t\r\n＝＋－＠"
TEXTS = st.text() | st.from_regex(r"'{0,3}[=+\-@\t\r][0-9A-Za-z=(. ]{0,8}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-5 drops", "'-5 drops"),
        ("-", "'-"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("'=1", "''=1"),
        ("＝1", "'＝1"),
        ("＋1", "'＋1"),
        ("－1 drop", "'－1 drop"),
        ("\n=1", "'\n=1"),
        ("-5", "-5"),
        ("+0.50", "+0.50"),
        ("-2.45E6", "-2.45E6"),
        ("<0.05", "<0.05"),
        ("'tis", "'tis"),
        ("", ""),
        ("96.90", "96.90"),
    ],
)
def test_text_that_would_run_gets_an_apostrophe_and_numbers_do_not(text: str, out: str):
    assert guarded(text) == out
    assert unguarded(out) == text


@given(TEXTS)
def test_every_text_comes_back(text: str):
    assert unguarded(guarded(text)) == text


@given(TEXTS)
def test_nothing_but_a_number_begins_like_a_formula(text: str):
    out = guarded(text)
    assert out[:1] not in RUNS or not out or parse_amount(out) is not None


@pytest.mark.parametrize(
    ("text", "meant"), [("'=1+1", "=1+1"), ("'-5", "-5"), ("''=1", "'=1"), ("'5", "'5"), ("'", "'")]
)
def test_only_an_apostrophe_before_such_a_character_is_taken_off(text: str, meant: str):
    assert unguarded(text) == meant
