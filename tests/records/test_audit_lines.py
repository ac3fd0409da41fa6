"""The audit trail as people look through it: every filter and page, each by an index."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import Engine, event, text

from batchqc.core.audit import START
from batchqc.errors import IntegrityFailure, InvalidInput
from batchqc.records import audit_lines
from batchqc.records.audit import AuditEntry
from batchqc.records.audit_lines import (
    TrailWanted,
    known_subjects,
    link_at,
    newest_of,
    trail_lines,
    used_values,
)
from batchqc.records.transaction import Actor, reading, transaction
from tests.cast import NOW, SITE_ZONE
from tests.records.tampering import tampering

WHO, WHAT, ABOUT = ("ana", "ben", "rev"), ("seen", "done", "sent"), ("lot:A", "lot:B", "lot:a/1")
MANY = 41


@pytest.fixture
def trail(engine: Engine) -> Engine:
    """Entries of every kind, a minute apart; the last one is by somebody who did nothing else."""
    kinds = [*product(WHO, WHAT, ABOUT)]
    for number in range(MANY):
        who, what, about = kinds[number * 7 % len(kinds)]
        at = NOW + timedelta(minutes=number)
        with transaction(engine, Actor(who, "analyst", SITE_ZONE), at) as tx:
            tx.audit(what, about=[about], reason=f"Number {number} of µ")
    return engine


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, object]]]:
    """What is asked for meanwhile."""
    asked: list[tuple[str, object]] = []

    def keep(*arguments: object) -> None:
        asked.append((str(arguments[2]), arguments[3]))

    event.listen(engine, "before_cursor_execute", keep)
    yield asked
    event.remove(engine, "before_cursor_execute", keep)


def all_of(engine: Engine, wanted: TrailWanted, limit: int = 4) -> list[int]:
    """The places of every entry that is wanted, page by page."""
    found: list[int] = []
    after = 0
    with reading(engine) as session:
        while True:
            page = trail_lines(session, wanted, after=after, limit=limit)
            found += [link.sequence for link, _ in page.lines]
            after = page.more
            if not after:
                return found


@pytest.mark.requirement("1.09")
def test_every_filter_finds_what_it_says_newest_first_whatever_the_page(trail: Engine):
    with reading(trail) as session:
        every = [
            (n, one.who, one.what, f"{one.text}", one.at)
            for n in range(1, MANY + 1)
            if (found := link_at(session, n)) and (one := found[1])
        ]
    since, until = NOW + timedelta(minutes=9), NOW + timedelta(minutes=31)
    for who, what, about, days in product(
        ("", "ben", "nobody"), ((), ("done",), ("done", "sent")), ("", "lot:A"), (False, True)
    ):
        wanted = TrailWanted(
            subjects=(about,) if about else (), who=who, what=what,
            since=since if days else None, until=until if days else None,
        )  # fmt: skip
        right = [
            n for n, by, did, said, at in reversed(every)
            if (not who or by == who) and (not what or did in what)
            and (not about or f'"{about}"' in said) and (not days or since <= at < until)
        ]  # fmt: skip
        assert all_of(trail, wanted) == right, wanted
    both = all_of(trail, TrailWanted(subjects=("lot:A", "lot:B"), but=("seen",)))
    assert both == [
        n for n, _by, did, said, _at in reversed(every)
        if did != "seen" and ('"lot:A"' in said or '"lot:B"' in said)
    ]  # fmt: skip


def test_a_word_is_looked_for_in_so_many_entries_at_once(
    trail: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(audit_lines, "WINDOW", 10)
    assert all_of(trail, TrailWanted(word="NUMBER 4 OF")) == [5]
    assert all_of(trail, TrailWanted(word="µ")) == list(range(MANY, 0, -1))
    assert all_of(trail, TrailWanted(word="100%")) == []
    with reading(trail) as session:
        page = trail_lines(session, TrailWanted(word="number 4 of"), limit=4)
        assert ([*page.lines], page.more) == ([], MANY - 9)
        with pytest.raises(InvalidInput, match="999"):
            trail_lines(session, TrailWanted(), after=999, limit=1)


def test_what_can_be_asked_for_is_found_by_steps_in_the_index(trail: Engine):
    with reading(trail) as session:
        assert used_values(session, AuditEntry.what) == sorted(WHAT)
        assert used_values(session, AuditEntry.who) == sorted(WHO)
        assert known_subjects(session, ["lot:A", "lot:C"]) == ("lot:A",)
        newest = newest_of(session, "done")
        assert newest is not None
        assert newest[1].what == "done"
        assert newest_of(session, "never") is None
        first = link_at(session, 1)
        assert first is not None
        assert first[0].previous == START
        assert link_at(session, 999) is None


@pytest.mark.requirement("1.05")
@pytest.mark.parametrize("wanted", [TrailWanted(), TrailWanted(since=NOW), TrailWanted(word="µ")])
def test_entries_that_somebody_took_out_of_the_chain_are_not_passed_over(
    trail: Engine, wanted: TrailWanted
):
    with tampering(trail) as connection:
        connection.execute(text("DELETE FROM audit_link WHERE sequence IN (30, 31)"))
    for limit in (1, 2, 20):
        with pytest.raises(IntegrityFailure, match="have no place") as told:
            all_of(trail, wanted, limit)
        assert told.value.code == "BQC-AUD-005"


@pytest.mark.requirement("11.01")
def test_each_page_is_found_by_an_index_and_sorted_by_none(trail: Engine):
    since = NOW + timedelta(minutes=9)
    wanted = (
        TrailWanted(), TrailWanted(who="ben"), TrailWanted(what=("done",)),
        TrailWanted(subjects=("lot:A",)), TrailWanted(since=since), TrailWanted(but=("seen",)),
    )  # fmt: skip
    is_sqlite = trail.dialect.name == "sqlite"
    with trail.connect() as connection, reading(trail) as session:
        if not is_sqlite:
            connection.execute(text("SET enable_seqscan = off"))
        for one in wanted:
            with statements(trail) as asked:
                trail_lines(session, one, after=30, limit=5)
            for statement, given in asked:
                explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
                plan = [
                    str(row[-1])
                    for row in connection.exec_driver_sql(explain + statement, given)  # type: ignore[arg-type]
                ]
                told = (one, statement, plan)
                assert not any("Seq Scan" in step for step in plan), told
                # SQLite scans a table by its own key, which is the order that is asked for
                assert not any("TEMP B-TREE" in step for step in plan), told
