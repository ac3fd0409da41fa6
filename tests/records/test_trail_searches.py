"""What is asked of a trail that grows is found by an index of just that."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from batchqc.core.audit_review import OF_PEOPLE
from batchqc.records.audit_search import Filed, some_after
from batchqc.records.lot_reviews import trail_about, trail_of_people
from batchqc.records.transaction import Actor, reading, transaction
from tests.cast import NOW, SITE_ZONE

ANA, BEN, EVE = "person:ana", "person:ben", "person:eve"
#: Actions with what each is about; the places of entries are those in this list, from 1 on.
WRITTEN = (
    ("account registered", ANA), ("role granted", ANA), ("signed in", ANA),
    ("account registered", BEN), ("results reviewed", "lot:A"), ("password accepted", BEN),
    ("role withdrawn", BEN), ("signed in", BEN), ("role granted", EVE),
    ("nobody classified this", ANA), ("role granted", "lot:A"),
)  # fmt: skip


@pytest.fixture
def trail(engine: Engine) -> Engine:
    actor = Actor("adam", "admin", SITE_ZONE)
    for number, (what, about) in enumerate(WRITTEN):
        with transaction(engine, actor, NOW + timedelta(seconds=number)) as tx:
            tx.audit(what, about=[about])
    return engine


@pytest.mark.requirement("1.56")
@pytest.mark.parametrize("after", range(len(WRITTEN) + 2))
def test_of_people_everything_is_read_but_what_they_do_every_day(trail: Engine, after: int):
    people = [ANA, BEN]
    with reading(trail) as session:
        found = trail_of_people(session, people, after=after)
        assert found == trail_about(session, people, after=after, but=OF_PEOPLE)
        assert [place for place, _ in found] == [one for one in (1, 2, 4, 7, 10) if one > after]
        assert trail_of_people(session, [], after=after) == []


@pytest.mark.requirement("1.53")
@pytest.mark.parametrize("after", range(len(WRITTEN) + 2))
def test_entries_of_an_action_stand_in_the_order_of_the_chain(trail: Engine, after: int):
    pages, more = [], after
    with reading(trail) as session:
        while not pages or more:
            found, more = some_after(session, more, Filed(what="role granted"), limit=1)
            pages.append([link.sequence for link, _ in found])
    assert pages == ([[one] for one in (2, 9, 11) if one > after] or [[]])


@pytest.mark.requirement("1.53")
@pytest.mark.parametrize("after", range(len(WRITTEN) + 2))
def test_entries_of_a_person_stand_in_the_order_of_the_chain(trail: Engine, after: int):
    for place in range(3):
        with transaction(trail, Actor("otto", "admin", SITE_ZONE), NOW) as tx:
            tx.audit("role granted", about=[f"lot:{place}"])
    own, pages, more = [12, 13, 14], [], after
    with reading(trail) as session:
        while not pages or more:
            found, more = some_after(session, more, Filed(who="otto"), limit=2)
            pages.append([link.sequence for link, _ in found])
        nobody, _ = some_after(session, 0, Filed(who="nobody"), limit=2)
    assert nobody == []
    assert [one for page in pages for one in page] == [one for one in own if one > after]
    assert all(len(one) == 2 for one in pages[:-1])


def _people(session: Session) -> object:
    return trail_of_people(session, [ANA, BEN], after=2)


def _action(session: Session) -> object:
    return some_after(session, 2, Filed(what="signed in"), limit=5)


def _person(session: Session) -> object:
    return some_after(session, 2, Filed(who="adam"), limit=5)


@pytest.mark.parametrize(
    ("ask", "by"),
    [
        (_people, {"sqlite": "ix_audit_entry_of_people", "postgresql": "ix_audit_entry_of_people"}),
        (_action, {"sqlite": "ix_audit_entry_what", "postgresql": "ix_audit_entry_what_id"}),
        (_person, {"sqlite": "ix_audit_entry_who", "postgresql": "ix_audit_entry_who_id"}),
    ],
)
def test_it_is_found_by_its_index(
    trail: Engine, ask: Callable[[Session], object], by: dict[str, str]
):
    explain = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}[trail.dialect.name]
    said: list[tuple[str, object]] = []
    with reading(trail) as session:
        event.listen(
            session.connection(), "before_cursor_execute", lambda *told: said.append(told[2:4])
        )
        ask(session)
    with trail.connect() as connection:
        if trail.dialect.name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")
        plan = str(connection.exec_driver_sql(explain + said[-1][0], said[-1][1]).all())
    assert by[trail.dialect.name] in plan
