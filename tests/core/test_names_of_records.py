"""What may stand on a certificate as a name: one line that prints."""

import pytest

from batchqc.core.identifiers import line_problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Ana of Lakeside", None),
        ("  Ana\n", None),
        ("", "a name is missing"),
        (" \n", "a name is missing"),
        ("Ana\nof Lakeside", "a name is one line of printable characters; this one holds U+000A"),
        ("Ana\u200b Tran", "a name is one line of printable characters; this one holds U+200B"),
    ],
)
def test_a_name_is_one_printable_line(text: str, problem: str | None):
    assert line_problem("a name", text) == problem
