"""What is written at the end of the chain: in one order, and with few questions behind its lock."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event, select

from batchqc.actions.registers import register_donor
from batchqc.core.permissions import Permission
from batchqc.records.audit import AuditEntry, AuditLink
from batchqc.records.events import EventRow
from batchqc.records.last_words import LastWords, Statement
from batchqc.records.transaction import SYSTEM, transaction
from tests.records.house import DON, House

pytestmark = pytest.mark.requirement("1.05")


def test_ids_and_events_of_people_at_once_stand_in_the_order_of_the_chain(house: House):
    def donors(person: int) -> None:
        for number in range(4):
            with house.acting(DON, Permission.REGISTER_DONOR) as tx:
                register_donor(tx, code=f"DNR-{person}{number}", tissue_source="umbilical cord")
                tx.audit("noted", about=[f"donor:DNR-{person}{number}"])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(donors, range(6)))
    with house.reading() as session:
        query = select(AuditEntry.id, EventRow.number)
        query = query.join(AuditLink, AuditLink.entry_sha256 == AuditEntry.sha256)
        query = query.outerjoin(EventRow, EventRow.sequence == AuditLink.sequence)
        found = session.execute(query.order_by(AuditLink.sequence)).all()
        ids, numbers = [row[0] for row in found], [row[1] for row in found if row[1]]
    assert ids == sorted(ids)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 24


@pytest.mark.only_on("postgresql", "SQLite is in the process: nothing is sent")
def test_the_lock_and_everything_behind_it_is_sent_with_the_commit(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    sent: list[str] = []
    last: list[Any] = []
    say = LastWords.say_last

    def watch(own: LastWords, statements: Sequence[Statement]) -> None:
        last.extend(statements)
        say(own, statements)

    monkeypatch.setattr(LastWords, "say_last", watch)
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        event.listen(
            tx.session.connection(), "before_cursor_execute", lambda *told: sent.append(told[2])
        )
        for number in range(3):
            tx.audit("donor registered", about=[f"donor:DNR-{number}", "site:x"])
    (notice,) = sent  # it wakes workers, before the lock
    assert "pg_notify" in notice
    (hold, _), (write, _) = last
    assert "pg_advisory_xact_lock" in hold
    assert write.count("INSERT INTO") == 4
