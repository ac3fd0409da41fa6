"""The life of a certificate: what an amendment changes, what happened, copies, drafts, numbers."""

import re
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from batchqc.actions.certificate_copies import copied, copy_document, print_copy
from batchqc.actions.certificate_drafts import draft_content, draft_document
from batchqc.actions.certificate_life import PublicStatus, life_of, public_status
from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.dispositions import Decision
from batchqc.actions.later_decisions import decide_later
from batchqc.actions.policies import set_policy
from batchqc.core.certificates import CertificateContent
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Permission
from batchqc.core.policies import NO_ADDRESS, Policy
from batchqc.core.signatures import Refusal
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound, NotPermitted
from batchqc.records.decisions import certificates_of, issue_of
from batchqc.settings import bundled
from tests.actions.state import counts, grown
from tests.actions.test_after_decision import released
from tests.actions.test_certificates import issue, keys, press
from tests.actions.test_later_decisions import LATER, bring_in, conditionally, staged
from tests.actions.test_letting_go import FIRST, SECOND, go, settled
from tests.records.house import ANA, LOT, QA1, QA2, House, alone, signing

__all__ = ["keys", "press", "released", "staged"]
FONTS = bundled("reports") / "fonts"
ADDRESS = "https://coa.lakeside.example"
RECALL = {"class": "II", "scope": "Every dose"}


def content(house: House, number: str) -> CertificateContent:
    with house.reading() as session:
        return content_of_certificate(house.archive, the_certificate(session, number))


def status(house: House, number: str, sha256: str) -> PublicStatus | None:
    with house.reading() as session:
        return public_status(session, number=number, sha256=sha256)


def sha_of(house: House, number: str) -> str:
    with house.reading() as session:
        return the_certificate(session, number).content_sha


def life(house: House, number: str) -> list[tuple[str, str, str, str]]:
    with house.reading() as session:
        found = life_of(session, the_certificate(session, number))
        assert [one.at for one in found] == sorted(one.at for one in found)
        return [(one.what, one.by, one.reason, one.about) for one in found]


def address(house: House, value: str) -> None:
    with house.acting(QA2, Permission.SET_POLICY) as tx:
        row = set_policy(tx, policy=Policy.PUBLIC_ADDRESS, value=value, credentials=signing(QA2))
        assert not isinstance(row, Refusal)


def copy_for(house: House, recipient: str = "Regional Hospital", *, number: str = FIRST) -> int:
    with house.acting(QA1, Permission.ISSUE_CERTIFICATE) as tx:
        return print_copy(tx, number=number, recipient=recipient).number


def pages(document: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(document)).pages]


def draft(house: House, lot: str = LOT) -> CertificateContent:
    case = house.study(lot)
    with house.reading() as session:
        return draft_content(session, house.archive, case=case, now=house.now.at)


@pytest.mark.requirement("5.07")
def test_a_certificate_that_replaces_a_withdrawn_one_names_every_change_and_why(
    released: House, press: Any
):
    issue(released, press)
    before = released.archive.get(document_sha(released))
    settled(released)
    go(released)
    replaced = content(released, SECOND)["supersedes"]
    assert replaced
    assert replaced["number"] == FIRST
    assert replaced["reason"].startswith("let go: ")
    told = {one["what"]: (one["before"], one["after"]) for one in replaced["changes"]}
    read = next(one for what, one in told.items() if what.endswith(": read from"))
    assert read[0] != read[1]
    assert any(what.startswith("Signature ") and not old for what, (old, _) in told.items())
    assert "Note" in told
    assert "Lot" not in told
    assert "changes" not in content(released, FIRST)
    assert released.archive.get(document_sha(released)) == before


def document_sha(house: House) -> str:
    with house.reading() as session:
        issued = issue_of(session, the_certificate(session, FIRST))
        assert issued
        return issued.document_sha


@pytest.mark.requirement("2.25", "5.07")
def test_a_release_for_good_names_what_is_no_longer_pending(staged: House):
    bring_in(staged)
    conditionally(staged)
    assert staged.upload(alone("growth_14d", lot=LATER)).accepted
    staged.review(LATER)
    assert isinstance(staged.release(LATER), Decision)
    second = content(staged, SECOND)
    assert second["supersedes"]
    told = {one["what"]: (one["before"], one["after"]) for one in second["supersedes"]["changes"]}
    (pending,) = [one for what, one in told.items() if what == "Pending"]
    assert re.fullmatch(r"Sterility.*, due on 20\d\d-\d\d-\d\d", pending[0])
    assert pending[1] == ""
    (result,) = [one for what, one in told.items() if what.endswith("result")]
    assert result == ("not tested", "No growth")
    assert told["Conclusion"][0].startswith("PRELIMINARY.")


@pytest.mark.requirement("5.07")
def test_the_life_of_a_certificate_is_told_with_people_reasons_and_links(
    released: House, press: Any
):
    issue(released, press)
    assert copy_for(released) == 1
    settled(released)
    go(released)
    first, second = life(released, FIRST), life(released, SECOND)
    assert [one[0] for one in first] == ["reserved", "issued", "copied", "withdrawn", "superseded"]
    assert first[0][2].startswith("released: ")
    assert first[1][1:] == (QA1, "", document_sha(released))
    assert first[2] == ("copied", QA1, "", "Regional Hospital")
    assert "does not meet > 90" in first[3][2]
    assert first[3][3].startswith("hold:")
    assert first[4][1] == QA1
    assert first[4][2].startswith("let go: ")
    assert first[4][3] == SECOND
    assert second == [("reserved", QA1, first[4][2], FIRST)]


@pytest.mark.requirement("5.07")
def test_a_number_that_is_void_says_so_at_its_end_and_the_series_has_no_gaps(
    released: House, press: Any
):
    settled(released)
    go(released)
    *_, last = life(released, FIRST)
    assert last == ("void", QA1, "never sealed, and never will be", SECOND)
    with pytest.raises(Conflict) as void:
        issue(released, press)
    assert void.value.code == "BQC-CRT-033"
    with released.reading() as session:
        found = certificates_of(session)
        assert [one.number for one in found] == list(range(1, len(found) + 1))
        assert [one.natural_key for one in found] == [FIRST, SECOND]


@pytest.mark.requirement("5.07")
def test_the_status_is_told_to_who_knows_the_content_and_nobody_else(released: House, press: Any):
    sha256 = sha_of(released, FIRST)
    pending = status(released, FIRST, sha256)
    assert pending
    assert pending.stands == "pending"
    issue(released, press)
    issued = status(released, FIRST.lower(), sha256)
    assert issued
    assert (issued.number, issued.stands, issued.is_specimen) == (FIRST, "issued", False)
    for number, known in (
        (FIRST, ""), (FIRST, sha256[:-1]), (FIRST, "é" * 64), (SECOND, sha256), (SECOND, ""),
        ("nonsense", ""), ("", ""), (LOT, sha256),
    ):  # fmt: skip
        assert status(released, number, known) is None


@pytest.mark.requirement("5.07")
def test_the_status_follows_a_certificate_through_its_life(released: House, press: Any):
    issue(released, press)
    sha256 = sha_of(released, FIRST)
    settled(released)
    withdrawn = status(released, FIRST, sha256)
    assert withdrawn
    assert (withdrawn.stands, withdrawn.superseded_by) == ("withdrawn", None)
    assert withdrawn.withdrawn_on == withdrawn.issued_on == released.study().facts.today
    go(released)
    superseded = status(released, FIRST, sha256)
    assert superseded
    assert superseded.stands == "superseded"
    assert superseded.superseded_by
    newer = status(released, *superseded.superseded_by)
    assert newer
    assert (newer.number, newer.stands) == (SECOND, "pending")
    with released.acting(QA2, Permission.DECIDE_LATER) as tx:
        recall = decide_later(
            tx, released.archive, lot=LOT, wanted=Disposition.RECALLED,
            particulars=RECALL, credentials=signing(QA2),
        )  # fmt: skip
        assert isinstance(recall, Decision)
    gone = status(released, *superseded.superseded_by)
    assert gone
    assert gone.stands == "withdrawn"
    first = status(released, FIRST, sha256)  # of a lot that is recalled: nothing counts instead
    assert first
    assert (first.stands, first.superseded_by) == ("superseded", None)


@pytest.mark.requirement("5.07")
def test_the_status_page_is_frozen_with_the_address_that_holds_then(house: House):
    address(house, ADDRESS)
    house.ready()
    house.release()
    address(house, "https://elsewhere.example")
    assert content(house, FIRST)["status"] == {"page": f"{ADDRESS}/status/{FIRST}"}


def test_a_site_without_an_address_freezes_none(house: House):
    with house.acting(QA2, Permission.SET_POLICY) as tx, pytest.raises(Conflict):
        set_policy(tx, policy=Policy.PUBLIC_ADDRESS, value=NO_ADDRESS, credentials=signing(QA2))
    with house.acting(QA2, Permission.SET_POLICY) as tx, pytest.raises(InvalidInput) as wrong:
        set_policy(tx, policy=Policy.PUBLIC_ADDRESS, value="http://x", credentials=signing(QA2))
    assert "an https address" in wrong.value.hint
    house.ready()
    house.release()
    assert content(house, FIRST)["status"] == {"page": ""}


@pytest.mark.requirement("5.07")
def test_a_copy_is_on_record_and_marked_and_says_when_the_certificate_counts_no_more(
    released: House, press: Any
):
    stored = issue(released, press)
    assert [copy_for(released), copy_for(released, " Clinic 2 ")] == [1, 2]

    def shown(copy: int) -> list[str]:
        with released.reading() as session:
            found = copied(session, released.archive, number=FIRST, copy=copy)
        return pages(copy_document(found, FONTS))

    for page in shown(2):
        assert "COPY" in page
        assert "Copy 2 for Clinic 2, printed" in page
        assert "bears no seals" in page
    settled(released)
    assert all("COPY · WITHDRAWN" in page and "Withdrawn on" in page for page in shown(1))
    go(released)
    for page in shown(1):
        assert "COPY · WITHDRAWN · SUPERSEDED" in page
        assert f"Superseded by {SECOND} on" in page
    assert copy_for(released) == 3
    assert released.archive.get(document_sha(released)) == stored
    assert released.verify().problems == ()
    with released.reading() as session, pytest.raises(NotFound) as unknown:
        copied(session, released.archive, number=FIRST, copy=4)
    assert unknown.value.code == "BQC-CRT-046"


def test_no_copy_is_printed_of_what_is_not_sealed_nor_for_nobody_nor_by_anybody(
    released: House, press: Any
):
    before = counts(released.engine)
    with pytest.raises(Conflict) as pending:
        copy_for(released)
    assert pending.value.code == "BQC-CRT-031"
    issue(released, press)
    before = counts(released.engine)
    for recipient in ("", "  ", "two\nlines"):
        with pytest.raises(InvalidInput) as refused:
            copy_for(released, recipient)
        assert refused.value.code == "BQC-CRT-045"
    with released.acting(ANA, Permission.UPLOAD_RESULTS) as tx, pytest.raises(NotPermitted):
        print_copy(tx, number=FIRST, recipient="Me")
    assert grown(released.engine, before) == {}


def test_a_draft_says_what_stands_before_the_decision_and_leaves_nothing(house: House):
    house.upload(alone("viability"))
    before = counts(house.engine)
    files = sorted(house.archive.root.rglob("*"))
    found = draft(house)
    assert found["number"] == "DRAFT"
    assert found["complies"] is False
    assert "DOES NOT COMPLY" in found["conclusion"]
    assert "not decided on (quarantine)" in found["conclusion"]
    assert any(one.startswith("Closed gate, Results: ") for one in found["statements"])
    assert found["seals"] == []
    for page in pages(draft_document(found, FONTS)):
        assert "DRAFT" in page
        assert "nothing is decided, numbered, sealed or stored" in page
    assert grown(house.engine, before) == {}
    assert sorted(house.archive.root.rglob("*")) == files


def test_a_draft_of_a_lot_that_is_ready_says_what_its_certificate_says(house: House):
    house.ready()
    before = draft(house)
    house.release()
    after = content(house, FIRST)
    for part in ("lines", "notes", "lot", "donors", "specification", "product", "statements"):
        assert before[part] == after[part]  # type: ignore[literal-required]
    assert before["signatures"] == after["signatures"][:-1]
    with pytest.raises(Conflict) as decided:
        draft(house)
    assert decided.value.code == "BQC-CRT-044"


def test_a_draft_after_a_conditional_release_says_what_would_change(staged: House):
    bring_in(staged)
    conditionally(staged)
    assert staged.upload(alone("growth_14d", lot=LATER)).accepted
    replaced = draft(staged, LATER)["supersedes"]
    assert replaced
    assert (replaced["number"], replaced["reason"]) == (FIRST, "not decided yet")
    assert any(one["what"] == "Pending" for one in replaced["changes"])


def test_an_earlier_certificate_whose_content_is_damaged_is_never_amended(staged: House):
    bring_in(staged)
    conditionally(staged)
    path = staged.archive.path_of(sha_of(staged, FIRST))
    path.chmod(0o600)
    path.write_bytes(b"{}")
    with pytest.raises(IntegrityFailure):
        draft(staged, LATER)
