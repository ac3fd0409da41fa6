"""Results without a file: typed by two people who do not see each other's entry (1.31)."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from batchqc.actions.accounts import change_role
from batchqc.actions.attachments import MOST_DOCUMENTS, Document
from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.dispositions import Decision, reject_lot
from batchqc.actions.entries import attach_document, the_attachment, the_entry
from batchqc.actions.first_entries import enter_first_result
from batchqc.actions.impact import Impact, assess_impact, impact_content
from batchqc.actions.lot_review import seen_runs
from batchqc.actions.received import ReceivedFile
from batchqc.actions.recheck import recheck
from batchqc.actions.uploads import UploadReport, preview_upload
from batchqc.core.entries import SecondEntry, TypedAnalyte
from batchqc.core.permissions import Permission, Role
from batchqc.core.review_by_exception import Why
from batchqc.core.signatures import Refusal
from batchqc.core.subjects import Measured
from batchqc.core.verdicts import Outcome, Verdict
from batchqc.documents.spec_file import read_specification
from batchqc.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    ReleaseBlocked,
)
from batchqc.intake.typed import COLUMNS, long_csv
from batchqc.records.audit import AuditEntry
from batchqc.records.entries import EntryVerification
from batchqc.settings import bundled
from tests.actions.state import TRAIL, counts, grown
from tests.actions.typing_results import MYCO, REPORT, VIAB, enter, try_to_verify, verify
from tests.intake.files import read
from tests.records.house import (
    ADM,
    ANA,
    BEN,
    LABORATORY,
    LOT,
    PASSWORD,
    QA1,
    REV,
    SPECIFICATION_FILE,
    House,
    but_reviews,
    results,
    signing,
)  # fmt: skip
from tests.records.interleaving import DONE, interleaved
from tests.records.tampering import tamper
from tests.records.test_at_once import at_once

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
ZIP = b"PK\x03\x04" + bytes(400)


def verdict(house: House, analyte: str) -> Verdict:
    found = [one for one in house.study().verdicts if one.criterion.id == analyte]
    assert len(found) == 1, [one.criterion.id for one in house.study().verdicts]
    return found[0]


def document(data: bytes = REPORT, name: str = "report.pdf") -> Document:
    return Document(name, len(data), data)


def give(house: House, who: str, role: Role) -> None:
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=who, role=role, granted=True, reason="Only to attack")


@pytest.mark.requirement("1.31")
def test_a_typed_result_counts_once_a_second_person_typed_the_same(house: House):
    assert house.upload(results(mycoplasma=None)).accepted
    number = enter(house, documents=[document()]).number
    waits = verdict(house, "mycoplasma")
    assert waits.outcome is Outcome.CANNOT_JUDGE
    assert waits.sentence.startswith(
        "CANNOT JUDGE: typed and not verified by a second person: run MYCO-250526-01 (MYCO) of U-"
    )
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    assert any("typed and not verified" in reason for reason in blocked.value.reasons)
    assert verify(house, number, "negative")
    assert verdict(house, "mycoplasma").outcome is Outcome.PASS
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    assert {reason.split(":")[0] for reason in but_reviews(blocked.value.reasons)} == {"Review"}
    assert isinstance(house.review(), list)  # the verifier may be the reviewer
    assert isinstance(house.release(), Decision)
    with house.reading() as session:
        content = content_of_certificate(house.archive, the_certificate(session, "COA-2026-000001"))
        found = recheck(session, house.archive)
    (line,) = (one for one in content["lines"] if one["criterion"] == "mycoplasma")
    said = [content["notes"][n - 1] for n in line["notes"]]
    assert f"{line['title']}: typed by ana ({number}), verified by second entry by rev." in said
    assert line["provenance"][0]["upload"] == number
    assert (found.decisions, found.differences) == (1, ())
    assert house.verify().problems == ()


@pytest.mark.requirement("1.31")
def test_a_mismatch_stays_visible_and_the_result_is_typed_anew(house: House):
    assert house.upload(results(viability=None)).accepted
    first = enter(house, VIAB).number
    assert not verify(house, first, "93.4", unit="%")
    mismatch = verdict(house, "viability")
    assert mismatch.outcome is Outcome.CANNOT_JUDGE
    assert "two people typed different results" in mismatch.sentence
    with house.reading() as session:
        entry = the_entry(session, first)
        assert (entry.typed[0].value, entry.typed_again[0].value) == ("93.40", "93.4")
        assert entry.is_shown_to(REV)
    second = enter(house, VIAB)  # the very same text: the slip was the second person's
    assert (second.accepted, second.answered_before) == (True, False)
    assert second.number != first
    assert verdict(house, "viability").outcome is Outcome.CANNOT_JUDGE
    assert enter(house, VIAB).number == second.number
    assert verify(house, second.number, "93.40", unit="%")
    passed = verdict(house, "viability")
    assert passed.outcome is Outcome.PASS
    assert {one.run.upload for one in passed.measurements} == {second.number}
    assert len([one for one in house.study().measurements if one.analyte == "viability"]) == 2
    house.review()
    assert isinstance(house.release(), Decision)
    with house.reading() as session:
        notes = content_of_certificate(house.archive, the_certificate(session, "COA-2026-000001"))[
            "notes"
        ]
        assert recheck(session, house.archive).differences == ()
    assert any(f"the entry {first} by ana is not used; rev typed another" in one for one in notes)


FLOW = replace(
    VIAB, test="FLOW", analyte="CD73", values=("97.90",), run="FLOW-9", method="SOP-QC-021 v5",
    also=(
        TypedAnalyte("CD90", ("100",), "%"), TypedAnalyte("CD105", ("99.1",), "%"),
        TypedAnalyte("negative_panel", ("0.30",), "%"),
    ),
)  # fmt: skip
FLOW_NAMES = ("CD73", "CD90", "CD105", "negative_panel")


def outcomes(house: House) -> set[Outcome | None]:
    return {
        one.outcome
        for one in house.study().verdicts
        if isinstance(one.criterion.subject, Measured) and one.criterion.subject.test == "FLOW"
    }


@pytest.mark.requirement("1.31")
def test_several_analytes_of_one_run_are_one_entry(house: House):
    assert house.upload(results(**dict.fromkeys(FLOW_NAMES))).accepted
    alone = enter(house, FLOW, also=())
    second = enter(house, FLOW, analyte="CD90", values=("100",), also=())
    assert {one.code for one in second.reading.problems} == {"E407"}  # the run is on record
    verify(house, alone.number, "97.9", unit="%")  # typed anew, with all that belongs to the run
    report = enter(house, FLOW)
    assert report.accepted, report.reading.problems
    assert outcomes(house) == {Outcome.CANNOT_JUDGE}
    with house.reading() as session:
        entry = the_entry(session, report.number)
        assert [one.analyte for one in entry.by_analyte(entry.typed)] == list(FLOW_NAMES)
        assert entry.by_analyte(entry.typed_again) == ()
    assert verify(house, report.number, "97.90", unit="%", also=FLOW.also[::-1])
    assert outcomes(house) == {Outcome.PASS}
    with house.reading() as session:
        entry = the_entry(session, report.number)
        assert entry.by_analyte(entry.typed_again) == FLOW.analytes
    assert isinstance(house.review(), list)
    assert isinstance(house.release(), Decision)
    with house.reading() as session:
        assert recheck(session, house.archive).differences == ()
    assert house.verify().problems == ()


@pytest.mark.requirement("1.31")
def test_one_analyte_that_does_not_match_leaves_the_whole_entry_unused(house: House):
    assert house.upload(results(**dict.fromkeys(FLOW_NAMES))).accepted
    number = enter(house, FLOW).number
    *others, last = FLOW.also
    assert not verify(
        house, number, "97.90", unit="%", also=[*others, last._replace(values=("3",))]
    )
    assert outcomes(house) == {Outcome.CANNOT_JUDGE}
    again = enter(house, FLOW).number
    swapped = [
        FLOW.also[0]._replace(values=("99.1",)),
        FLOW.also[1]._replace(values=("100",)),
        last,
    ]
    assert not verify(house, again, "97.90", unit="%", also=swapped)
    third = enter(house, FLOW).number
    assert verify(house, third, "97.90", unit="%", also=FLOW.also)
    assert outcomes(house) == {Outcome.PASS}


def test_a_second_entry_of_another_shape_is_told_every_difference_and_signs_nothing(house: House):
    number = enter(house, FLOW).number
    before = counts(house.engine)
    cd90, cd105, panel = FLOW.also
    wrong = {
        (): ["it has 1 values of CD90, not 0", "it has 1 values of CD105, not 0",
             "it has 1 values of negative_panel, not 0"],
        (cd90, cd105, panel, panel): ["it has 1 values of negative_panel, not 2",
                                      "it has each analyte once"],
        (cd90, cd105._replace(values=("9", "9")), panel): ["it has 1 values of CD105, not 2"],
        (cd90, cd105, panel._replace(analyte="CD34")): [
            "it has 1 values of negative_panel, not 0", "it has 0 values of CD34, not 1",
        ],
        (cd90, cd105, panel, cd90._replace(analyte="CD73", values=())): [
            "it has each analyte once",
        ],
    }  # fmt: skip
    for also, reasons in wrong.items():
        with pytest.raises(InvalidInput) as refused:
            verify(house, number, "97.90", unit="%", also=also)
        assert refused.value.code == "BQC-ENT-006"
        assert list(refused.value.reasons) == reasons
    with pytest.raises(InvalidInput) as refused:
        verify(house, number, "97.90", "1", unit="%", also=FLOW.also)
    assert list(refused.value.reasons) == ["it has 1 values of CD73, not 2"]
    with pytest.raises(InvalidInput) as refused:
        verify(house, number, "97.90", unit="%", also=[cd90._replace(values=(" ",)), cd105, panel])
    assert refused.value.code == "BQC-ENT-005"
    assert grown(house.engine, before) == {}
    twice = enter(house, VIAB, also=(TypedAnalyte("viability", ("1",), "%"),))
    assert not twice.accepted


def test_verify_twice_and_after_a_mismatch_is_refused(house: House):
    for value in ("Negative", "Positive"):
        number = enter(house, run=f"MYCO-{value}").number
        verify(house, number, value)
        before = counts(house.engine)
        with pytest.raises(Conflict) as refused:
            verify(house, number)
        assert refused.value.code == "BQC-ENT-003"
        assert grown(house.engine, before) == {}


@pytest.mark.requirement("2.06")
def test_nobody_verifies_what_they_typed_or_measured_in_whatever_role(house: House):
    for who in (ANA, BEN):
        give(house, who, Role.REVIEWER)
    number = enter(house, VIAB, analyst=BEN).number
    before = counts(house.engine)
    for who in (ANA, BEN):
        with pytest.raises(NotPermitted) as refused:
            verify(house, number, "93.40", unit="%", by=who)
        assert refused.value.code == "BQC-ENT-004"
        assert who in refused.value.reasons[0]
    assert grown(house.engine, before) == {}
    with pytest.raises(NotPermitted):  # nor does an analyst without the role
        house.actor(ANA, Permission.RELEASE_LOT)
    assert verify(house, number, "93.40", unit="%")


def test_who_verified_does_not_release(house: House):
    give(house, QA1, Role.REVIEWER)
    house.upload(results(mycoplasma=None))
    verify(house, enter(house).number, by=QA1)
    house.review()
    with pytest.raises(NotPermitted) as refused:
        house.release()
    assert refused.value.code == "BQC-REL-002"
    assert "qa1 typed run MYCO-250526-01 (MYCO)" in refused.value.reasons[0]


@pytest.mark.requirement("1.24")
def test_a_wrong_password_is_on_record_and_verifies_nothing(house: House):
    number = enter(house).number
    before = counts(house.engine)
    wrong = signing(REV, password="not " + PASSWORD)
    assert isinstance(try_to_verify(house, number, credentials=wrong), Refusal)
    other = try_to_verify(house, number, credentials=signing(QA1))
    assert isinstance(other, Refusal)
    assert other.code == "BQC-SIG-003"
    assert set(grown(house.engine, before)) <= TRAIL | {"attempt"}
    assert verdict(house, "mycoplasma").outcome is Outcome.CANNOT_JUDGE
    assert verify(house, number)


def test_a_decided_lot_takes_an_entry_its_document_and_its_second_entry(house: House):
    number = enter(house).number
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        assert isinstance(
            reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1)), Decision
        )
    with house.acting(ANA, Permission.UPLOAD_RESULTS) as tx:
        attach_document(tx, house.archive, number=number, document=document())
    assert verify(house, number)
    late = enter(house, run="MYCO-2")
    assert {one.code for one in late.reading.problems} == {"W401"}
    assert verify(house, late.number)
    assert house.study().facts.damaged == ()
    with house.reading() as session:  # decided while it waited: recheck knows the same
        assert recheck(session, house.archive).differences == ()


def test_what_waits_is_left_for_a_later_review(house: House):
    number = enter(house).number
    with pytest.raises(Conflict) as refused:
        house.review()
    assert refused.value.code == "BQC-REV-005"
    house.upload(results(mycoplasma=None))
    assert isinstance(house.review(), list)
    open_runs = [one.key for one in house.study().facts.runs if not one.reviewed_by]
    assert [(one.upload, one.test) for one in open_runs] == [(number, "MYCO")]
    verify(house, number)
    later = house.review()
    assert isinstance(later, list)
    assert len(later) == 1


WRONG = {
    "unknown lot": ({"lot": "MSC-26-0099"}, "E401"),
    "unknown analyst": ({"analyst": "stranger"}, "E401"),
    "another unit": ({"unit": "g/L"}, "E208"),
    "decimal comma": ({"values": ("93,40",)}, "E205"),
    "no value": ({"values": ("",)}, "E202"),
    "no replicate": ({"values": ()}, "E109"),
    "no offset": ({"measured_at": "2025-05-20T10:00:00"}, "E302"),
    "a formula in the comment": ({"comment": "=HYPERLINK(1)"}, "E501"),
    "a command in the comment": ({"comment": "@SUM(1)"}, "E501"),
    "a formula in the value": ({"values": ("=1+1",)}, "E501"),
    "NUL in the value": ({"values": ("93\x00.40",)}, "E104"),
    "NUL in the comment": ({"comment": "a\x00b"}, "E104"),
    "line ends in the lot": ({"lot": f"{LOT}\r\n{LOT}"}, "E403"),
    "a quote in the sample": ({"sample": f'{LOT}"-S01'}, "E401"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_a_file_may_not_say_cannot_be_typed(house: House, case: str):
    changes, code = WRONG[case]
    before = counts(house.engine)
    report = enter(house, VIAB, documents=[document()], **changes)
    assert not report.accepted
    assert code in {one.code for one in report.reading.problems}
    new = grown(house.engine, before)
    assert new.pop("upload") == 1
    assert set(new) <= TRAIL
    with pytest.raises(NotFound), house.reading() as session:
        the_entry(session, report.number)
    assert house.verify().problems == ()


@pytest.mark.parametrize("field", ["lot", "comment", "unit", "values"])
def test_half_a_character_is_refused_and_nothing_is_written(house: House, field: str):
    before = counts(house.engine)
    text: object = ("\ud800",) if field == "values" else "\udc41"
    with pytest.raises(InvalidInput) as refused:
        enter(house, VIAB, **{field: text})
    assert refused.value.code == "BQC-ENT-001"
    assert grown(house.engine, before) == {}


@pytest.mark.parametrize("value", ["93.40", "100", ">95.50", "<=99.0", "9.340E1", "97.5%"])
def test_values_keep_their_digits_and_bounds(house: House, value: str):
    number = enter(house, VIAB, values=(value,), comment='bubble, "seen"\r\nand gone').number
    (one,) = house.study().measurements
    assert (one.text, one.comment) == (value, 'bubble, "seen"\r\nand gone')
    with house.reading() as session:
        sha256 = the_entry(session, number).upload.sha256
    data = house.archive.get(sha256)
    assert data.startswith(",".join(f'"{name}"' for name in COLUMNS).encode() + b"\r\n")
    assert read(data).contract == "batchqc long v1"
    assert not verify(house, number, value + "0", unit="%")


def test_a_bad_second_entry_is_refused_before_it_is_signed(house: House):
    number = enter(house, VIAB).number
    before = counts(house.engine)
    for values in (("93.40", "93.40"), ("",), ("93.40\n",), ("93\x0040",), ("\ud800",)):
        with pytest.raises(InvalidInput) as refused:
            verify(house, number, *values, unit="%")
        assert refused.value.code in {"BQC-ENT-005", "BQC-ENT-006"}
    with pytest.raises(InvalidInput):
        try_to_verify(house, number, credentials=signing(REV, reason="...."))
    for wrong in ("U-2026-000099", "nonsense", house.upload(results(viability=None)).number):
        with pytest.raises(NotFound):
            verify(house, wrong)
    new = grown(house.engine, before)
    assert {"entry_verification", "signature"}.isdisjoint(new)


def test_the_value_is_shown_to_who_typed_or_measured_it_and_is_in_no_audit_entry(house: House):
    number = enter(house, VIAB, analyst=BEN, values=("93.47",)).number
    with house.reading() as session:
        entry = the_entry(session, number)
        shown = {who for who in (ANA, BEN, REV, QA1, ADM) if entry.is_shown_to(who)}
        assert shown == {ANA, BEN}
        assert not [one for one in session.scalars(select(AuditEntry)) if "93.47" in one.text]
    assert "93.47" not in json.dumps([one.sentence for one in house.study().verdicts])


@pytest.mark.requirement("1.31")
@pytest.mark.parametrize("run", ["VCB-9", ""])
def test_a_file_of_the_same_bytes_does_not_tell_what_waits(house: House, run: str):
    entry = replace(VIAB, run=run)
    number = enter(house, entry).number

    def said(value: str) -> str:
        data = long_csv(replace(entry, values=(value,)))
        file = ReceivedFile("guess.csv", len(data), data, "tests")
        with house.reading() as session:
            found = preview_upload(session, house.archive, file=file, now=house.now())
        shown = (
            found.number, found.accepted, found.answered_before,
            [(one.code, one.message) for one in found.reading.problems],
            [one.verdict.sentence for one in found.outlook],
        )  # fmt: skip
        return repr(shown).replace(value, "guess")

    assert said("93.40") == said("91.40")
    assert verify(house, number, "93.40", unit="%")
    assert number in said("93.40")


DOCUMENTS = {
    "pdf": (REPORT, "PDF document", "report.pdf"),
    "png": (PNG, "PNG picture", "report.png"),
    "a png that says nothing": (PNG, "PNG picture", "report"),
    "csv": (b"a,b\r\n1,2\r\n", "plain text", "report.csv"),
    "csv of a spreadsheet": ("\ufeffµ,b\n".encode(), "plain text", "report.txt"),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_a_document_is_kept_byte_by_byte_and_told_by_its_content(house: House, case: str):
    data, kind, name = DOCUMENTS[case]
    number = enter(house, documents=[document(data, name)]).number
    with house.reading() as session:
        found = the_attachment(session, number, 1)
        assert (found.kind, found.size, found.name) == (kind, len(data), name)
        assert house.archive.get(found.sha256) == data
        with pytest.raises(NotFound):
            the_attachment(session, number, 2)
    assert house.verify().problems == ()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "report.pdf"),
        (None, "report.pdf"),
        (ZIP, "report.pdf"),
        (b"\x1f\x8b\x08" + bytes(99), "report.pdf"),
        (b"<html><script>alert(1)</script>", "report.pdf"),
        (b"  <svg onload=alert(1)>", "report.png"),
        (b"MZ\x90\x00" + bytes(99), "report.pdf"),
        (REPORT.replace(b"%%EOF", b""), "report.pdf"),
        (b"\xff\xfe\x00\x01", "report.csv"),
        (REPORT, ""),
        (REPORT, "report\r\nX-Evil: 1.pdf"),
    ],
)
def test_other_documents_are_refused_and_nothing_of_the_entry_is_kept(
    house: House, data: bytes | None, name: str
):
    before = counts(house.engine)
    size = 10**9 if data is None else len(data)
    with pytest.raises(InvalidInput) as refused:
        enter(house, documents=[Document(name, size, data)])
    assert refused.value.code == "BQC-ENT-009"
    assert grown(house.engine, before) == {}


@pytest.mark.parametrize(("data", "name"), [(PNG, "report.pdf"), (REPORT, "report.csv")])
def test_a_document_that_says_another_kind_than_it_is_leaves_nothing(
    house: House, data: bytes, name: str
):
    before = counts(house.engine)
    with pytest.raises(InvalidInput) as refused:
        enter(house, documents=[document(data, name)])
    assert refused.value.code == "BQC-UPL-009"
    assert grown(house.engine, before) == {}


def test_documents_are_added_by_who_typed_the_entry_while_it_waits(house: House):
    number = enter(house).number

    def add(by: str = ANA) -> None:
        with house.acting(by, Permission.UPLOAD_RESULTS) as tx:
            attach_document(tx, house.archive, number=number, document=document(PNG, "report.png"))

    with pytest.raises(NotPermitted):
        add(by=BEN)
    for _ in range(MOST_DOCUMENTS):
        add()
    with pytest.raises(Conflict) as full:
        add()
    assert full.value.code == "BQC-ENT-010"
    verify(house, number)
    with pytest.raises(Conflict) as refused:
        add()
    assert refused.value.code == "BQC-ENT-003"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry_verification SET matches = 1",
        'UPDATE entry_verification SET typed = \'[["Negative", ""]]\', matches = 1',
        "DELETE FROM entry_verification",
        "UPDATE upload SET typed = ''",
        "UPDATE attachment SET sha256 = 'x'",
        "DELETE FROM attachment",
    ],
)
def test_whoever_owns_the_database_makes_no_mismatch_count(house: House, statement: str):
    house.upload(results(mycoplasma=None))
    verify(house, enter(house, documents=[document()]).number, "Positive")
    house.review()
    tamper(house.engine, statement)
    assert house.study().facts.damaged
    assert house.verify().problems
    with pytest.raises(ReleaseBlocked):
        house.release()


def test_a_second_entry_that_came_after_the_decision_does_not_change_it(house: House):
    """The owner of the database writes one by hand; recheck computes as of the decision."""
    number = enter(house).number
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
    with house.acting(REV, Permission.REVIEW_RESULTS) as tx:
        entry = the_entry(tx.session, number)
        from batchqc.actions.signing import sign  # noqa: PLC0415 - what only an attacker does
        from batchqc.core.signatures import Meaning  # noqa: PLC0415

        signature = sign(tx, signing(REV), meaning=Meaning.VERIFIED, record="x", record_sha256="x")
        assert not isinstance(signature, Refusal)
        late = EntryVerification(upload=entry.upload, signature=signature, typed="[]", matches=1)
        tx.add(late)
        tx.audit("forged", rows=[signature, late], about=[f"lot:{LOT}"])
    with house.reading() as session:
        assert the_entry(session, number).state is SecondEntry.VERIFIED
        assert recheck(session, house.archive).differences == ()
    assert any("of other content" in one for one in house.study().facts.damaged)


def test_an_entry_of_a_laboratory_is_verified_by_a_person_of_the_house(house: House):
    report = enter(house, MYCO)
    assert report.accepted
    with house.reading() as session:
        entry = the_entry(session, report.number)
        assert {one.analyst for one in entry.measurements} == {LABORATORY}
    assert verify(house, report.number)


@pytest.mark.requirement("2.41")
def test_impact_judges_typed_results_as_the_verdict_does_and_tells_no_hidden_value(house: House):
    number = enter(house, VIAB, values=("89.90",)).number
    draft = draft_of(house)
    (lot,) = draft.changed
    (change,) = (one for one in lot.impact.changes if one.criterion == "new-viability")
    assert change.after is not None
    assert change.after.outcome is Outcome.CANNOT_JUDGE
    assert "89.90" not in str(impact_content(draft))
    waited = draft.basis
    assert verify(house, number, "89.90", unit="%")
    verified = draft_of(house)
    (change,) = (
        one for one in verified.changed[0].impact.changes if one.criterion == "new-viability"
    )
    assert change.after is not None
    assert change.after.outcome is Outcome.PASS
    assert change.results == ("89.90",)
    assert verified.basis != waited  # a report of before is out of date


def draft_of(house: House) -> Impact:
    data = (bundled("specs") / SPECIFICATION_FILE).read_bytes()
    data = data.replace(b"version   = 1", b"version   = 2").replace(
        b"version = 1", b"version = 2", 1
    )
    data = data.replace(b"[criteria.viability]", b"[criteria.new-viability]")
    data = data.replace(b'accept     = "> 90"', b'accept = "> 80"').replace(b'"> 90"', b'"> 80"')
    found = read_specification(data, file="draft.toml")
    assert found.specification is not None
    with house.reading() as session:
        return assess_impact(session, house.archive, draft=found.specification)


def test_of_two_who_verify_at_once_one_does(house: House):
    give(house, QA1, Role.REVIEWER)
    number = enter(house).number

    def work(who: str) -> Callable[[House], str]:
        def done(own: House) -> str:
            try:
                return str(verify(own, number, "Negative" if who == REV else "Positive", by=who))
            except Conflict as refused:
                return refused.code

        return done

    found = at_once(house, [work(REV), work(QA1)])
    assert "BQC-ENT-003" in found
    assert len({"True", "False"} & set(found)) == 1
    assert house.verify().problems == ()
    assert house.study().facts.damaged == ()


@pytest.mark.requirement("1.31")
@pytest.mark.parametrize("text", ["93.40", "93.41"])
def test_of_two_who_type_the_first_result_at_once_one_does(house: House, text: str):
    """And nobody finds out so what waits: the same text is refused as another one is."""

    def typing(value: str, by: str) -> Callable[[House], UploadReport]:
        result = replace(VIAB, values=(value,))

        def done(own: House) -> UploadReport:
            with own.acting(by, Permission.UPLOAD_RESULTS) as tx:
                return enter_first_result(tx, own.archive, result=result, client="tests")

        return done

    told = interleaved(house, typing("93.40", ANA), typing(text, BEN))
    assert told == (DONE, "BQC-ENT-013")
    again = typing("93.40", ANA)(house)
    assert (again.number, again.answered_before) == ("U-2026-000001", True)
    verify(house, again.number, "93.50", unit="%")
    assert typing("93.50", BEN)(house).accepted  # what did not match is typed anew


@pytest.mark.requirement("1.31", "1.55")
def test_a_typed_run_is_told_to_qc_as_such(house: House):
    assert verify(house, enter(house).number)
    case = house.study()
    with house.reading() as session:
        (seen,) = seen_runs(session, house.archive, case)
    said = [one.said for one in seen.exceptions if one.why is Why.TYPED]
    assert said == ["typed by hand; second entry: verified"]


@pytest.mark.requirement("1.54")
def test_who_typed_a_result_as_the_second_person_does_not_review_the_trail(house: House):
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=REV, role=Role.QA, granted=True, reason="Stands in")
    assert verify(house, enter(house).number)
    with pytest.raises(NotPermitted) as refused:
        house.read_trail(by=REV)
    assert refused.value.code == "BQC-ATR-002"
    (did,) = refused.value.reasons
    assert did.startswith("you entered, measured, typed or reviewed run MYCO-250526-01")
