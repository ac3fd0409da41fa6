"""DIN and Single European Code, character by character, against the published examples."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.donation_ids import (
    DonationId,
    EuropeanCode,
    IdKind,
    check_character,
    donation_id,
    european_code,
    is_checked,
    known_by,
)

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
SEC = "PL001499Z549917123456A00T041600320171231"
DINS = st.from_regex(r"[A-Z0-9]{5}[0-9]{8}", fullmatch=True)


@pytest.mark.requirement("8.08")
@pytest.mark.parametrize(
    ("din", "check"),
    [
        ("G123498654321", "H"),
        ("A999914123456", "N"),
        ("W000009000001", "W"),
        ("W000022000687", "S"),
        ("A999917123456", "9"),
    ],
)
def test_the_published_check_characters_come_out(din: str, check: str):
    assert check_character(din) == check
    assert donation_id(IdKind.DIN, din) == DonationId(IdKind.DIN, din)
    assert donation_id(IdKind.DIN, din + check) == DonationId(IdKind.DIN, din)


@pytest.mark.requirement("8.08")
@given(DINS, st.integers(0, 13), st.sampled_from(ALPHABET))
def test_every_wrong_character_is_caught(din: str, place: int, other: str):
    whole = din + check_character(din)
    changed = whole[:place] + other + whole[place + 1 :]
    assert is_checked(whole)
    assert is_checked(changed) == (changed == whole)


@pytest.mark.requirement("8.08")
@given(DINS, st.integers(0, 12))
def test_every_swap_of_neighbours_is_caught(din: str, place: int):
    whole = din + check_character(din)
    swapped = whole[:place] + whole[place + 1] + whole[place] + whole[place + 2 :]
    assert is_checked(swapped) == (swapped == whole)


@pytest.mark.requirement("8.08")
@given(DINS)
def test_exactly_one_character_of_37_checks_a_din(din: str):
    assert [one for one in ALPHABET if is_checked(din + one)] == [check_character(din)]


def test_a_wrong_check_character_is_told_with_its_place_and_the_right_one_is_not():
    (said,) = donation_id(IdKind.DIN, "G1234 98 654321 J")
    assert "character 14" in said
    assert '"H"' not in said
    assert "is H" not in said


def test_everything_wrong_in_a_din_is_told_at_once():
    said = donation_id(IdKind.DIN, "G12-4 9B 654321 &")
    assert [one.split(" is ")[0] for one in said] == [
        "character 4", "character 7", "character 14",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "G12349865432", "G1234986543210", "G12349865432100H", "G" * 15]
)
def test_a_din_of_another_length_or_check_is_refused(text: str):
    assert isinstance(donation_id(IdKind.DIN, text), tuple)


def test_a_din_is_kept_without_spaces_case_and_check_character():
    assert donation_id(IdKind.DIN, "g1234 98 654321 h") == DonationId(IdKind.DIN, "G123498654321")
    (said,) = donation_id(IdKind.DIN, "G123498б54321")
    assert "U+0431" in said


@pytest.mark.requirement("8.10")
def test_the_published_european_code_has_its_parts():
    assert european_code(SEC) == EuropeanCode(
        "PL", "001499", "Z549917123456", "A", "00T0416", "003", date(2017, 12, 31)
    )
    assert european_code(f"{SEC[:32]}00000000").expires_on is None
    with pytest.raises(ValueError):
        european_code(SEC[:39])


@pytest.mark.requirement("8.10")
def test_a_european_code_names_its_donation_by_its_first_21_characters():
    found = donation_id(IdKind.SEC, f"{SEC[:21]} {SEC[21:]}".lower())
    assert found == DonationId(IdKind.SEC, SEC)
    assert isinstance(found, DonationId)
    assert found.folded == SEC[:21].casefold()


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (SEC.replace("PL", "P1"), ["character 2"]),
        (SEC.replace("PL0014", "PL00-4").replace("A00T", "100T"), ["character 5", "character 22"]),
        (SEC[:32] + "20171331", ["characters 33 to 40"]),
        (SEC[:32] + "2017X231", ["character 37"]),
        (SEC[2:], ["a Single European Code has 40 characters"]),
    ],
)
def test_a_wrong_european_code_says_where(text: str, places: list[str]):
    said = donation_id(IdKind.SEC, text)
    assert isinstance(said, tuple)
    assert len(said) == len(places)
    assert all(one.startswith(place) for one, place in zip(said, places, strict=True))


def test_an_id_of_the_site_is_like_any_other():
    assert donation_id(IdKind.LOCAL, " DON-26-001 ") == DonationId(IdKind.LOCAL, "DON-26-001")
    assert isinstance(donation_id(IdKind.LOCAL, "SEP2"), tuple)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("G1234 98 654321 H", "g123498654321"),
        ("g123498654321", "g123498654321"),
        (SEC, SEC[:21].casefold()),
        (SEC[:21], SEC[:21].casefold()),
        (" DON-26-001", "don-26-001"),
    ],
)
def test_a_donation_is_found_by_every_form_of_its_id(text: str, known: str):
    assert known_by(text) == known
