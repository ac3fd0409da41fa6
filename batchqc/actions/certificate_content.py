"""Freezing what a certificate says, from the case that was decided."""

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc import __version__
from batchqc.actions.certificate_signatures import corrections_of_lot, moment, signatures_of
from batchqc.actions.certificate_statements import register_statements
from batchqc.actions.entry_remarks import entry_remarks
from batchqc.actions.evaluation import LotCase
from batchqc.actions.retest_remarks import retest_remarks, retest_statements
from batchqc.core.acceptance import Limits
from batchqc.core.certificate_criteria import accept_part
from batchqc.core.certificate_parts import Supersedes
from batchqc.core.certificates import (
    CONTENT_TYPE,
    NOT_TESTED,
    CertificateContent,
    Provenance,
    ResultLine,
    SealPart,
    SignaturePart,
    conclusion_of,
)
from batchqc.core.policies import Policy, status_page
from batchqc.core.subjects import Derived, DonorFact, Measured
from batchqc.core.timing import day_read
from batchqc.core.verdicts import Verdict
from batchqc.intake.contract import CONTRACT
from batchqc.records.audit import settled_link
from batchqc.records.corrections import approved_changes
from batchqc.records.decisions import Certificate
from batchqc.records.holds import HoldEnd
from batchqc.records.log import newest_checkpoint
from batchqc.records.people import all_people
from batchqc.records.policies import policies_of
from batchqc.records.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from batchqc.records.uploads import Upload


class Heading(NamedTuple):
    """What a certificate is: its number, what was decided, which one it replaces, who signed."""

    number: str
    disposition: str
    supersedes: Supersedes | None
    signatures: list[SignaturePart]
    seals: list[SealPart]
    page: str


def frozen_content(
    tx: Transaction,
    *,
    case: LotCase,
    certificate: Certificate,
    pending: "Mapping[str, date]",
    ended: HoldEnd | None = None,
) -> CertificateContent:
    """The content of a certificate (requirements 5.01 to 5.06), in canonical types only."""
    zone, number = ZoneInfo(case.row.site.time_zone), certificate.natural_key
    decided = certificate.disposition
    signatures, seals = signatures_of(case, decided.signature, ended, zone)
    page = status_page(policies_of(tx.session)[Policy.PUBLIC_ADDRESS], number)
    replaced = _supersedes(certificate, ended)
    heading = Heading(number, decided.disposition, replaced, signatures, seals, page)
    return content_under(tx.session, heading, case=case, pending=pending, now=tx.now)


def content_under(
    session: Session,
    heading: Heading,
    *,
    case: LotCase,
    pending: "Mapping[str, date]",
    now: datetime,
) -> CertificateContent:
    """What a certificate with such a heading says of a lot at a moment.

    Raises:
        ValueError: the specification of the lot cannot be read.
    """
    site, product, version = case.row.site, case.row.product, case.version
    if case.specification is None:
        raise ValueError("a lot without a readable specification has no certificate")
    zone = ZoneInfo(site.time_zone)
    notes: list[str] = []
    link = settled_link(session)
    laboratories = {one.user_id: one.name for one in all_people(session) if one.is_laboratory}
    lines = [_line(laboratories, case, verdict, notes) for verdict in case.verdicts]
    complies = not any(verdict.blocks for verdict in case.verdicts)
    titles = {one.criterion.id: one.criterion.title for one in case.verdicts}
    content: CertificateContent = {
        "type": CONTENT_TYPE,
        "number": heading.number,
        "specimen": site.specimen,
        "statements": [
            *site.statements.splitlines(),
            *register_statements(session, case),
            *retest_statements(case),
        ],
        "issuer": {
            "name": site.name,
            "address": site.address.splitlines(),
            "time_zone": site.time_zone,
        },
        "issued": moment(now.astimezone(zone)),
        "supersedes": heading.supersedes,
        "product": {
            "code": product.code,
            "name": product.name,
            "form": product.form,
            "storage": product.storage,
        },
        "lot": {
            "id": case.lot.id,
            "manufactured_on": case.lot.manufactured_on.isoformat(),
            "expires_on": case.lot.expires_on.isoformat(),
            "samples": [
                {
                    "id": row.sample,
                    "stage": row.stage,
                    "container": dict(approved_changes(case.corrections, row.key)).get(
                        "container", row.container
                    ),
                    "taken": moment(datetime.fromisoformat(row.taken_text)),
                }
                for row in case.sample_rows
            ],
        },
        "donors": [
            {
                "code": one.code,
                "tissue_source": one.tissue_source,
                "eligibility": one.eligibility,
            }
            for one in case.facts.donors
        ],
        "specification": {
            "id": version.specification,
            "version": version.version,
            "title": version.title,
            "effective": version.effective,
            "sha256": version.sha256,
        },
        "decision_rule": case.specification.decision_rule,
        "lines": lines,
        "notes": notes,
        "conclusion": conclusion_of(
            case.lot.id,
            version.reference,
            heading.disposition,
            complies=complies,
            pending=[(titles[name], day) for name, day in pending.items()],
        ),
        "complies": complies,
        "signatures": heading.signatures,
        "seals": heading.seals,
        "corrections": corrections_of_lot(case, zone),
        "audit": {"sequence": link.sequence if link else 0, "head": link.sha256 if link else ""},
        "software": {
            "batchqc": __version__,
            "contract": CONTRACT,
            "vocabularies": [one.reference for one in case.specification.vocabularies],
        },
        "status": {"page": heading.page},
    }
    if checkpoint := newest_checkpoint(session):
        said = checkpoint.checkpoint
        content["log"] = {"origin": said.origin, "size": said.size, "root": said.root.hex()}
    if pending:
        content["pending"] = [
            {"criterion": name, "title": titles[name], "due_on": day.isoformat()}
            for name, day in sorted(pending.items())
        ]
    return content


def _supersedes(certificate: Certificate, ended: HoldEnd | None) -> Supersedes | None:
    """The certificate before, and what decision, or which end of a hold, came since."""
    earlier = certificate.supersedes
    if earlier is None:
        return None
    if ended is not None:
        return {"number": earlier.natural_key, "reason": f"let go: {ended.reason}"}
    decided = certificate.disposition
    return {"number": earlier.natural_key, "reason": f"{decided.disposition}: {decided.reason}"}


def _line(
    laboratories: "Mapping[str, str]", case: LotCase, verdict: Verdict, notes: list[str]
) -> ResultLine:
    criterion, derivation = verdict.criterion, verdict.derivation
    subject = criterion.subject
    measured = subject if isinstance(subject, Measured) else None
    remarks = [criterion.note] if criterion.note else []
    if derivation.rounded is not None:
        remarks.append(f"{criterion.title}: {derivation.rounding}.")
    if criterion.basis:
        remarks.append(f"{criterion.title}: {criterion.basis}.")
    if isinstance(subject, Derived):
        remarks.append(f"{criterion.title}: {derivation.aggregate}.")
    if day := day_read(subject, verdict.measurements):
        remarks.append(f"{criterion.title}: read on {day}.")
    remarks += [f"{criterion.title}: not counted: {run}." for run in derivation.set_aside]
    if verdict.trend:
        remarks.append(f"{criterion.title}: out of trend, beyond the {verdict.trend} limit.")
    remarks += retest_remarks(verdict)
    remarks += _superseded(case, verdict)
    if verdict.counted_in:
        remarks.append(f"{criterion.title}: judged as part of {verdict.counted_in}.")
    remarks += [f"Comment in the file: {text}" for text in _comments(verdict)]
    remarks += entry_remarks(case, verdict)
    zone = ZoneInfo(case.row.site.time_zone)  # days are those of the site
    used = [one.measured_at.astimezone(zone).date().isoformat() for one in verdict.measurements]
    return {
        "criterion": criterion.id,
        "title": criterion.title,
        "category": criterion.category.value,
        "test": measured.test if measured else "",
        "method": _method(verdict),
        "analyte": measured.analyte if measured else "",
        "stage": "donor" if isinstance(subject, DonorFact) else case.version.stage,
        "unit": criterion.unit,
        "acceptance": criterion.acceptance,
        "accept": accept_part(criterion.accept, criterion.guard),
        "rounding": criterion.rounding.value if isinstance(criterion.accept, Limits) else "",
        "result": derivation.result or NOT_TESTED,
        "rounded": derivation.rounded,
        "verdict": verdict.outcome.value if verdict.outcome else None,
        "sentence": verdict.sentence,
        "n": len(verdict.measurements),
        "aggregate": derivation.aggregate,
        "measured_on": max(used, default=""),
        "external": ", ".join(
            sorted(
                {laboratories[m.analyst] for m in verdict.measurements if m.analyst in laboratories}
            )
        ),
        "notes": [_note(notes, text) for text in remarks],
        "provenance": _provenance(case, verdict),
    }


def _comments(verdict: Verdict) -> list[str]:
    return list(dict.fromkeys(one.comment for one in verdict.measurements if one.comment))


def _superseded(case: LotCase, verdict: Verdict) -> list[str]:
    """Which other files held the runs of a result before, and why they no longer count."""
    used = {one.run for one in (*verdict.measurements, *verdict.controls)}
    found, runs = [], {run.id: run.run_key for run in case.runs}
    for one in reversed(case.supersedings):
        older, newer = runs[one.older_id], runs[one.newer_id]
        if newer in used:
            used.add(older)
            found.append(f"{older} is superseded by {newer}: {one.reason}.")
    return found[::-1]


def _method(verdict: Verdict) -> str:
    methods = {
        f"{one.method} v{one.version}" if one.version else one.method
        for one in verdict.measurements
    }
    return ", ".join(sorted(methods)) or verdict.criterion.method


def _note(notes: list[str], text: str) -> int:
    if text not in notes:
        notes.append(text)
    return notes.index(text) + 1


def _provenance(case: LotCase, verdict: Verdict) -> list[Provenance]:
    uploads: Mapping[str, Upload] = {run.upload.natural_key: run.upload for run in case.runs}
    return [
        {
            "upload": one.run.upload,
            "file": uploads[one.run.upload].file,
            "sha256": uploads[one.run.upload].sha256,
            "row": one.cell.row,
            "column": one.cell.column,
            "text": one.cell.text,
        }
        for one in (*verdict.measurements, *verdict.controls)
    ]
