"""A house in which everything has happened: there is a row in every table."""

from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from batchqc.actions.accountability import accept_accountability
from batchqc.actions.attachments import Document
from batchqc.actions.certificate_copies import print_copy
from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.actions.consents import withdraw_consent
from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.deviations import NewDeviation, keep_deviation
from batchqc.actions.dispositions import Decision
from batchqc.actions.donations import pool_donations
from batchqc.actions.holds import hold_lot
from batchqc.actions.investigation_opening import set_days_due
from batchqc.actions.job_runs import Run, do_job
from batchqc.actions.jobs import ask_for
from batchqc.actions.layouts import withdraw_layout
from batchqc.actions.letting_go import let_go
from batchqc.actions.links import link_account
from batchqc.actions.lots import (
    NewLot,
    NewSample,
    register_lot,
    register_samples,
    the_lot,
)
from batchqc.actions.people import register_person, sign_in, sign_out
from batchqc.actions.policies import set_policy
from batchqc.actions.potency import fit_run, fit_value
from batchqc.actions.potency_declaring import Declared, declare
from batchqc.actions.quality_reviews import keep_review, read_review
from batchqc.actions.registers import register_donor
from batchqc.actions.retention import (
    hold_legally,
    release_legally,
    set_retention,
    the_legal_hold,
)
from batchqc.actions.signing import Credentials, sign
from batchqc.actions.signing_rule import set_signing_rule
from batchqc.actions.specifications import withdraw_specification
from batchqc.actions.system_stops import record_stop
from batchqc.actions.visits import Ticket, Vouched, begin_visit, prove_by_visit
from batchqc.actions.webhooks import NewWebhook, end_webhook, register_webhook
from batchqc.core.accountability import STATEMENT
from batchqc.core.canonical import canonical_bytes
from batchqc.core.deviations import State
from batchqc.core.jobs import Kind
from batchqc.core.permissions import Permission, Role
from batchqc.core.policies import ON, Policy
from batchqc.core.quality_reviews import Period
from batchqc.core.retention import RetentionRule
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import FolderArchive
from batchqc.documents.log_key import create_log_key
from batchqc.errors import Conflict
from batchqc.records.annex16 import Certification, LotCheck, Transfer
from batchqc.records.archive import ArchiveFinding, ArchiveMending, ArchiveScrub
from batchqc.records.certificate_renewals import CertificateRenewal
from batchqc.records.components import ProviderReturn
from batchqc.records.conditional import CertificateWithdrawal, ConditionalSite, PendingResult
from batchqc.records.corrections import CorrectionDecision
from batchqc.records.decisions import (
    Answer,
    CertificateIssue,
    certificate_by,
    certificates_of,
    dispositions_of,
)
from batchqc.records.donors import EligibilityRow
from batchqc.records.events import DELIVERED, Delivery
from batchqc.records.holds import Hold, HoldEnd
from batchqc.records.imports import DossierImport
from batchqc.records.layouts import CertificateRendition, layout_by
from batchqc.records.log import CheckpointTimestamp
from batchqc.records.people import SignIn
from batchqc.records.policies import PolicyRow
from batchqc.records.potency import PotencyDeclaration
from batchqc.records.quality_reviews import QualityReviewReading
from batchqc.records.retention import (
    Disposal,
    DisposalApproval,
    DisposedObject,
    LegalHold,
    RetentionRuleRow,
)
from batchqc.records.signatures import SignatureRow
from batchqc.records.system_stops import SystemStop
from batchqc.records.transaction import SYSTEM, transaction
from batchqc.records.trends import LimitSet, LimitSetApproval, TrendPhase
from batchqc.settings import bundled
from tests.actions.investigating import perform
from tests.actions.proving import enrolled, keyed
from tests.actions.typing_results import REPORT, enter, verify
from tests.cast import TAKEN_AT
from tests.databases import Databases
from tests.plates import method_file, plate
from tests.records import trail_samples
from tests.records.accounts import close, keep_report, password_days, reopen, review
from tests.records.donors import DIN, DONATED_ON, adopt_panel, complete, determine, donate
from tests.records.genealogy import live_on
from tests.records.house import (
    ADM,
    ANA,
    AUD,
    BEN,
    DON,
    DONOR,
    EXPIRES_ON,
    LOT,
    MADE_ON,
    PASSWORD,
    PRODUCT,
    PROFILE,
    QA1,
    QA2,
    House,
    adopt,
    adopt_profile,
    alone,
    furnish,
    good,
    restock,
    results,
    signing,
    table,
)  # fmt: skip
from tests.records.laboratory import adopt_method, use_registers
from tests.records.layouts import FOR_CLINIC, adopt_layout
from tests.records.working import workshop
from tests.statistics.test_lot_charts import FIRST, froze, series

CERTIFICATE = "COA-2026-000001"
THAWED_FROM = MADE_ON + timedelta(days=1)
POST_THAW = b"""schema = "batchqc/specification/1"
id = "UC-MSC-THAW"
version = 1
product = "UC-MSC"
stage = "post-thaw"
title = "Umbilical cord MSC, thawed"
effective = 2025-05-20
rounding = "absolute"
[criteria.viability]
title = "Viability, post-thaw"
category = "quantity"
test = "VIAB"
analyte = "viability"
method = "SOP-QC-014"
unit = "%"
accept = "> 80"
plausible = "1 to 100"
"""


def full_copy(
    databases: Databases, kind: str, archive: FolderArchive
) -> AbstractContextManager[Engine]:
    """A copy of a house in which everything has happened; it begins as every house does."""
    databases.build(kind, "house", furnish)
    databases.build(kind, "full_house", lambda engine: _live(engine, archive), copy_of="house")
    return databases.copy(kind, "full_house")


def _live(engine: Engine, archive: FolderArchive) -> None:
    """Live in a house: its lot is released."""
    restock(archive)
    house = House(engine, archive)
    assert not house.upload(results(viability="much")).accepted
    _stop(house)
    _hold(house)
    _correct(house)
    house.ready()
    _supersede(house)
    decision = house.release()
    assert isinstance(decision, Decision)
    _certificate(house)
    live_on(house, LOT)
    for go_on in (_certify, _visit, _other_stage, _type, _investigate):
        go_on(house)
    adopt_profile(house, PROFILE)
    adopt_method(house)
    use_registers(house)
    for go_on in (
        _tell, _second_components, _donate, _declare, _accounts, _trends, _import, _log, _archive,
        _lay_out, _job, _sample,
    ):  # fmt: skip
        go_on(house)


def _archive(house: House) -> None:
    """Something was missing and is mended; a hold came and went; as if raw data had been kept."""
    with house.acting(QA1, Permission.SET_RETENTION) as tx:
        rule = set_retention(tx, rule=RetentionRule(30, 0), credentials=signing(QA1))
        assert isinstance(rule, RetentionRuleRow)
    with house.acting(QA1, Permission.HOLD_LEGALLY) as tx:
        hold = hold_legally(tx, lot=LOT, credentials=signing(QA1))
        assert isinstance(hold, LegalHold)
        number = hold.natural_key
    with house.acting(QA2, Permission.HOLD_LEGALLY) as tx:
        assert not isinstance(release_legally(tx, number=number, credentials=signing(QA2)), Refusal)
    gone = "0" * 64
    with house.acting(QA1, Permission.DISPOSE) as tx:
        hold = the_legal_hold(tx.session, number)
        content = house.archive.put(b"as if a list")
        disposal = Disposal(
            year=2026, number=1, lot=hold.lot, content_sha=content, reason="As if",
            signature=hold.signature,
        )  # fmt: skip
        approval = DisposalApproval(
            disposal=disposal, reason="As if", approved_at=tx.now, signature=hold.signature
        )
        stone = DisposedObject(disposal_approval=approval, sha256=gone, what="upload:U-2026-000000")
        scrub = ArchiveScrub(
            number=1, part=1, scope="all", since="", after="", upto="", checked=2, found=2,
            orphans=0, leftovers=0, finished=1, scrubbed_by=QA1, scrubbed_at=tx.now,
        )  # fmt: skip
        finding = ArchiveFinding(archive_scrub=scrub, sha256=gone, problem="missing")
        mending = ArchiveMending(
            sha256=gone, number=1, reason="As if", mended_by=QA1, mended_at=tx.now
        )
        still = ArchiveFinding(archive_scrub=scrub, sha256="1" * 64, problem="missing")
        rows = [disposal, approval, stone, scrub, finding, still, mending]
        tx.add(*rows)
        tx.audit("raw data disposed of", rows=rows)


def _import(house: House) -> None:
    """As if it had begun with a dossier."""
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        content = {"entries": 0, "held": [], "left_out": []}
        row = DossierImport(
            number=1, lot=LOT, site="As if", log_keys="", entries=0, head="0",
            content_sha=house.archive.put(canonical_bytes(content)),
            dossier_sha=house.archive.put(b"as if a dossier"), reason="As if", imported_at=tx.now,
        )  # fmt: skip
        tx.add(row)
        tx.audit("lot dossier imported", rows=[row])


def _lay_out(house: House) -> None:
    """A recipient got a rendition, as if its document had been sealed."""
    adopt_layout(house, FOR_CLINIC)
    with house.acting(QA1, Permission.ISSUE_CERTIFICATE) as tx:
        certificate = certificate_by(tx.session, CERTIFICATE)
        version = layout_by(tx.session, "COA-CLINIC", 1)
        assert certificate is not None
        assert version is not None
        document = b"as if it were a sealed rendition"
        row = CertificateRendition(
            certificate=certificate, layout_version=version,
            content_sha=certificate.content_sha, document_sha=house.archive.put(document),
            size=len(document), made_by=QA1, made_at=tx.now,
        )  # fmt: skip
        tx.add(row)
        tx.audit("certificate rendition made", rows=[row], about=[certificate.key])
    with house.acting(QA2, Permission.APPROVE_LAYOUT) as tx:
        gone = withdraw_layout(tx, layout="COA-CLINIC", version=1, credentials=signing(QA2))
        assert not isinstance(gone, Refusal)


def _log(house: House) -> None:
    """A checkpoint of the log is signed, and stamped as if a service had done it."""
    with TemporaryDirectory() as folder, house.acting(QA1, Permission.KEEP_LOG) as tx:
        signer = create_log_key(Path(folder) / "log.key", name="lakeside/batchqc")
        row = sign_checkpoint(tx, signer)
        stamp = CheckpointTimestamp(
            checkpoint=row, token_sha=house.archive.put(b"as if a token"), service="As if",
            stamped_at=tx.now, received_at=tx.now,
        )  # fmt: skip
        tx.add(stamp)
        tx.audit("checkpoint of the log timestamped", rows=[stamp], about=[row.key])


def _trends(house: House) -> None:
    """As if limits had been computed from enough lots, and a phase been begun."""
    of = {"stage": "release", "market": "", "criterion": "viability"}
    with house.acting(QA1, Permission.APPROVE_LIMITS) as tx:
        lot = the_lot(tx.session, LOT)
        content = house.archive.put(canonical_bytes(dict(froze(1, series(*FIRST)).content)))
        row = LimitSet(
            product=lot.product, number=1, first=LOT, content_sha=content, reason="As if",
            proposed_by=QA2, proposed_at=tx.now, **of,
        )  # fmt: skip
        tx.add(row)
        signature = sign(
            tx, signing(QA1), meaning=Meaning.APPROVED, record=row.key, record_sha256=content
        )
        assert isinstance(signature, SignatureRow)
        rows = [
            LimitSetApproval(limit_set=row, signature=signature),
            TrendPhase(product=lot.product, lot=lot, reason="As if", signature=signature, **of),
        ]
        tx.add(*rows)
        about = [lot.product.key, row.key]
        tx.audit("control limits approved", rows=[row, signature, *rows], about=about)
    _review_quality(house)


def _review_quality(house: House) -> None:
    """QA had the product reviewed, and read it."""
    with house.acting(QA1, Permission.KEEP_QUALITY_REVIEW) as tx:
        period = Period(MADE_ON, MADE_ON + timedelta(days=30))
        fonts = bundled("reports") / "fonts"
        row = keep_review(tx, house.archive, product=PRODUCT, period=period, fonts=fonts)
        number, sha256 = row.natural_key, row.content_sha
    with house.acting(QA2, Permission.SIGN_QUALITY_REVIEW) as tx:
        read = read_review(
            tx, house.archive, number=number, sha256=sha256, credentials=signing(QA2)
        )
        assert isinstance(read, QualityReviewReading)


def _job(house: House) -> None:
    """An archive scrub was asked for, told how far it was, and failed."""

    def meets_another(run: Run) -> None:
        run.tell(1, 2)
        raise Conflict("BQC-ARC-014", "another scrub goes on at the same time")

    with house.acting(QA1, Permission.KEEP_ARCHIVE) as tx:
        number = ask_for(tx, Kind.SCRUB, {"sample": 0, "since": ""}).job.natural_key
    assert do_job(workshop(house, None), {Kind.SCRUB: meets_another}, number) is None


def _declare(house: House) -> None:
    """A plate of the second lot is fitted, and what was fitted is declared."""
    lot = "MSC-26-0099"
    adopt_method(house, method_file())
    own = {"lot_id": lot, "sample_id": f"{lot}-S01"} | good("inhibition") | {"run_id": "PLATE-1"}
    report = house.upload(table([own | one for one in plate(0.8)]))
    assert report.accepted, report.reading.problems
    with house.acting(ANA, Permission.UPLOAD_RESULTS) as tx:
        run = f"{report.number}/{lot}/PBMC/PLATE-1"
        fit = fit_run(tx, house.archive, run=run)
        value = Declared((fit.public,), fit_value(fit), "%")
    with house.acting(ANA, Permission.UPLOAD_RESULTS) as tx:
        found = declare(tx, house.archive, declared=value, credentials=signing(ANA), client="tests")
        assert isinstance(found, PotencyDeclaration)


def _accounts(house: House) -> None:
    password_days(house, 0)
    close(house, BEN)
    reopen(house, BEN)
    number, sha256 = keep_report(house)
    assert review(house, number, sha256) == number


def _sample(house: House) -> None:
    """Entries of the audit trail were drawn at random, and reviewed."""
    number, sha256 = trail_samples.draw(house)
    assert trail_samples.review(house, number, sha256) == f"{number}/1"


def _tell(house: House) -> None:
    """A webhook was registered, told of an event, and ended."""
    with house.acting(ADM, Permission.MANAGE_WEBHOOKS) as tx:
        new = NewWebhook("warehouse", "https://erp.example/in", ("lot.*",))
        webhook, _ = register_webhook(tx, new, key=b"k" * 32)
        told = Delivery(
            webhook=webhook, event_number=1, number=1, outcome=DELIVERED, detail="", at=tx.now
        )
        tx.add(told)
        tx.audit("events delivered", rows=[told], about=[webhook.key])
        end_webhook(tx, name="warehouse", reason="The warehouse system is gone")


def _second_components(house: House) -> None:
    """A person comes by single sign-on, accepts by step-up and has an authenticator."""
    with house.acting(QA1, Permission.SET_SIGNING_RULE) as tx:
        set_signing_rule(tx, with_code=False, reason="The password is enough")
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(tx, user_id="vera", name="Vera", roles=[Role.REVIEWER], password=None)
    issuer, subject, ticket = "https://login.example.org", "subject of vera", Ticket("a ticket")
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        link_account(tx, user_id="vera", issuer=issuer, subject=subject, reason="Seen by HR")
    with house.alone("vera") as tx:
        begin_visit(tx, ticket=ticket, record=STATEMENT.key, meaning=Meaning.ACCEPTED)
    with house.alone("vera") as tx:
        vouched = Vouched(issuer, subject, tx.now)
        assert isinstance(prove_by_visit(tx, ticket=ticket, vouched=vouched), ProviderReturn)
    with house.alone("vera") as tx:
        step_up = Credentials("vera", "", "I have read it", step_up=ticket.text)
        accepted = accept_accountability(tx, read=STATEMENT.sha256, credentials=step_up)
        assert not isinstance(accepted, Refusal)
    with TemporaryDirectory() as folder:
        enrolled(keyed(house, Path(folder)), "vera")


def _supersede(house: House) -> None:
    """Another file has the next version of a run; it is reviewed again."""
    own = {"lot_id": LOT, "sample_id": f"{LOT}-S01"}
    data = table([own | good("endotoxin") | {"value": "<0.04"}])
    assert house.upload(data, supersedes="Wrong cell was exported").accepted
    assert isinstance(house.review(), list)


def _other_stage(house: House) -> None:
    """A specification of thawed doses judges a second lot, and is withdrawn in the end."""
    name, version = adopt(house, POST_THAW)
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_lot(tx, NewLot("MSC-26-0099", PRODUCT, THAWED_FROM, EXPIRES_ON, (DONOR,)))
    with house.acting(QA1, Permission.APPROVE_SPECIFICATION) as tx:
        withdrawn = withdraw_specification(
            tx, specification=name, version=version, from_day=date(2099, 1, 1),
            credentials=signing(QA1, "Replaced by another test"),
        )  # fmt: skip
        assert not isinstance(withdrawn, Refusal)


def _type(house: House) -> None:
    """One result of the second lot has no file: two people type it."""
    lot, sample = "MSC-26-0099", "MSC-26-0099-S01"
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        taken = NewSample(sample, "release", "cryovial", TAKEN_AT.isoformat())
        register_samples(tx, lot=lot, samples=[taken])
    number = enter(
        house, lot=lot, sample=sample, documents=(Document("report.pdf", len(REPORT), REPORT),)
    ).number
    assert verify(house, number)


def _donate(house: House) -> None:
    """A donor with records of every kind, who gave twice and withdrew the consent in the end."""
    donor, second = "DNR-UC-02", "DON-25-0002"
    with house.acting(DON, Permission.REGISTER_DONOR) as tx:
        register_donor(tx, code=donor, tissue_source="umbilical cord")
    complete(house, donor)
    assert isinstance(determine(house, donor, panel=adopt_panel(house)), EligibilityRow)
    donate(house, donor, kind="local", id=second)
    with house.acting(DON, Permission.KEEP_DONOR_RECORDS) as tx:
        pool_donations(
            tx, kind="local", pool="POOL-25-0001", donations=(DIN, second),
            pooled_on=DONATED_ON, reason="One culture of both",
        )  # fmt: skip
        withdraw_consent(
            tx, house.archive, donor=donor, withdrawn_on=DONATED_ON, reason="The donor wrote so"
        )


def _stop(house: House) -> None:
    with house.acting(QA1, Permission.RECORD_STOP) as tx:
        began = "2026-05-31T18:00:00Z"
        assert isinstance(record_stop(tx, began=began, credentials=signing(QA1)), SystemStop)


def _hold(house: House) -> None:
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        assert isinstance(hold_lot(tx, lot=LOT, credentials=signing(QA1)), Hold)
    with house.acting(QA2, Permission.HOLD_LOT) as tx:
        assert isinstance(
            let_go(tx, house.archive, lot=LOT, number=1, credentials=signing(QA2)), HoldEnd
        )


def _investigate(house: House) -> None:
    """A result of the second lot fails; a deviation bears on it."""
    failed = alone("CD73", lot="MSC-26-0099", value="80", run_id="FLOW-9")
    assert house.upload(failed).accepted
    perform(house)
    with house.acting(QA2, Permission.SET_REGISTER_RULE) as tx:
        set_days_due(tx, days=20, reason="As the SOP has it")
    with house.acting(QA1, Permission.KEEP_DEVIATIONS) as tx:
        wanted = NewDeviation("DEV-26-001", "Freezer", "QMS 1", State.OPEN, False, ("MSC-26-0099",))
        kept = keep_deviation(tx, deviation=wanted, credentials=signing(QA1))
        assert not isinstance(kept, Refusal)


def _correct(house: House) -> None:
    with house.acting(ANA, Permission.REQUEST_CORRECTION) as tx:
        correction = request_correction(
            tx, subject=f"lot:{LOT}", field="expires_on", after="2027-05-17", reason="Misread label"
        )
        number = correction.natural_key
    with house.acting(QA2, Permission.APPROVE_CORRECTION) as tx:
        decided = decide_correction(
            tx, house.archive, number=number, approve=True, credentials=signing(QA2)
        )
        assert isinstance(decided, CorrectionDecision)


def _certificate(house: House) -> None:
    with house.acting(QA1, Permission.ISSUE_CERTIFICATE) as tx:
        certificate = certificate_by(tx.session, CERTIFICATE)
        assert certificate is not None
        document = b"as if it were the sealed document"
        issue = CertificateIssue(
            certificate=certificate,
            document_sha=house.archive.put(document),
            size=len(document),
            issued_by=QA1,
            issued_at=tx.now,
        )
        tx.add(issue)
        tx.audit("certificate issued", rows=[issue], about=[certificate.key])
        longer = document + b", and renewed"
        renewal = CertificateRenewal(
            certificate=certificate,
            number=1,
            document_sha=house.archive.put(longer),
            size=len(longer),
            provable_until="2036-06-01T00:00:00.000000Z",
            renewed_by=QA1,
            renewed_at=tx.now,
        )
        tx.add(renewal)
        tx.audit("certificate renewed", rows=[renewal], about=[certificate.key])
    with house.acting(QA1, Permission.ISSUE_CERTIFICATE) as tx:
        print_copy(tx, number=CERTIFICATE, recipient="Regional Hospital Da Lat")


def _certify(house: House) -> None:
    """As if the lot had been released conditionally, and certified by a qualified person."""
    with house.acting(QA1, Permission.SET_POLICY) as tx:
        assert isinstance(
            set_policy(tx, policy=Policy.SUPPLY_BY_EXCEPTION, value=ON, credentials=signing(QA1)),
            PolicyRow,
        )
    with house.acting(QA1, Permission.CHECK_LOT) as tx:
        lot = the_lot(tx.session, LOT)
        (disposition,) = dispositions_of(tx.session, lot)
        content = house.archive.put(b"as if it were a checklist")
        signature = sign(
            tx, signing(QA1), meaning=Meaning.CHECKED, record=lot.key, record_sha256=content
        )
        assert isinstance(signature, SignatureRow)
        check = LotCheck(
            lot=lot, number=1, basis_sha256="0", content_sha=content, signature=signature
        )
        certified = Certification(year=2026, number=1, disposition=disposition, lot_check=check)
        (certificate,) = certificates_of(tx.session, lot)
        rows = [
            check,
            certified,
            Transfer(certification=certified, signature=signature),
            PendingResult(disposition=disposition, criterion="sterility", due_on="2026-07-01"),
            ConditionalSite(disposition=disposition, site="SITE-1"),
            CertificateWithdrawal(
                certificate=certificate, reason="As if", about=lot.key, withdrawn_by=QA1,
                withdrawn_at=tx.now,
            ),
        ]  # fmt: skip
        tx.add(*rows)
        tx.audit("lot checked", rows=[signature, *rows], about=[lot.key])


def _visit(house: House) -> None:
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        session = sign_in(tx, user_id=AUD, password=PASSWORD, token="a token", hours=8)
        assert isinstance(session, SignIn)
        mistyped = sign_in(tx, user_id=AUD, password="mistyped", token="another", hours=8)
        assert isinstance(mistyped, Refusal)
    with house.alone(AUD) as tx:
        sign_out(tx, token="a token")
        answer = Answer(
            person=AUD, idempotency_key="k", request_sha256="0", status=200, body="{}", at=tx.now
        )
        tx.add(answer)
        tx.audit("answered", rows=[answer])
