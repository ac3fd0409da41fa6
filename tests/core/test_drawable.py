"""Which characters certificates can show."""

import pytest

from batchqc.core.drawable import DRAWABLE, undrawable, undrawable_within
from batchqc.core.identifiers import line_problem


@pytest.mark.parametrize(
    "text",
    [
        *("", "plain", "Nguyễn Thị Minh Anh", "Nguye\u0302\u0303n", "5 × 10⁶ cells/mL"),
        *("\u041c\u043e\u0441\u043a\u0432\u0430", "\u0391\u03b8\u03ae\u03bd\u03b1"),
        *("IFN-γ ≥ 95 %", "two\nlines", "IFN-γ\n≥ 95 %", "µg\u00a0mL", "Łódź, Îles, Größe, España"),
    ],
)
def test_the_signs_of_the_field_and_of_its_languages_are_shown(text: str):
    assert undrawable(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("间充质", "U+95F4 (CJK UNIFIED IDEOGRAPH-95F4)"),
        ("Lot 🧬", "U+1F9EC (DNA DOUBLE HELIX)"),
        ("שלום", "U+05E9 (HEBREW LETTER SHIN)"),
        ("a\ue000", "U+E000 (unnamed)"),
        ("Ana\u200bTran", "U+200B (ZERO WIDTH SPACE)"),
        ("Viab\x07ility", "U+0007 (unnamed)"),
        ("Viability\x00", "U+0000 (unnamed)"),
    ],
)
def test_a_character_that_no_font_draws_is_named(text: str, said: str):
    assert undrawable(text) == said


def test_a_line_says_which_character_cannot_be_shown():
    assert line_problem("the title", "间充质") == (
        "the title is printed on certificates, and no font of theirs draws U+95F4 (CJK UNIFIED"
        " IDEOGRAPH-95F4)"
    )
    assert line_problem("the title", "Größe") is None


def test_every_text_within_is_told_with_its_place():
    value = {
        "title": "间",
        "criteria": [{"unit": "%", "n": 1}, {"notes": ("ok", "\U0001f9ec")}],
        "": None,
    }
    assert list(undrawable_within(value)) == [
        "title: no font of the certificates draws U+95F4 (CJK UNIFIED IDEOGRAPH-95F4)",
        "criteria, 2.notes, 2: no font of the certificates draws U+1F9EC (DNA DOUBLE HELIX)",
    ]


def test_a_name_of_a_table_is_a_text_too():
    value = {"vocabularies": {"growth": {"no growth\x00": ["-"]}}, "细": 1}
    assert list(undrawable_within(value)) == [
        "vocabularies.growth: no font of the certificates draws U+0000 (unnamed) in a name",
        "no font of the certificates draws U+7EC6 (CJK UNIFIED IDEOGRAPH-7EC6) in a name",
    ]


def test_the_table_holds_thousands_and_ascii():
    assert len(DRAWABLE) > 5000
    assert all(chr(code) in DRAWABLE for code in range(0x20, 0x7F))
