"""Audit entries as rows: their text, their links, and how they are found."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, select

from batchqc.core.audit import START, entry_sha256, first_break
from batchqc.records import audit_search
from batchqc.records.audit import (
    AuditEntry,
    AuditLink,
    AuditSubject,
    all_links,
    entries_about,
    entry_count,
    newest_link,
)
from batchqc.records.audit_search import Filed, entries_after, some_after
from batchqc.records.transaction import Actor, reading, transaction
from tests.cast import NOW, SITE_ZONE

ANA = Actor("ana", "analyst", SITE_ZONE)
BEN = Actor("ben", "analyst", "Asia/Ho_Chi_Minh")


def write(engine: Engine, *whats: str, actor: Actor = ANA, about: tuple[str, ...] = ()) -> None:
    """Each in a transaction of its own, a second apart."""
    with reading(engine) as session:
        count = entry_count(session)
    for number, what in enumerate(whats, count):
        with transaction(engine, actor, NOW + timedelta(seconds=number)) as tx:
            tx.audit(what, about=about, reason="Because", before={"a": "µ"}, after={"a": None})


def found(engine: Engine, after: int = 0, limit: int = 100, **by: str) -> list[str]:
    with reading(engine) as session:
        return [entry.what for _, entry in entries_after(session, after, limit=limit, **by)]


def test_there_is_no_link_before_the_first_entry(engine: Engine):
    with reading(engine) as session:
        assert newest_link(session) is None
        assert list(all_links(session)) == []
        assert entry_count(session) == 0


@pytest.mark.requirement("1.01")
def test_each_entry_has_one_link_to_the_one_before_it(engine: Engine):
    write(engine, "one", "two", "three")
    with reading(engine) as session:
        links = list(all_links(session))
        assert [link.sequence for link in links] == [1, 2, 3]
        assert links[0].previous == START
        assert [link.previous for link in links[1:]] == [link.sha256 for link in links[:-1]]
        assert first_break(links) is None
        assert newest_link(session) == links[-1]


def test_entries_of_one_transaction_are_linked_in_the_order_in_which_they_were_written(
    engine: Engine,
):
    with transaction(engine, ANA, NOW) as tx:
        for what in ("zebra", "ant", "mouse"):
            tx.audit(what)
    assert found(engine) == ["zebra", "ant", "mouse"]


@pytest.mark.requirement("1.51")
def test_the_text_of_an_entry_is_canonical_and_says_who_what_when_and_why(engine: Engine):
    write(engine, "changed", actor=BEN, about=("lot:MSC-26-0012",))
    with reading(engine) as session:
        row = session.scalars(select(AuditEntry)).one()
        assert row.sha256 == entry_sha256(row.text)
        assert json.loads(row.text) == {
            "type": "batchqc/audit-entry/1",
            "who": "ben",
            "role": "analyst",
            "at": "2026-06-01T12:00:00.000000Z",
            "offset_minutes": 420,
            "what": "changed",
            "why": "Because",
            "subjects": ["lot:MSC-26-0012"],
            "before": {"a": "µ"},
            "after": {"a": None},
            "records": {},
        }
        assert row.text.startswith('{"after":{"a":null},"at":"2026-06-01T12:00:00.000000Z"')


@pytest.mark.requirement("1.64")
@pytest.mark.parametrize(("month", "minutes"), [(1, -360), (7, -300)])
def test_an_entry_holds_the_offset_of_its_actors_site_on_that_day(engine, month: int, minutes: int):
    with transaction(engine, ANA, NOW.replace(month=month)) as tx:
        tx.audit("something")
    with reading(engine) as session:
        text = session.scalars(select(AuditEntry.text)).one()
    assert json.loads(text)["offset_minutes"] == minutes


@pytest.mark.requirement("1.53")
def test_entries_are_found_by_what_they_speak_of_by_whom_and_by_what(engine: Engine):
    write(engine, "one", "two", about=("lot:A",))
    write(engine, "two", "three", actor=BEN, about=("lot:A", "lot:B"))
    write(engine, "four")
    assert found(engine) == ["one", "two", "two", "three", "four"]
    assert found(engine, subject="lot:A") == ["one", "two", "two", "three"]
    assert found(engine, subject="lot:B") == ["two", "three"]
    assert found(engine, who="ben") == ["two", "three"]
    assert found(engine, what="two") == ["two", "two"]
    assert found(engine, what="two", who="ana", subject="lot:A") == ["two"]
    assert found(engine, subject="lot:C") == []


def test_entries_are_read_page_by_page(engine: Engine):
    write(engine, *"abcde")
    assert found(engine, limit=2) == ["a", "b"]
    assert found(engine, after=2, limit=2) == ["c", "d"]
    assert found(engine, after=4, limit=2) == ["e"]
    assert found(engine, after=5) == []


def test_an_entry_about_several_of_the_wanted_records_is_found_once(engine: Engine):
    write(engine, "one", about=("lot:A", "lot:B", "lot:A"))
    with reading(engine) as session:
        assert [one.what for one in entries_about(session, ["lot:A", "lot:B"])] == ["one"]
        subjects = session.scalars(select(AuditSubject.subject).order_by(AuditSubject.subject))
        assert list(subjects) == ["lot:A", "lot:B"]
        (subject,) = session.scalars(select(AuditSubject).where(AuditSubject.subject == "lot:A"))
        assert subject.natural_key == f"{subject.entry.natural_key}:lot:A"
        assert session.scalars(select(AuditLink)).one().natural_key == "1"


@pytest.mark.requirement("1.53")
@pytest.mark.parametrize("few", [0, 2, 500], ids=["many", "some few", "few"])
def test_few_and_many_are_found_alike(engine: Engine, monkeypatch: pytest.MonkeyPatch, few: int):
    write(engine, "rare", *["often"] * 3, "rare")
    write(engine, "often", "once", actor=BEN)
    monkeypatch.setattr(audit_search, "FEW", few)
    assert found(engine, what="rare") == ["rare", "rare"]
    assert found(engine, after=1, what="rare") == ["rare"]
    assert found(engine, what="often", limit=2) == ["often", "often"]
    assert found(engine, who="ben") == ["often", "once"]
    assert found(engine, who="ben", what="often") == ["often"]
    assert found(engine, who="ana", what="once") == []


@pytest.mark.requirement("1.53")
def test_few_entries_are_looked_for_by_their_ids_and_not_along_the_chain(engine: Engine):
    write(engine, *["often"] * 3)
    write(engine, "rare", actor=BEN)
    asked: list[str] = []
    with reading(engine) as session:
        event.listen(
            session.connection(), "before_cursor_execute", lambda *told: asked.append(told[2])
        )
        assert len(entries_after(session, 0, limit=50, who="ben", what="rare")) == 1
    assert "audit_entry.id IN (" in asked[-1]


@pytest.mark.requirement("1.53")
def test_a_page_reads_so_many_links_and_says_where_to_go_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    for actor, many in ((ANA, 5), (BEN, 1), (ANA, 1), (BEN, 1)):
        write(engine, *["done"] * many, actor=actor)
    monkeypatch.setattr(audit_search, "FEW", 1)
    monkeypatch.setattr(audit_search, "AT_ONCE", 3)

    def page(after: int, limit: int = 5) -> tuple[list[int], int]:
        with reading(engine) as session:
            rows, more = some_after(session, after, Filed(who="ben", what="done"), limit=limit)
            return [link.sequence for link, _ in rows], more

    assert page(0) == ([], 3)
    assert page(3) == ([6], 6)
    assert page(6) == ([8], 0)
    assert page(5, limit=1) == ([6], 6)
    assert found(engine, who="ben", what="done") == ["done", "done"]


@pytest.mark.requirement("1.53")
def test_of_many_entries_of_a_person_and_an_action_not_all_are_sorted_for_a_page(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    write(engine, *["often"] * 5)
    monkeypatch.setattr(audit_search, "FEW", 1)
    asked: list[tuple[str, object]] = []
    with reading(engine) as session:
        event.listen(
            session.connection(), "before_cursor_execute", lambda *told: asked.append(told[2:4])
        )
        assert len(some_after(session, 0, Filed(who="ana", what="often"), limit=2)[0]) == 2
    assert "audit_entry.who =" not in asked[-1][0]
    assert "audit_link.sequence <=" in asked[-1][0]
