"""An installation that is sound is called so; what was planted in it is named and graded."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from batchqc.actions.agreement import agreement_findings
from batchqc.actions.backup_age import age_text
from batchqc.actions.backups import Source, make_backup
from batchqc.actions.certificates import Press, document_of, issue_certificate
from batchqc.actions.clock_evidence import clock_findings
from batchqc.actions.doctor import Installation, examine_installation
from batchqc.actions.registers import register_product
from batchqc.actions.scrubs import unnamed
from batchqc.cli.workplace import Workplace, check_disk, tell_trial
from batchqc.core.canonical import canonical_bytes
from batchqc.core.permissions import Permission
from batchqc.core.soundness import Finding, Grade
from batchqc.documents.archive import FolderArchive
from batchqc.documents.component_key import create_component_key
from batchqc.documents.verifier.case import Question
from batchqc.errors import BatchqcError, Conflict, IntegrityFailure
from batchqc.records.database_check import database_findings, hasty_settings
from batchqc.records.decisions import certificate_by
from batchqc.records.transaction import reading
from batchqc.settings import Settings, bundled
from tests.actions.proving import enrolled, keyed
from tests.databases import HASTY, Databases
from tests.kinds import KINDS
from tests.records.house import QA1, Clock, House, archive_of, furnish
from tests.records.tampering import tamper, tampering

NUMBER = "COA-2026-000001"
_OF_TESTS = re.compile("checksum|amcheck|wait for its disk")


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Clock]]:
    """By kind of database: the folder of what a sealed house has stored, and when that was."""
    return {kind: (tmp_path_factory.mktemp(kind), Clock()) for kind in KINDS}


@pytest.fixture
def sealed(
    database: str,
    databases: Databases,
    stores: dict[str, tuple[Path, Clock]],
    press: Press,
    tmp_path: Path,
) -> Iterator[House]:
    """A lot is released, and its certificate sealed."""
    folder, clock = stores[database]

    def fill(engine: Engine) -> None:
        house = House(engine, archive_of(folder), clock)
        house.ready()
        house.release()
        issue_certificate(
            engine, house.archive, press,
            number=NUMBER, actor=house.actor(QA1, Permission.ISSUE_CERTIFICATE), clock=clock,
        )  # fmt: skip
        for name in unnamed(engine, house.archive)[0]:  # of houses on the other kind
            house.archive.path_of(name).unlink()

    with databases.copy(database, "house", furnish):
        pass
    databases.build(database, "sealed", fill, copy_of="house")
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    with databases.copy(database, "sealed") as engine:
        yield House(engine, FolderArchive(tmp_path / "store"), Clock(clock.at))


def patient(house: House, press: Press) -> Installation:
    root = press.sealing.root.certificate.read_bytes()
    question = Question(root, house.now.at)
    return Installation(
        house.engine, house.archive, bundled("migrations"), question, press.log_key,
        is_trial=True,  # tests.databases wait for no disk
    )  # fmt: skip


def found_in(house: House, press: Press) -> list[Finding]:
    """What is found, but for what this server of tests lacks."""
    found = examine_installation(patient(house, press)).findings
    return [one for one in found if not _OF_TESTS.search(one.what)]


def said(found: list[Finding], grade: Grade) -> str:
    return "\n".join(f"{one.where}: {one.what}" for one in found if one.grade is grade)


def test_a_sound_installation_is_called_so(sealed: House, press: Press):
    examined = examine_installation(patient(sealed, press))
    assert examined.is_clean
    assert (examined.certificates, examined.verified) == (1, 1)
    assert found_in(sealed, press) == []


def test_that_no_backup_was_made_for_days_is_told_where_they_are_made(
    sealed: House, press: Press, tmp_path: Path
):
    source = Source(sealed.engine, sealed.archive, "")
    make_backup(source, press.seal_key(), folder=tmp_path / "backups", public={}, now=sealed.now())
    what, made_at = patient(sealed, press), sealed.now.at

    def told(later: timedelta, *, restored: bool = False) -> list[str]:
        question = replace(what.question, at=made_at + later)
        asked = replace(what, question=question, is_restored=restored)
        return [one.what for one in examine_installation(asked).findings if one.where == "backups"]

    assert told(timedelta(days=3)) == []
    assert told(timedelta(days=3, seconds=1)) == ["the newest backup on record is 3 days old"]
    assert told(timedelta(days=9), restored=True) == []
    ages = (timedelta(minutes=5), timedelta(hours=1), timedelta(hours=47), timedelta(days=40))
    assert list(map(age_text, ages)) == ["0 hours", "1 hour", "47 hours", "40 days"]


def test_the_records_of_a_full_house_agree(full_house: House):
    with full_house.reading() as session:
        found = [*agreement_findings(session, full_house.archive)]
        found += clock_findings(session, full_house.now.at)
    wrong = {one.where for one in found if one.grade is not Grade.HARMLESS}
    assert wrong == {"disposal:DSP-2026-000001"}  # signed with another signature, as if


WITHOUT_CERTIFICATE = [
    "DELETE FROM certificate_issue",
    "DELETE FROM certificate_text",
    "DELETE FROM certificate_term",
    "DELETE FROM certificate",
]
DAMAGE = {
    "a decision that is gone": (
        [*WITHOUT_CERTIFICATE, "DELETE FROM disposition"],
        "no record is signed with it",
    ),
    "a decision that is another": (
        ["UPDATE disposition SET disposition = 'rejected'"],
        "what was signed is another decision",
    ),
    "a decision that cannot follow": (
        ["UPDATE disposition SET disposition = 'destroyed'"],
        "a lot that is in quarantine cannot be destroyed",
    ),
    "a decision after one that is gone": (
        ["UPDATE disposition SET number = 2"],
        "decision 1 over the lot is not there",
    ),
    "a signature that binds something else": (
        ["UPDATE signature SET record_sha256 = '00'"],
        "binds something else",
    ),
    "a certificate that is gone": (WITHOUT_CERTIFICATE, "no certificate was reserved with it"),
    "a certificate of another number": (
        ["UPDATE certificate SET number = 2"],
        "its content is of another number",
    ),
    "a gap in the numbers": (
        ["UPDATE certificate SET number = 2"],
        "number 1 of 2026 is not there, and 2 is",
    ),
}


@pytest.mark.requirement("1.32")
@pytest.mark.parametrize("name", DAMAGE)
def test_records_that_do_not_agree_are_a_loss(sealed: House, name: str):
    statements, expected = DAMAGE[name]
    tamper(sealed.engine, *statements)
    with sealed.reading() as session:
        found = list(agreement_findings(session, sealed.archive))
    assert expected in said(found, Grade.LOSS)


def test_a_row_that_refers_to_nothing_is_a_loss_and_nothing_else_is_examined(
    sealed: House, press: Press
):
    tamper(sealed.engine, "UPDATE certificate SET disposition_id = 999")
    found = found_in(sealed, press)
    assert "table certificate: 1 rows refer to a disposition that" in said(found, Grade.LOSS)
    assert "nothing else was examined" in said(found, Grade.MEND)


def test_a_file_that_is_gone_is_a_loss(sealed: House, press: Press):
    with sealed.reading() as session:
        certificate = certificate_by(session, NUMBER)
        assert certificate is not None
        sha256 = certificate.content_sha
    (sealed.archive.root / sha256[:2] / sha256).unlink()
    assert f"the archive holds no file {sha256}" in said(found_in(sealed, press), Grade.LOSS)


def test_a_file_that_the_disk_does_not_give_is_a_loss_and_all_else_is_examined(
    sealed: House, press: Press
):
    with sealed.reading() as session:
        certificate = certificate_by(session, NUMBER)
        assert certificate is not None
        sha256 = certificate.content_sha
    path = sealed.archive.root / sha256[:2] / sha256
    path.unlink()
    path.symlink_to("/proc/self/mem")  # Errno 5, Input/output error
    examined = examine_installation(patient(sealed, press))
    assert examined.head is not None
    told = said(list(examined.findings), Grade.LOSS)
    assert f"the archived file {sha256} is damaged" in told


def test_a_trigger_that_is_gone_is_to_be_mended(sealed: House, press: Press):
    drop = "DROP TRIGGER lot_no_delete"
    if sealed.engine.dialect.name == "postgresql":
        drop = "ALTER TABLE lot DISABLE TRIGGER lot_no_change"
    with sealed.engine.begin() as connection:
        connection.execute(text(drop))
    found = found_in(sealed, press)
    assert "table lot can be changed" in said(found, Grade.MEND)
    assert said(found, Grade.LOSS) == ""


def test_a_pending_certificate_is_harmless_and_told(house: House):
    house.ready()
    house.release()
    with house.reading() as session:
        (found,) = agreement_findings(session, house.archive)
    assert (found.where, found.grade) == (f"certificate:{NUMBER}", Grade.HARMLESS)
    assert "certificate resume" in found.todo


def test_a_file_without_a_row_is_harmless(sealed: House, press: Press):
    sha256 = sealed.archive.put(b"the server stopped before the row was written")
    (sealed.archive.root / ".incoming-abc").write_bytes(b"and here while it was stored")
    found = found_in(sealed, press)
    assert {one.grade for one in found} == {Grade.HARMLESS}
    assert {one.where for one in found} == {f"archived file {sha256}", "store: .incoming-abc"}


def test_a_decision_that_was_signed_and_not_recorded_is_harmless(sealed: House, press: Press):
    with sealed.reading() as session:
        certificate = certificate_by(session, NUMBER)
        assert certificate is not None
        content = sealed.archive.get(certificate.disposition.content_sha)
    sealed.archive.put(content.replace(b'"released"', b'"rejected"'))
    assert [one.grade for one in found_in(sealed, press)] == [Grade.HARMLESS]


@pytest.mark.requirement("1.32")
def test_a_store_that_is_newer_than_the_database_is_a_loss(
    sealed: House, press: Press, database: str, databases: Databases
):
    with databases.copy(database, "house", furnish) as earlier:
        found = found_in(House(earlier, sealed.archive, sealed.now), press)
    lost = said(found, Grade.LOSS)
    assert f"it is certificate {NUMBER}, sealed, and no record knows it" in lost
    assert "it was signed over an audit trail of" in lost
    assert "restore a newer backup" in next(one.todo for one in found if one.grade is Grade.LOSS)


def test_a_decision_over_another_trail_is_a_loss(sealed: House, press: Press):
    sealed.archive.put(canonical_bytes({"audit": [3, "00"]}))
    assert "another entry 3" in said(found_in(sealed, press), Grade.LOSS)


def test_a_clock_that_was_set_back_is_told_and_one_that_runs_ahead_is_to_be_mended(
    sealed: House, press: Press
):
    def register(code: str) -> None:
        with sealed.acting(QA1, Permission.REGISTER_PRODUCT) as tx:
            register_product(tx, code=code, name="Another", form="Vial", storage="Cold")

    sealed.now.at += timedelta(hours=5)
    register("A")
    ahead = replace(
        patient(sealed, press),
        question=replace(patient(sealed, press).question, at=sealed.now.at - timedelta(hours=3)),
    )
    told = said(list(examine_installation(ahead).findings), Grade.MEND)
    assert "of the audit trail: it is dated" in told
    sealed.now.at -= timedelta(hours=2)
    register("B")
    found = found_in(sealed, press)
    assert "the clock was set back" in said(found, Grade.HARMLESS)


def test_another_key_of_the_log_is_to_be_mended_and_a_root_that_is_missing_too(
    sealed: House, press: Press
):
    def none() -> None:
        raise IntegrityFailure("BQC-LOG-006", "the key of the log is another")

    what = patient(sealed, press)
    found = examine_installation(
        replace(what, log_key=none, question=replace(what.question, root_pem=b""))  # type: ignore[arg-type]
    ).findings
    told = said(list(found), Grade.MEND)
    assert "the key of the log" in told
    assert "root.pem is not there" in told


@pytest.mark.requirement("1.19")
def test_a_key_that_does_not_open_the_secrets_of_authenticators_is_to_be_mended(
    sealed: House, press: Press, tmp_path: Path
):
    """As where the keys of another installation were put back after a restore."""
    enrolled(keyed(sealed, tmp_path), QA1)
    what = patient(sealed, press)
    other = tmp_path / "other.key"
    for key, told in ((tmp_path / "components.key", False), (other, True)):
        found = examine_installation(replace(what, component_key=key)).findings
        assert ("the key of authenticators" in said(list(found), Grade.MEND)) == told
    create_component_key(other)
    found = examine_installation(replace(what, component_key=other)).findings
    assert "does not open the secret" in said(list(found), Grade.MEND)


@pytest.mark.parametrize("revision", ["9999", "0030"])
def test_the_schema_of_another_version_is_told_and_nothing_is_read_by_it(
    sealed: House, press: Press, revision: str
):
    with tampering(sealed.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
    examined = examine_installation(patient(sealed, press))
    (finding,) = examined.findings
    assert finding.grade is Grade.MEND
    assert ("later version" in finding.what) == (revision == "9999")


def test_what_a_document_says_is_compared_by_the_verifier(sealed: House, press: Press):
    """A document of somebody else's seal, on record as if it were that of the certificate."""
    with reading(sealed.engine) as session:
        pdf = document_of(session, sealed.archive, number=NUMBER)
    forged = sealed.archive.put(pdf.replace(b"/ByteRange", b"/BytesRange"))
    with tampering(sealed.engine) as connection:
        connection.execute(text("UPDATE certificate_issue SET document_sha = :to"), {"to": forged})
    with pytest.raises(BatchqcError), reading(sealed.engine) as session:
        document_of(session, sealed.archive, number=NUMBER)
    found = said(found_in(sealed, press), Grade.LOSS)
    assert f"certificate_issue:{NUMBER} is not as entry" in found


@pytest.mark.only_on("postgresql", "amcheck is an extension of PostgreSQL")
def test_what_amcheck_finds_is_a_loss(engine: Engine):
    """The server of the tests has no amcheck: functions of its names stand in for it."""
    found = {one.what for one in database_findings(engine)}
    assert any("amcheck is not there" in one for one in found)
    heap = "verify_heapam(relation regclass) RETURNS TABLE (msg text) LANGUAGE sql AS"
    index = "bt_index_check(index regclass) RETURNS void LANGUAGE plpgsql AS"
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE FUNCTION {heap} $$ SELECT 'tuple is torn' WHERE relation = 'lot'::regclass $$"
        )
        connection.exec_driver_sql(
            f"CREATE FUNCTION {index} $$ BEGIN IF index = 'lot_pkey'::regclass THEN"
            " RAISE EXCEPTION 'item order is wrong'; END IF; END $$"
        )
    lost = {(one.where, one.what) for one in database_findings(engine) if one.grade is Grade.LOSS}
    assert lost == {("heap lot", "tuple is torn"), ("btree lot_pkey", "item order is wrong")}


@pytest.mark.only_on("postgresql", "SQLite checks references itself")
def test_references_that_nobody_checks_are_to_be_mended(engine: Engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE sample DISABLE TRIGGER ALL")
    found = {one.where for one in database_findings(engine) if one.grade is Grade.MEND}
    assert "table sample" in found


@pytest.fixture
def hasty(house: House, database: str) -> Iterator[House]:
    def hasten(connection: Any, _: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    house.ready()
    house.engine.dispose()
    if database == "sqlite":
        event.listen(house.engine, "connect", hasten)
    yield house
    if database == "sqlite":
        event.remove(house.engine, "connect", hasten)


@pytest.mark.requirement("1.32", "5.08")
def test_a_database_that_does_not_wait_for_its_disk_is_to_be_mended_but_in_a_trial(
    hasty: House, press: Press, database: str
):
    assert hasty_settings(hasty.engine) == HASTY[database]
    for is_trial, grade in ((False, Grade.MEND), (True, Grade.HARMLESS)):
        what = replace(patient(hasty, press), is_trial=is_trial)
        found = examine_installation(what).findings
        told = [one for one in found if "does not wait for its disk" in one.what]
        assert [one.grade for one in told] == [grade] * len(HASTY[database])
        assert all(one in str(told) for one in HASTY[database])


@pytest.mark.requirement("1.32", "5.08")
def test_nobody_serves_by_a_database_that_does_not_wait_for_its_disk_but_a_trial(
    hasty: House, press: Press, database: str, caplog: pytest.LogCaptureFixture
):
    def place(*, required: bool) -> Workplace:
        settings = Settings(disk_required=required)
        return Workplace(settings, hasty.engine, hasty.archive, press, hasty.now)

    with pytest.raises(Conflict) as refused:
        check_disk(place(required=True))
    assert refused.value.code == "BQC-SYS-033"
    told = ", ".join(HASTY[database])
    assert told in refused.value.message
    check_disk(place(required=False))
    tell_trial(place(required=False))
    assert [f"({told})" in one for one in caplog.messages] == [True]


@pytest.mark.only_on("postgresql", "a file knows no such settings")
def test_what_a_database_or_a_role_sets_counts_for_whoever_works_there(engine: Engine):
    name, always = engine.url.database, ["fsync = off", "full_page_writes = off"]
    for word, found in (("on", always), ("off", [*always, "synchronous_commit = off"])):
        with engine.begin() as connection:
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET synchronous_commit = {word}')
        assert hasty_settings(engine) == found  # though who is connected keeps what was set before


@pytest.mark.only_on("sqlite", "the server of these tests waits for nothing")
def test_a_file_that_is_opened_as_always_is_waited_for(engine: Engine):
    assert hasty_settings(engine) == []
