"""What an owner of the database does behind the triggers' back closes the gate of records."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from batchqc.actions import whole_trail
from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.dispositions import reject_lot
from batchqc.core.audit import Link
from batchqc.core.permissions import Permission
from batchqc.errors import ReleaseBlocked
from batchqc.records import audit
from batchqc.records.audit import EntryRead, trail_in_portions
from batchqc.records.schema import WITNESSED
from batchqc.records.signatures import SignatureRow
from batchqc.records.stored_bytes import NAMING
from tests.records.house import ANA, DON, DONOR, LOT, QA1, QA2, House, results, signing

CHANGED = {
    "a measurement": "UPDATE measurement SET value = '99' WHERE value = '93.40'",
    "who measured": "UPDATE measurement SET analyst = 'ben' WHERE analyst = 'ana'",
    "a run": "UPDATE assay_run SET analysts = 'ben' WHERE test = 'VIAB'",
    "an upload": "UPDATE upload SET uploaded_by = 'ben'",
    "a sample's stage": "UPDATE sample SET container = 'another'",
    "the lot's expiry": "UPDATE lot SET expires_on = '2099-01-01'",
    "the donor's tissue": "UPDATE donor SET tissue_source = 'bone marrow'",
    "the specification's bytes": "UPDATE specification_version SET file = 'another.toml'",
    "who approved": "UPDATE signature SET name = 'Somebody Else' WHERE meaning = 'approved'",
    "who reviewed": "UPDATE signature SET person_id = (SELECT id FROM person WHERE user_id = 'aud')"
    " WHERE meaning = 'reviewed'",
    "the product's name": "UPDATE product SET name = 'Another product'",
    "the site's zone": "UPDATE site SET time_zone = 'UTC'",
}


def tamper(engine: Engine, statement: str) -> None:
    """Change rows as an owner of the database can: with the triggers out of the way."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            triggers = connection.execute(
                text(
                    "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid ="
                    " t.tgrelid WHERE NOT t.tgisinternal"
                )
            )
            for table, name in triggers.all():
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER {name}"))
        else:
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type='trigger'"))
            for name in names.scalars().all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        assert connection.execute(text(statement)).rowcount > 0


@pytest.mark.requirement("1.05")
@pytest.mark.parametrize("what", CHANGED)
def test_a_changed_row_closes_the_gate_of_records_and_is_named_by_the_audit(
    house: House, what: str
):
    house.ready()
    tamper(house.engine, CHANGED[what])
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    assert any(reason.startswith("Records: ") for reason in blocked.value.reasons)
    assert house.verify().problems


@pytest.mark.requirement("1.09")
@pytest.mark.parametrize("at_once", [1, 4])
def test_a_trail_is_read_in_portions_and_nothing_of_it_is_passed_over(
    house: House, monkeypatch: pytest.MonkeyPatch, at_once: int
):
    house.ready()
    whole = house.verify()
    assert not whole.problems
    for statement in (
        "UPDATE audit_entry SET text = text || ' ' WHERE id = 3",
        "UPDATE audit_entry SET what = 'seen' WHERE id = 5",
        "UPDATE audit_subject SET subject = 'x' WHERE id = (SELECT max(id) FROM audit_subject)",
        "UPDATE audit_link SET previous = 'x' WHERE sequence = 7",
        "DELETE FROM audit_link WHERE sequence = 9",
        "DELETE FROM audit_subject WHERE entry_id = 11",
        "UPDATE audit_entry SET id = -id WHERE id = 11",
    ):
        tamper(house.engine, statement)
    named = house.verify()
    assert len(named.problems) > 5
    assert "entry 11 has an id from before its place: searches can miss it" in named.problems
    read: list[int] = []

    def portions(session: Session) -> Iterator[list[tuple[Link, EntryRead | None]]]:
        for portion in trail_in_portions(session):
            read.append(len(portion))
            yield portion

    monkeypatch.setattr(audit, "LINKS_AT_ONCE", at_once)
    monkeypatch.setattr(whole_trail, "trail_in_portions", portions)
    assert house.verify() == named
    assert sum(read) == whole.entries - 1
    assert max(read) == at_once


@pytest.mark.requirement("1.05")
def test_a_failed_run_that_was_removed_is_missed(house: House):
    house.upload(results(viability="89"))
    with pytest.raises(ReleaseBlocked):
        house.release()
    tamper(
        house.engine,
        "DELETE FROM measurement WHERE assay_run_id IN (SELECT id FROM assay_run"
        " WHERE test = 'VIAB')",
    )
    tamper(house.engine, "DELETE FROM assay_run WHERE test = 'VIAB'")
    case = house.study()
    assert any(f"/{LOT}/VIAB/" in one and "is missing" in one for one in case.facts.damaged)
    assert any("is missing" in problem for problem in house.verify().problems)


@pytest.mark.requirement("1.05")
def test_a_rejection_that_was_removed_is_missed(house: House):
    house.ready()
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1, "Label was wrong"))
    tamper(house.engine, "DELETE FROM disposition")
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release(by=QA2)
    assert any(f"disposition:{LOT}/1 is missing" in one for one in blocked.value.reasons)


@pytest.mark.requirement("1.05")
def test_a_determination_or_correction_that_was_removed_is_missed(house: House):
    house.ready()
    with house.acting(DON, Permission.DETERMINE_ELIGIBILITY) as tx:
        determine_eligibility(
            tx,
            house.archive,
            NewDetermination(DONOR, "Late test result", eligible=False),
            credentials=signing(DON),
        )
    with house.acting(ANA, Permission.REQUEST_CORRECTION) as tx:
        number = request_correction(
            tx, subject=f"lot:{LOT}", field="expires_on", after="2026-01-01", reason="Wrong year"
        ).natural_key
    with house.acting(QA2, Permission.APPROVE_CORRECTION) as tx:
        decide_correction(tx, house.archive, number=number, approve=True, credentials=signing(QA2))
    tamper(house.engine, "DELETE FROM eligibility WHERE number = 2")
    tamper(house.engine, "DELETE FROM correction_decision")
    damaged = "\n".join(house.study().facts.damaged)
    assert f"eligibility:{DONOR}/2 is missing" in damaged
    assert f"correction_decision:{number} is missing" in damaged


@pytest.mark.requirement("1.05")
def test_the_check_of_the_records_looks_at_all_bytes_that_rows_name_in_the_store(full_house: House):
    named, stored = set(), {one.name for one in full_house.archive.root.rglob("*")}
    with full_house.engine.connect() as connection:
        for table in WITNESSED:
            columns = list(table.__table__.columns)
            for row in connection.execute(select(*columns)):
                for column, value in zip(columns, row, strict=True):
                    if value in stored and table is not SignatureRow:  # it signs what others name
                        named.add((table, column.name))
    assert len(named) > 10
    assert {(table, name) for table, own in NAMING.items() for name in own} >= named
