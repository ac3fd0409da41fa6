"""What a site says of a file: genuine by the verifier alone, how it stands by the records."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from batchqc.actions.certificate_life import public_status
from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.certificate_verification import (
    Here,
    Verified,
    _on_record,
    is_genuine,
    standing_here,
    verify_file,
)
from batchqc.actions.certificates import Press
from batchqc.actions.lots import the_lot
from batchqc.core.permissions import Permission
from batchqc.documents.pki import PkiFiles
from batchqc.documents.verifier.case import Question
from batchqc.documents.verifier.findings import Check, CheckReport
from batchqc.records.decisions import certificates_of
from batchqc.records.holds import HoldEnd
from tests.actions.test_certificate_proofs import NUMBER, issue
from tests.actions.test_letting_go import go, hold
from tests.records.house import LOT, QA1, House
from tests.records.tampering import tamper


def verified(
    house: House, pki: PkiFiles, document: bytes, *, at: datetime | None = None
) -> Verified:
    question = Question(pki.root_pem.read_bytes(), at or house.now())
    with house.reading() as session:
        return verify_file(session, document, question)


def withdraw(house: House) -> None:
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        lot = the_lot(tx.session, LOT)
        withdraw_certificate(tx, lot, reason="Label was wrong", about=lot.key)


@pytest.mark.requirement("5.07")
def test_how_a_genuine_file_stands_is_what_the_records_say_and_no_more(
    house: House, press: Press, pki: PkiFiles
):
    house.ready()
    house.release()
    document = issue(house, press)
    found = verified(house, pki, document)
    assert (found.is_genuine, found.here.counts, found.report.lot) == (True, "counts", LOT)
    assert [one.meaning for one in found.signed][-1] == "certified"
    for changed in (document[:-1], document + b"\n", document.replace(b"EOF", b"EOX"), b"", b"x"):
        other = verified(house, pki, changed)
        assert (other.is_genuine, other.here) == (False, Here("not asked"))
        assert (other.issuer, other.conclusion, other.signed) == ("", "", ())
    late = verified(house, pki, document, at=house.now() + timedelta(days=40 * 365))
    assert {one.name for one in late.report.checks if one.outcome == "failed"} == {"validity"}
    assert (late.here, late.conclusion, late.signed) == (Here("not asked"), "", ())
    with house.reading() as session:
        assert standing_here(session, NUMBER, ["0" * 64]).counts == "another document"
        assert standing_here(session, "COA-2026-000099", []).counts == "unknown"
    withdraw(house)
    ended = verified(house, pki, document)
    assert (ended.is_genuine, ended.here.counts) == (True, "withdrawn")
    assert ended.here.withdrawn_on == house.study().facts.today
    tamper(house.engine, "DELETE FROM certificate_withdrawal")
    hidden = verified(house, pki, document)
    assert (hidden.is_genuine, hidden.here) == (True, Here("unclear"))


@pytest.mark.requirement("5.07", "5.10")
def test_a_file_whose_seal_ended_is_told_as_on_record_and_not_as_a_forgery(
    house: House, press: Press, pki: PkiFiles
):
    house.ready()
    house.release()
    document = issue(house, press)
    after = house.now() + timedelta(days=40 * 365)
    late = verified(house, pki, document, at=after)
    assert (late.is_genuine, late.is_on_record) == (False, True)
    assert late.on_record.counts == "counts"
    # What the site never issued is not on record, whatever number it bears.
    with house.reading() as session:
        other = _on_record(session, late.report, "0" * 64, ["0" * 64])
    assert other == Here("not asked")
    for changed in (document[:-1], document + b"\n", document.replace(b"EOF", b"EOX"), b"x"):
        found = verified(house, pki, changed, at=after)
        assert (found.is_genuine, found.is_on_record) == (False, False)
    # A check that does not hold for another reason is no end of what proves it.
    doubted = (*late.report.checks, Check("field", "failed", "a field was added"))
    with house.reading() as session:
        report = replace(late.report, checks=doubted)
        assert _on_record(session, report, late.document_sha256, ["x"]) == Here("not asked")
    withdraw(house)
    assert verified(house, pki, document, at=after).on_record.counts == "withdrawn"
    tamper(house.engine, "DELETE FROM certificate_withdrawal")
    hidden = verified(house, pki, document, at=after)
    assert (hidden.is_on_record, hidden.on_record) == (False, Here("unclear"))


@pytest.mark.requirement("5.07")
def test_a_file_that_another_certificate_replaced_is_superseded(
    house: House, press: Press, pki: PkiFiles
):
    house.ready()
    house.release()
    document = issue(house, press)
    hold(house)
    withdraw(house)
    assert isinstance(go(house), HoldEnd)
    here = verified(house, pki, document).here
    assert here.counts == "superseded"
    assert here.superseded_by is not None
    assert here.superseded_by[0] == "COA-2026-000002"


@pytest.mark.requirement("1.05", "5.07")
def test_nobody_is_told_that_a_certificate_counts_whose_records_were_changed(
    house: House, press: Press
):
    house.ready()
    house.release()
    issue(house, press)
    withdraw(house)
    with house.reading() as session:
        (certificate,) = certificates_of(session, the_lot(session, LOT))
        content = certificate.content_sha

    def stands() -> str:
        with house.reading() as session:
            status = public_status(session, number=NUMBER, sha256=content)
            return status.stands if status else ""

    assert stands() == "withdrawn"
    tamper(house.engine, "DELETE FROM certificate_withdrawal")
    assert stands() == "unclear"


def test_what_came_since_makes_no_file_a_forgery_and_anything_else_does():
    def report(*failed: str) -> CheckReport:
        names = ("digest", "issuer", "status")
        checks = (Check(one, "failed" if one in failed else "ok", "") for one in names)
        return CheckReport(tuple(checks), "", "", "")

    assert is_genuine(report())
    assert is_genuine(report("status"))
    assert not is_genuine(report("digest"))
    assert not is_genuine(report("issuer", "status"))
    assert not is_genuine(CheckReport((), "", "", ""))
