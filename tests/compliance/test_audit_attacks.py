"""What an owner of the database does behind switched-off triggers: the first broken thing is named.

The owner covers the tracks: triggers are back in place when somebody looks.
"""

# ruff: noqa: S608 - statements are made of our own names

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache

import pytest
from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.orm import Session

from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.actions.run_facts import review_content
from batchqc.actions.verification import verify_audit_trail
from batchqc.core.audit import Link, entry_sha256, next_link
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Signing
from batchqc.documents.archive import FolderArchive
from batchqc.errors import ReleaseBlocked
from batchqc.records.audit import AuditEntry, AuditLink, all_links
from batchqc.records.people import Person
from batchqc.records.registers import LotRow
from batchqc.records.schema import WITNESSED
from batchqc.records.signatures import SignatureRow
from batchqc.records.uploads import AssayRun, Review, Upload
from tests.cast import TAKEN_AT
from tests.databases import Databases
from tests.records.full_house import full_copy
from tests.records.house import (
    ANA,
    DONOR,
    EXPIRES_ON,
    LOT,
    MADE_ON,
    PRODUCT,
    REV,
    House,
    alone,
    results,
)
from tests.records.tampering import CONTENT, append, columns_of, tamper, tampering

Opened = Callable[[str], tuple[Connection, House]]

RUN = f"assay_run:U-2026-000002/{LOT}/VIAB/VCB-250520-01"
BESIDE_THE_TRAIL = {"job_progress"}
"""How far a job has come: it is shown while it runs, and nothing rests on it."""
AT_20 = " WHERE sha256 = (SELECT entry_sha256 FROM audit_link WHERE sequence = 20)"
OF_VIABILITY = "assay_run_id IN (SELECT id FROM assay_run WHERE test = 'VIAB')"


def first_problem(house: House) -> str:
    check = house.verify()
    return check.problems[0] if check.problems else ""


def sequence_of(house: House, record: str) -> int:
    """The place of the entry that witnesses a row."""
    with house.reading() as session:
        query = select(AuditLink.sequence, AuditEntry.text).join(
            AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256
        )
        return next(
            place
            for place, entry in session.execute(query)
            if record in json.loads(entry)["records"]
        )


def test_an_untouched_house_verifies_and_tells_its_entries_and_its_head(full_house: House):
    check = full_house.verify()
    assert check.problems == ()
    with full_house.reading() as session:
        links = list(all_links(session))
        assert check.entries == session.scalar(select(func.count(AuditEntry.id))) == len(links)
    assert check.head == links[-1]


EXTRA = ", ".join(f'"{one.name}"' for one in CONTENT["measurement"].columns if one.name != "id")
CHANGES = {
    "a measurement": (RUN, f"UPDATE measurement SET value = '99.40' WHERE {OF_VIABILITY}"),
    "a lost zero": (RUN, f"UPDATE measurement SET value = '93.4' WHERE {OF_VIABILITY}"),
    "a deleted measurement": (RUN, f"DELETE FROM measurement WHERE {OF_VIABILITY}"),
    "an extra measurement": (
        RUN,
        f"INSERT INTO measurement ({EXTRA}) SELECT {EXTRA} FROM measurement WHERE {OF_VIABILITY}",
    ),
    "who measured": (RUN, "UPDATE assay_run SET analysts = 'ben' WHERE test = 'VIAB'"),
    "a lot": (f"lot:{LOT}", "UPDATE lot SET expires_on = '2031-01-01'"),
    "a signature": (
        "signature:S-2026-000004",
        "UPDATE signature SET reason = 'Another reason' WHERE number = 4",
    ),
    "a disposition": (f"disposition:{LOT}/1", "UPDATE disposition SET disposition = 'rejected'"),
    "a password": ("password:ana/2", "UPDATE password SET hash = 'mine' WHERE number = 2"),
    "a deleted answer": ("answer:aud/k", "DELETE FROM answer"),
}


@pytest.mark.requirement("1.01")
@pytest.mark.parametrize("what", CHANGES)
def test_the_first_broken_record_is_named_with_its_entry(full_house: House, what: str):
    key, statement = CHANGES[what]
    sequence = sequence_of(full_house, key)
    tamper(full_house.engine, statement)
    problem = first_problem(full_house)
    assert key in problem
    assert f"entry {sequence}" in problem


@pytest.mark.requirement("1.01")
def test_of_several_broken_records_the_one_of_the_first_entry_is_named_first(full_house: House):
    tamper(
        full_house.engine,
        "UPDATE disposition SET disposition = 'rejected'",
        "UPDATE product SET name = 'Another'",
        f"UPDATE measurement SET value = '99' WHERE {OF_VIABILITY}",
    )
    named = [one.split(" is not ")[0].split(" are not ")[0] for one in full_house.verify().problems]
    assert named == ["product:UC-MSC", f"the measurements of {RUN}", f"disposition:{LOT}/1"]


@pytest.fixture(scope="module")
def opened(databases: Databases, shared_archive: FolderArchive) -> Iterator[Opened]:
    """By kind, a full house whose triggers are out of the way; whoever uses it undoes all of it."""
    with ExitStack() as stack:

        @cache
        def open_by(kind: str) -> tuple[Connection, House]:
            engine = stack.enter_context(full_copy(databases, kind, shared_archive))
            connection = stack.enter_context(tampering(engine))
            return connection, House(engine, shared_archive)

        yield open_by


@pytest.fixture
def untracked(database: str, opened: Opened) -> Iterator[tuple[Connection, House]]:
    """A full house, and a connection of its owner without triggers; what it does is undone."""
    connection, house = opened(database)
    doing = connection.begin_nested()
    yield connection, house
    doing.rollback()


@pytest.mark.requirement("1.01")
@pytest.mark.parametrize("table", sorted(CONTENT.keys() - BESIDE_THE_TRAIL))
def test_a_row_deleted_from_any_table_is_missed(untracked: tuple[Connection, House], table: str):
    connection, house = untracked
    numbers = connection.scalars(text(f"SELECT id FROM {table} ORDER BY id")).all()
    tried = {numbers[0], numbers[len(numbers) // 2], numbers[-1]}
    kind = next((one for one in WITNESSED if one.__tablename__ == table), None)
    if kind is None:  # no entry names them one by one
        for number in tried:
            deleting = connection.begin_nested()
            assert told_without(connection, house, table, {number}), number
            deleting.rollback()
        return
    with Session(connection) as session:
        keys = [row.key for row in session.scalars(select(kind).where(kind.id.in_(tried)))]
    told = told_without(connection, house, table, tried)
    assert len(keys) == len(tried)
    for key in keys:
        assert [one for one in told if one.startswith(f"{key} is missing; entry ")], key


def test_what_was_deleted_is_undone_before_somebody_else_deletes(
    untracked: tuple[Connection, House],
):
    """Else a problem that is told would be that of another table."""
    connection, house = untracked
    with Session(connection) as session:
        problems = verify_audit_trail(session, house.archive).problems
    assert [one for one in problems if "append-only" not in one] == []


def told_without(
    connection: Connection, house: House, table: str, numbers: Collection[int]
) -> list[str]:
    """What is told once some rows of a table are gone, but for the triggers that are."""
    gone = ", ".join(map(str, numbers))
    connection.exec_driver_sql(f"DELETE FROM {table} WHERE id IN ({gone})")
    with Session(connection) as session:
        check = verify_audit_trail(session, house.archive)
    return [one for one in check.problems if "append-only" not in one]


@pytest.mark.requirement("1.05")
def test_triggers_that_are_out_of_the_way_are_named(full_house: House):
    with tampering(full_house.engine) as connection, Session(connection) as session:
        problems = verify_audit_trail(session, full_house.archive).problems
    assert problems == tuple(
        f"table {table} can be changed: a trigger that kept it append-only is not in place"
        for table in sorted(CONTENT)
    )
    assert full_house.verify().problems == ()


@pytest.mark.requirement("1.01")
def test_a_row_that_was_inserted_without_an_entry_is_named(full_house: House):
    with full_house.engine.begin() as connection:  # INSERT is all that the running system may do
        connection.execute(
            text(
                "INSERT INTO role_change (person_id, number, role, granted, changed_at)"
                " SELECT id, 2, 'QA', 1, '2026-06-01T12:00:00.000000Z' FROM person"
                " WHERE user_id = 'ana'"
            )
        )
    assert first_problem(full_house) == f"no entry mentions role_change:{ANA}/2"


def test_a_changed_entry_is_named_before_what_it_leaves_without_an_entry(full_house: House):
    tamper(full_house.engine, "UPDATE audit_entry SET text = replace(text, 'who', 'how')" + AT_20)
    assert first_problem(full_house).startswith("entry 20 was changed")


class TestTheTrailItself:
    """Entries and links that were changed, removed, moved or added."""

    @pytest.mark.requirement("1.05")
    def test_a_changed_entry_is_named(self, full_house: House):
        tamper(
            full_house.engine,
            'UPDATE audit_entry SET text = replace(text, \'"why":"\', \'"why":"not \')'
            " WHERE sha256 = (SELECT entry_sha256 FROM audit_link WHERE sequence = 20)",
        )
        problems = full_house.verify().problems
        assert "entry 20 was changed: its text has another hash" in problems

    @pytest.mark.requirement("1.05")
    def test_a_changed_entry_with_the_right_hash_is_missed_in_the_chain(self, full_house: House):
        engine = full_house.engine
        with tampering(engine) as connection:
            old, stored = connection.execute(
                text(
                    "SELECT e.sha256, e.text FROM audit_entry e JOIN audit_link l"
                    " ON l.entry_sha256 = e.sha256 WHERE l.sequence = 20"
                )
            ).one()
            changed = stored.replace('"why":"', '"why":"not ')
            connection.execute(
                text("UPDATE audit_entry SET text = :text, sha256 = :sha256 WHERE sha256 = :old"),
                {"text": changed, "sha256": entry_sha256(changed), "old": old},
            )
        problems = full_house.verify().problems
        assert "entry 20 is missing; its link is there" in problems
        assert any("stands outside the chain" in one for one in problems)

    @pytest.mark.requirement("1.05")
    def test_who_searches_for_it_in_vain_is_told(self, full_house: House):
        tamper(
            full_house.engine,
            f"UPDATE audit_entry SET who = 'ben'{AT_20}",
        )
        assert first_problem(full_house) == "entry 20 is filed under other words than its own"

    @pytest.mark.requirement("1.05")
    def test_a_removed_subject_is_named(self, full_house: House):
        place = sequence_of(full_house, f"disposition:{LOT}/1")
        tamper(
            full_house.engine, f"DELETE FROM audit_subject WHERE subject = 'disposition:{LOT}/1'"
        )
        assert first_problem(full_house) == f"entry {place} is filed under other words than its own"

    @pytest.mark.requirement("1.05")
    def test_a_removed_entry_is_named(self, full_house: House):
        tamper(
            full_house.engine,
            f"DELETE FROM audit_subject WHERE entry_id IN (SELECT id FROM audit_entry{AT_20})",
            f"DELETE FROM audit_entry{AT_20}",
        )
        assert "entry 20 is missing; its link is there" in full_house.verify().problems

    @pytest.mark.requirement("1.05")
    def test_a_removed_link_is_named(self, full_house: House):
        tamper(full_house.engine, "DELETE FROM audit_link WHERE sequence = 20")
        problems = full_house.verify().problems
        assert "entry 20 is missing (found 21 in its place)" in problems
        assert any("stands outside the chain" in one for one in problems)

    @pytest.mark.requirement("1.05")
    def test_swapped_links_are_named(self, full_house: House):
        tamper(
            full_house.engine,
            "UPDATE audit_link SET sequence = -1 WHERE sequence = 20",
            "UPDATE audit_link SET sequence = 20 WHERE sequence = 21",
            "UPDATE audit_link SET sequence = 21 WHERE sequence = -1",
        )
        assert first_problem(full_house) == "entry 20 does not follow from the one before it"

    @pytest.mark.requirement("1.05")
    def test_swapped_entries_under_their_links_are_named(self, full_house: House):
        with full_house.reading() as session:
            first, second = session.scalars(
                select(AuditLink.entry_sha256)
                .where(AuditLink.sequence.in_((20, 21)))
                .order_by(AuditLink.sequence)
            ).all()
        tamper(
            full_house.engine,
            "UPDATE audit_link SET entry_sha256 = 'aside' WHERE sequence = 20",
            f"UPDATE audit_link SET entry_sha256 = '{first}' WHERE sequence = 21",
            f"UPDATE audit_link SET entry_sha256 = '{second}' WHERE sequence = 20",
        )
        assert first_problem(full_house) == "entry 20 does not follow from the one before it"

    @pytest.mark.requirement("1.05")
    def test_a_link_that_was_inserted_is_named(self, full_house: House):
        with full_house.reading() as session:
            head = list(all_links(session))[-1]
        with full_house.engine.begin() as connection:
            link = next_link(head, "f" * 64)
            connection.execute(insert(AuditLink.__table__).values(**columns_of(link)))
        place = head.sequence + 1
        assert first_problem(full_house) == f"entry {place} is missing; its link is there"

    @pytest.mark.requirement("1.05")
    def test_a_row_is_witnessed_once_a_second_entry_does_not_change_it(self, full_house: House):
        tamper(full_house.engine, "UPDATE lot SET expires_on = '2031-01-01'")
        with full_house.reading() as session:
            lot = session.scalars(select(LotRow).where(LotRow.lot == LOT)).one()
            records = {lot.key: lot.content_sha256}
        place = sequence_of(full_house, f"lot:{LOT}")
        append(full_house, records)
        check = full_house.verify()
        assert f"lot:{LOT} is not as entry {place} says" in check.problems
        assert f"entry {check.entries} speaks of lot:{LOT} as new once more" in check.problems

    @pytest.mark.requirement("1.05")
    def test_a_chain_that_was_written_anew_has_another_head(self, full_house: House):
        with full_house.reading() as session:
            old = list(all_links(session))
            stored = session.scalars(
                select(AuditEntry.text).where(AuditEntry.sha256 == old[19].entry_sha256)
            ).one()
        changed = stored.replace('"why":"', '"why":"not ')
        head: Link | None = None
        with tampering(full_house.engine) as connection:
            entry = update(AuditEntry.__table__).where(AuditEntry.sha256 == old[19].entry_sha256)
            connection.execute(entry.values(text=changed, sha256=entry_sha256(changed)))
            for link in old:
                is_it = link.sequence == 20
                head = next_link(head, entry_sha256(changed) if is_it else link.entry_sha256)
                row = update(AuditLink.__table__).where(AuditLink.sequence == link.sequence)
                connection.execute(row.values(**columns_of(head)))
        named = [one for one in full_house.verify().problems if "is not the one that" in one]
        assert any(f"disposition:{LOT}/1 names" in one for one in named)
        assert any("certificate:COA-2026-000001 names" in one for one in named)


READY = {
    "a changed measurement": f"UPDATE measurement SET value = '99.40' WHERE {OF_VIABILITY}",
    "a deleted measurement": f"DELETE FROM measurement WHERE {OF_VIABILITY}",
    "an extra measurement": CHANGES["an extra measurement"][1],
    "a measurement of another run": (
        "UPDATE measurement SET assay_run_id = (SELECT min(id) FROM assay_run)"
        f" WHERE {OF_VIABILITY}"
    ),
    "a changed run": "UPDATE assay_run SET analysts = 'ben' WHERE test = 'VIAB'",
    "a run of other measurements": "UPDATE assay_run SET measurements_sha256 = ''",
    "a review under another signature": (
        "UPDATE review SET signature_id = (SELECT min(id) FROM signature)"
        " WHERE id = (SELECT min(id) FROM review)"
    ),
    "a deleted review": "DELETE FROM review WHERE id = (SELECT min(id) FROM review)",
    "another reviewer": (
        "UPDATE signature SET person_id = (SELECT id FROM person WHERE user_id = 'qa2')"
        " WHERE meaning = 'reviewed'"
    ),
}


@pytest.mark.requirement("1.01")
@pytest.mark.requirement("1.15")
@pytest.mark.parametrize("what", READY)
def test_a_lot_whose_records_were_tampered_with_is_not_released(house: House, what: str):
    house.ready()
    assert house.study().is_ready
    tamper(house.engine, READY[what])
    case = house.study()
    assert case.facts.damaged
    assert not case.is_ready
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    assert any(reason.startswith("Records: ") for reason in blocked.value.reasons)
    assert house.verify().problems


@pytest.mark.requirement("1.15")
def test_a_review_that_was_made_in_the_database_releases_nothing(house: House):
    """A running system in wrong hands: it may insert, so it makes signature and review itself."""
    house.upload(results())
    with Session(house.engine) as session:
        runs = session.scalars(select(AssayRun)).all()
        person = session.scalars(select(Person).where(Person.user_id == REV)).one()
        signing = Signing(
            REV, person.name, "reviewer", Meaning.REVIEWED, "Compared with the raw data",
            house.now(), f"lot:{LOT}", review_content(runs),
        )  # fmt: skip
        signature = SignatureRow(
            year=2026, number=900, person=person, name=signing.name, role=signing.role,
            meaning=signing.meaning.value, reason=signing.reason, at=signing.at,
            record=signing.record, record_sha256=signing.record_sha256, sha256=signing.sha256,
        )  # fmt: skip
        session.add_all([signature, *(Review(assay_run=run, signature=signature) for run in runs)])
        session.commit()
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    assert any("Records: no audit entry mentions review:" in one for one in blocked.value.reasons)
    assert any(
        "no entry mentions signature:S-2026-000900" in one for one in house.verify().problems
    )


@pytest.mark.requirement("1.15", "1.38")
@pytest.mark.parametrize("renamed", [False, True], ids=["as it is", "for the other lot"])
def test_a_review_signature_that_was_copied_to_another_lot_reviews_nothing(
    house: House, renamed: bool
):
    """The owner of the database copies a row: with its hash, or with a hash made to fit."""
    other = "MSC-26-0099"
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        sample = NewSample(f"{other}-S01", "release", "cryovial", TAKEN_AT.isoformat())
        register_lot(tx, NewLot(other, PRODUCT, MADE_ON, EXPIRES_ON, (DONOR,), (sample,)))
    assert house.upload(results(lot=other)).accepted
    house.ready()
    with house.reading() as session:
        of_one = session.scalars(select(Review)).first()
        assert of_one is not None
        signing = of_one.signature.signing
        person = of_one.signature.person_id
        runs = session.scalars(select(AssayRun).join(LotRow).where(LotRow.lot == other)).all()
        ids, content = [run.id for run in runs], review_content(runs)
    if renamed:
        signing = replace(signing, record=f"lot:{other}", record_sha256=content)
    copied = signing.sha256 if renamed else f"{signing.sha256} "  # a column is unique
    with tampering(house.engine) as connection:
        values = {
            "year": 2026, "number": 900, "person_id": person, "name": signing.name,
            "role": signing.role, "meaning": signing.meaning.value, "reason": signing.reason,
            "at": signing.at, "record": signing.record, "record_sha256": signing.record_sha256,
            "sha256": copied,
        }  # fmt: skip
        connection.execute(insert(SignatureRow.__table__).values(**values))
        number = select(SignatureRow.id).where(SignatureRow.number == 900).scalar_subquery()
        for one in ids:
            row = insert(Review.__table__).values(assay_run_id=one, signature_id=number)
            connection.execute(row)
    case = house.study(other)
    assert not case.is_ready
    assert any("S-2026-000900" in one for one in case.facts.damaged)
    with pytest.raises(ReleaseBlocked):
        house.release(other)
    assert any("signature:S-2026-000900" in one for one in house.verify().problems)


@pytest.mark.requirement("2.01")
def test_a_failed_upload_that_was_removed_with_its_filing_is_missed_by_the_audit(house: House):
    """Removed are a failing run, its upload, and the words under which its entry is found.

    Readiness finds entries by those words; the audit reads every entry.
    """
    house.ready()
    with house.reading() as session:
        last = session.scalar(select(func.max(Upload.id)))
    failing = alone("viability", value="50", run_id="VCB-250521-01")
    assert house.upload(failing, name="again.csv").accepted
    of_upload = f"upload_id > {last}"
    runs = f"SELECT id FROM assay_run WHERE {of_upload}"
    tamper(
        house.engine,
        "DELETE FROM audit_subject WHERE entry_id = (SELECT max(id) FROM audit_entry)",
        f"DELETE FROM measurement WHERE assay_run_id IN ({runs})",
        f"DELETE FROM assay_run WHERE {of_upload}",
        f"DELETE FROM upload WHERE id > {last}",
    )
    told = "\n".join(house.verify().problems)
    assert f"/{LOT}/VIAB/VCB-250521-01 is missing" in told
