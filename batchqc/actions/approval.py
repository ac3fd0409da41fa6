"""Approval: a second person signs what passes, and what it would have done to every past lot."""

import json

from batchqc.actions.binding import hold_versions, taken_lots
from batchqc.actions.permission import require
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.actions.specifications import content_of, the_version
from batchqc.core.boundaries import boundaries
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.effectivity import never_applied
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.core.specifications import Specification
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, IntegrityFailure
from batchqc.records.history import basis_of_impact
from batchqc.records.specifications import (
    ImpactReport,
    SpecificationApproval,
    SpecificationVersion,
    approval_of,
    approved_versions,
    reports_of,
    submission_of,
)
from batchqc.records.transaction import Transaction


def approve_specification(
    tx: Transaction,
    archive: Archive,
    *,
    specification: str,
    version: int,
    impact: str,
    credentials: Credentials,
) -> SpecificationApproval | Refusal:
    """Approve a version. The author may not.

    The signature binds the approval content: the hash of the version's bytes, its boundaries, and
    the impact report that the approver has seen.

    Args:
        tx: of a QA person.
        archive: takes the approval content.
        specification: the id.
        version: its number.
        impact: SHA-256 of the newest impact report's data.
        credentials: both components of the signature.

    Raises:
        Conflict: with the reason why it cannot be approved.
    """
    require(tx, Permission.APPROVE_SPECIFICATION)
    check_reason(credentials.reason)
    tx.lock(f"specification {specification}")
    row = the_version(tx.session, specification, version)
    hold_versions(tx, row.product)
    if approval_of(tx.session, row) is not None:
        raise Conflict("BQC-SPC-003", f"{row.reference} is approved already")
    if row.author == tx.actor.user_id:
        raise Conflict(
            "BQC-SPC-004",
            f"{row.author} imported {row.reference} and may not approve it",
            hint="Ask another QA person.",
        )
    if submission_of(tx.session, row) is None:
        raise Conflict(
            "BQC-SPC-011",
            f"{row.reference} is a draft; it was not submitted for review",
            hint="Have its author submit it: batchqc spec submit.",
        )
    _refuse_same_day(tx, row)
    _refuse_taken_lots(tx, row)
    report = _seen_report(tx, archive, row, impact)
    content = approval_content(row, content_of(archive, row), report)
    content_sha = archive.put(canonical_bytes(content))
    signature = sign(
        tx, credentials, meaning=Meaning.APPROVED, record=row.key, record_sha256=content_sha
    )
    if isinstance(signature, Refusal):
        return signature
    approval = SpecificationApproval(
        specification_version=row, signature=signature, content_sha=content_sha
    )
    tx.add(approval)
    tx.audit(
        "specification approved",
        rows=[signature, approval],
        about=[row.key],
        reason=credentials.reason,
        after={"sha256": row.sha256, "effective": row.effective, "impact": report.content_sha},
    )
    return approval


def approval_content(
    row: SpecificationVersion, specification: Specification, report: ImpactReport
) -> dict[str, Json]:
    """What an approver signs: the bytes, where each criterion turns, and the impact seen."""
    return {
        "type": "batchqc/specification-approval/1",
        "specification": row.reference,
        "sha256": row.sha256,
        "boundary": [
            {
                "criterion": one.criterion,
                "acceptance": one.acceptance,
                "rounding": one.rounding,
                "passing": one.passing,
                "resolution": one.resolution,
                "turns": [[turn.end, turn.last_failing, turn.first_passing] for turn in one.turns],
            }
            for one in boundaries(specification)
        ],
        "impact": {"report": report.natural_key, "sha256": report.content_sha},
    }


def approval_problem(archive: Archive, approval: SpecificationApproval) -> str:
    """Why an approval does not speak of the version's bytes; "" where it does."""
    version = approval.specification_version
    signed = approval.signature.record_sha256
    other_bytes = f"the approval of {version.reference} was signed over other bytes"
    if not approval.content_sha:  # approved before boundaries and impact were signed
        return "" if signed == version.sha256 else other_bytes
    if signed != approval.content_sha:
        return other_bytes
    try:
        content = json.loads(archive.get(approval.content_sha))
    except IntegrityFailure as failure:
        return f"the approval of {version.reference} cannot be read: {failure.message}"
    return "" if content["sha256"] == version.sha256 else other_bytes


def _refuse_same_day(tx: Transaction, row: SpecificationVersion) -> None:
    """One key, one date, one approved version (design, decided once, 15)."""
    same_day = [
        other.version.reference
        for other in approved_versions(
            tx.session, product=row.product, stage=row.stage, market=row.market
        )
        if other.version.effective == row.effective and not never_applied(other)
    ]
    if same_day:
        raise Conflict(
            "BQC-SPC-005",
            f"{', '.join(same_day)} is approved for {row.product}, {row.stage}, from the same day",
            hint="Give the new version a later effective date.",
        )


def _refuse_taken_lots(tx: Transaction, row: SpecificationVersion) -> None:
    """No approval reaches back to lots that another version judges."""
    lots = taken_lots(tx.session, row)
    if lots:
        raise Conflict(
            "BQC-SPC-013",
            f"{row.reference} applies from {row.effective}; it would judge lots that were"
            " registered without it",
            reasons=lots,
            hint="Give it an effective date after the last of them was made.",
        )


def _seen_report(
    tx: Transaction, archive: Archive, row: SpecificationVersion, impact: str
) -> ImpactReport:
    """The newest impact report, where it is the one seen and nothing came since."""
    reports = reports_of(tx.session, row)
    report = reports[-1] if reports else None
    if report is None or report.content_sha != impact:
        said = "there is no impact report" if report is None else "another impact report is newer"
        raise Conflict(
            "BQC-SPC-015",
            f"{said} of {row.reference}; its approver signs having seen the newest",
            hint="Make one with batchqc spec impact, and read it.",
        )
    content = json.loads(archive.get(report.content_sha))
    if content["basis"] != basis_of_impact(tx.session) or content["sha256"] != row.sha256:
        raise Conflict(
            "BQC-SPC-016",
            f"the impact report of {row.reference} is out of date: lots, results, eligibilities,"
            " corrections or methods came since",
            hint="Make it again with batchqc spec impact, and read it.",
        )
    return report
