"""What was done to a log is named by the entries that it was done to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.log_differences import differences


def leaves(text: str) -> list[bytes]:
    return [one.encode() for one in text]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("abcdefgh", []),
        ("abcdefghxyz", []),
        ("abcXefgh", ["entry 4 is another one than was held"]),
        ("aXYdefgh", ["entries 2 to 3 are others than were held"]),
        ("abcefgh", ["entry 4 is gone"]),
        ("abfgh", ["entries 3 to 5 are gone"]),
        ("abcefghx", ["entry 4 is gone"]),
        ("abcXdefgh", ["entry 4 was put in between"]),
        ("abcXYdefgh", ["entries 4 to 5 were put in between"]),
        ("Xabcdefgh", ["entry 1 was put in between"]),
        ("abdcefgh", ["entry 3 is out of its order: it stands as entry 4"]),
        ("bcdefgha", ["entry 1 is out of its order: it stands as entry 8"]),
        ("abcde", ["the log was rolled back: entries 6 to 8 of the 8 held are gone"]),
        ("abcdefg", ["the log was rolled back: entry 8 of the 8 held are gone"]),
        ("", ["the log was rolled back: entries 1 to 8 of the 8 held are gone"]),
        (
            "abcdeXY",
            [
                "entries 6 to 7 are others than were held",
                "the log was rolled back: entry 8 of the 8 held are gone",
            ],
        ),
        ("abcdeXYZU", ["entries 6 to 8 are others than were held"]),
        ("aXcdehg", ["entry 2 is another one than was held", "entry 6 is gone",
                     "entry 7 is out of its order: it stands as entry 7"]),
    ],
)  # fmt: skip
def test_what_was_done_is_named(found: str, told: list[str]):
    assert [one.said for one in differences(leaves("abcdefgh"), leaves(found))] == told


@given(st.lists(st.integers(0, 20), unique=True), st.lists(st.integers(0, 30), unique=True))
def test_nothing_is_told_of_a_log_that_goes_on_and_something_of_every_other(
    held: list[int], found: list[int]
):
    told = differences([bytes([one]) for one in held], [bytes([one]) for one in found])
    assert (not told) == (found[: len(held)] == held)


def test_where_what_is_told_of_stands_now_is_told_too():
    told = differences(leaves("abcdefgh"), leaves("abXdehg"))
    assert [one.places for one in told] == [(2,), (), (6,)]
