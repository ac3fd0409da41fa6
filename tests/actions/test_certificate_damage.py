"""Whoever owns the database can make no certificate count again, nor have another one sealed."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from batchqc.actions.certificate_copies import copied, print_copy
from batchqc.actions.certificate_life import PublicStatus, public_status
from batchqc.actions.certificate_proofs import prove_certificate, standing_on_record
from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.certificates import (
    Press,
    content_of_certificate,
    document_of,
    the_certificate,
)
from batchqc.actions.lots import the_lot
from batchqc.core.canonical import canonical_bytes
from batchqc.core.permissions import Permission
from batchqc.documents.archive import FolderArchive
from batchqc.errors import IntegrityFailure
from tests.actions.test_certificate_proofs import NUMBER, issue
from tests.databases import Databases
from tests.records.house import LOT, QA1, House, archive_of, furnish, restock
from tests.records.tampering import tamper

GONE = "DELETE FROM certificate_withdrawal"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> FolderArchive:
    """The store of every house of this file; it only ever grows."""
    return archive_of(tmp_path_factory.mktemp("damage"))


@pytest.fixture
def decided(database: str, databases: Databases, archive: FolderArchive) -> Iterator[House]:
    """A lot is released, and its certificate reserved."""

    def make(engine: Engine) -> None:
        furnish(engine)
        restock(archive)
        house = House(engine, archive)
        house.ready()
        house.release()

    with databases.copy(database, "decided_once", make) as engine:
        yield House(engine, archive)


def withdraw(house: House) -> None:
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        lot = the_lot(tx.session, LOT)
        withdraw_certificate(tx, lot, reason="Label was wrong", about=lot.key)


def status(house: House) -> PublicStatus:
    with house.reading() as session:
        known = the_certificate(session, NUMBER).content_sha
        found = public_status(session, number=NUMBER, sha256=known)
        assert found
        return found


@pytest.mark.requirement("1.09", "5.07")
def test_who_removes_a_withdrawal_makes_no_certificate_count_again(decided: House, press: Press):
    document = issue(decided, press)
    with decided.acting(QA1, Permission.ISSUE_CERTIFICATE) as tx:
        print_copy(tx, number=NUMBER, recipient="Regional Hospital")
    withdraw(decided)
    assert status(decided).stands == "withdrawn"
    tamper(decided.engine, GONE)
    found = status(decided)
    assert (found.stands, found.issued_on, found.superseded_by) == ("unclear", None, None)
    with decided.reading() as session:
        signer, sha256 = press.log_key(), "0" * 64
        for told in (
            lambda: prove_certificate(
                session, decided.archive, signer, number=NUMBER, now=decided.now()
            ),
            lambda: standing_on_record(session, NUMBER, [sha256]),
            lambda: copied(session, decided.archive, number=NUMBER, copy=1),
            lambda: document_of(session, decided.archive, number=NUMBER),
        ):
            with pytest.raises(IntegrityFailure) as refused:
                told()
            assert refused.value.code == "BQC-CRT-060"
            assert refused.value.reasons == (
                f"certificate_withdrawal:{NUMBER} is missing; an audit entry speaks of it",
            )
    with pytest.raises(IntegrityFailure):
        issue(decided, press)
    assert document


@pytest.mark.requirement("1.09", "5.07")
def test_a_number_that_became_void_is_not_sealed_where_the_reason_was_removed(
    decided: House, press: Press
):
    withdraw(decided)
    tamper(decided.engine, GONE)
    with pytest.raises(IntegrityFailure) as refused:
        issue(decided, press)
    assert refused.value.code == "BQC-CRT-060"


@pytest.mark.requirement("1.09", "5.01")
def test_content_that_was_put_under_a_reserved_number_is_never_sealed(decided: House, press: Press):
    with decided.reading() as session:
        content = content_of_certificate(decided.archive, the_certificate(session, NUMBER))
    told = json.loads(canonical_bytes(content))  # type: ignore[arg-type]
    forged = decided.archive.put(canonical_bytes({**told, "conclusion": "Lot is released."}))
    tamper(decided.engine, f"UPDATE certificate SET content_sha = '{forged}'")  # noqa: S608
    with pytest.raises(IntegrityFailure) as refused:
        issue(decided, press)
    assert refused.value.reasons == (f"certificate:{NUMBER} is not as its audit entry says",)
    assert status(decided).stands == "unclear"


@pytest.mark.requirement("1.09", "5.07")
def test_another_document_is_not_given_away_as_the_one_that_was_issued(
    decided: House, press: Press
):
    issue(decided, press)
    other = decided.archive.put(b"%PDF- of somebody else")
    tamper(decided.engine, f"UPDATE certificate_issue SET document_sha = '{other}'")  # noqa: S608
    with decided.reading() as session, pytest.raises(IntegrityFailure) as refused:
        document_of(session, decided.archive, number=NUMBER)
    assert refused.value.code == "BQC-CRT-060"
    assert status(decided).stands == "unclear"
