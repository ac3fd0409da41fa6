"""What is asked once while a lot is looked at, and anew whenever somebody looks again."""

from collections.abc import Iterable

import pytest
from sqlalchemy.orm import Session

from batchqc.records.once import each_once, once, tell

ASKED: list[tuple[object, ...]] = []


@once
def asks(session: Session, what: Iterable[int], *, more: str = "") -> int:
    ASKED.append((*what, more))
    return len(ASKED)


@each_once
def looks(session: Session) -> list[int]:
    return [
        asks(session, [1, 2]), asks(session, (one for one in (1, 2))), looks_beside(session),
        asks(session, [2, 1]), asks(session, [1, 2], more="x"),
    ]  # fmt: skip


@each_once
def looks_beside(session: Session) -> int:
    return asks(session, (1, 2))


@each_once
def fails(session: Session) -> None:
    asks(session, [1])
    raise ValueError


def test_the_same_is_asked_once_until_the_look_ends_and_anew_in_the_next():
    ASKED.clear()
    with Session() as session:
        assert looks(session) == [1, 1, 1, 2, 3]
        assert looks(session) == [4, 4, 4, 5, 6]
    assert ASKED == [(1, 2, ""), (2, 1, ""), (1, 2, "x")] * 2


def test_without_a_look_it_is_asked_every_time_also_after_a_look_that_failed():
    ASKED.clear()
    with Session() as session:
        with pytest.raises(ValueError):
            fails(session)
        assert [asks(session, [1]), asks(session, [1])] == [2, 3]


@once
def asks_nothing(session: Session) -> int:
    return asks(session, ())


def test_what_another_query_found_is_not_asked_until_the_look_ends():
    @each_once
    def looks_at_both(session: Session) -> list[int]:
        tell(session, asks_nothing, 7)
        tell(session, asks_nothing, 8)  # the first answer stays, as whoever asked it knows it
        return [asks_nothing(session), asks_nothing(session)]

    ASKED.clear()
    with Session() as session:
        assert looks_at_both(session) == [7, 7]
        tell(session, asks_nothing, 9)  # nobody looks: nothing is remembered
        assert asks_nothing(session) == 1


def test_two_sessions_know_nothing_of_each_other():
    ASKED.clear()

    @each_once
    def looks_twice(session: Session, other: Session) -> list[int]:
        return [asks(session, [1]), looks_beside(other), asks(session, [1])]

    with Session() as session, Session() as other:
        assert looks_twice(session, other) == [1, 2, 1]
