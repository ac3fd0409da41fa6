"""Which version judges a lot: from its effective date until the next version's, or a withdrawal."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.effectivity import State, for_market, in_force, state_of_approved


@dataclass(frozen=True)
class Version:
    name: str
    effective: date
    withdrawn_from: date | None = None


def day(number: int) -> date:
    return date(2026, 1, 1) + timedelta(days=number)


ONE, TWO = Version("v1", day(0)), Version("v2", day(10))


@pytest.mark.requirement("3.04")
@pytest.mark.parametrize(
    ("versions", "on", "name"),
    [
        ((ONE, TWO), -1, None),
        ((ONE, TWO), 0, "v1"),
        ((ONE, TWO), 9, "v1"),
        ((TWO, ONE), 10, "v2"),
        ((ONE, TWO), 400, "v2"),
        ((), 0, None),
        ((ONE, Version("v2", day(10), day(20))), 19, "v2"),
        ((ONE, Version("v2", day(10), day(20))), 20, None),
        ((ONE, Version("v2", day(10), day(10))), 15, "v1"),
        ((ONE, Version("v2", day(10), day(5))), 15, "v1"),
        ((Version("v1", day(0), day(5)), TWO), 7, None),
        ((Version("v1", day(0), day(5)), TWO), 10, "v2"),
    ],
)
def test_one_version_judges_a_lot_or_none(versions: tuple[Version, ...], on: int, name: str | None):
    found = in_force(versions, day(on))
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("one", "today", "state"),
    [
        (ONE, 5, State.EFFECTIVE),
        (ONE, 10, State.SUPERSEDED),
        (TWO, 9, State.APPROVED),
        (TWO, 10, State.EFFECTIVE),
        (Version("v3", day(30), day(40)), 35, State.EFFECTIVE),
        (Version("v3", day(30), day(40)), 40, State.WITHDRAWN),
        (Version("v3", day(30), day(20)), 5, State.WITHDRAWN),
    ],
)
def test_a_version_says_how_it_stands(one: Version, today: int, state: State):
    versions = [other for other in (ONE, TWO) if other.name != one.name] + [one]
    assert state_of_approved(one, versions, day(today)) is state


@given(
    st.dictionaries(st.integers(0, 30), st.one_of(st.none(), st.integers(0, 40)), max_size=5),
    st.integers(-5, 45),
)
def test_never_two_versions_on_one_day(starts: dict[int, int | None], on: int):
    versions = [
        Version(str(start), day(start), None if end is None else day(end))
        for start, end in starts.items()
    ]
    found = in_force(versions, day(on))
    states = [state_of_approved(one, versions, day(on)) for one in versions]
    assert states.count(State.EFFECTIVE) == (found is not None)
    if found is not None:
        assert found.effective <= day(on)
        assert found.withdrawn_from is None or found.withdrawn_from > day(on)


@pytest.mark.requirement("3.04")
@pytest.mark.parametrize(
    ("market", "on", "name"),
    [
        ("EU", 5, "every"),
        ("EU", 10, "eu"),
        ("EU", 20, None),  # its own has ended: it does not fall back
        ("US", 10, "every"),
        ("", 0, "every"),
        ("", -1, None),
    ],
)
def test_a_market_is_judged_by_its_own_version_else_by_that_for_every_market(
    market: str, on: int, name: str | None
):
    never = Version("never", day(0), day(0))
    versions = {"": [Version("every", day(0))], "EU": [never, Version("eu", day(10), day(20))]}
    found = for_market(versions, market, day(on))
    assert (found.name if found else None) == name
