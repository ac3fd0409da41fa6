"""EU GMP Annex 16: manufacture is checked, a QP certifies, the lot goes to saleable stock."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.looked_at import review_basis
from batchqc.actions.lots import lock_lot, the_lot
from batchqc.actions.permission import require
from batchqc.actions.registers import refuse_all
from batchqc.actions.reviews import check_undecided
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.annex16 import checklist_problems
from batchqc.core.canonical import Json, canonical_bytes, sha256_of
from batchqc.core.dispositions import signer_gate
from batchqc.core.lot_states import USABLE, Disposition
from batchqc.core.permissions import Permission
from batchqc.core.policies import Policy, needs_qp
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict
from batchqc.records.annex16 import Certification, LotCheck, Transfer, certifications_of, checks_of
from batchqc.records.corrections import corrected_lot, corrections_of
from batchqc.records.decisions import DispositionRow, dispositions_of
from batchqc.records.holds import open_holds
from batchqc.records.policies import policies_of
from batchqc.records.registers import LotRow
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction


def qp_certifies(session: Session, lot: LotRow) -> bool:
    """Whether a qualified person certifies this lot."""
    return needs_qp(policies_of(session)[Policy.QP_CERTIFIES], lot.market)


def permission_to_release(session: Session, lot: LotRow) -> Permission:
    """What who releases this lot must be permitted."""
    return Permission.CERTIFY_LOT if qp_certifies(session, lot) else Permission.RELEASE_LOT


def may_release(tx: Transaction, case: LotCase) -> None:
    """Refuse a release by who is not permitted to release this lot."""
    require(tx, permission_to_release(tx.session, case.row))


def check_manufacture(
    tx: Transaction,
    archive: Archive,
    *,
    lot: str,
    answers: Mapping[str, str],
    credentials: Credentials,
) -> LotCheck | Refusal:
    """Step 1: sign that manufacture and testing were checked, point by point.

    Args:
        tx: of QA or the qualified person.
        archive: the store.
        lot: its id.
        answers: to each of ``core.annex16.POINTS``, by whom or with which record it is ensured.
        credentials: both components of the signature, and the reason.

    Raises:
        InvalidInput: with every point that is not answered.
        Conflict: the lot is not ready for it, is decided, or its records are damaged.
    """
    require(tx, Permission.CHECK_LOT)
    check_reason(credentials.reason)
    refuse_all("BQC-QPC-001", "the checklist is not complete", list(checklist_problems(answers)))
    row = the_lot(tx.session, lot)
    lock_lot(tx, row)
    case = study(tx.session, archive, lot=row, now=tx.now)
    check_undecided(case)
    before = (
        *case.facts.lot_review.stops,
        *case.facts.audit_review.stops,
        *signer_gate(case.facts, tx.actor.user_id).reasons,
    )
    if before:
        raise Conflict(
            "BQC-QPC-002",
            f"lot {row.lot} is not ready to be checked",
            reasons=before,
            hint="QC reviews the lot and QA its audit trail first.",
        )
    basis = review_basis(case.so_far)
    content: dict[str, Json] = {
        "type": "batchqc/lot-check/1",
        "lot": row.key,
        "basis": sha256_of(basis),
        "answers": dict(answers),
    }
    content_sha = archive.put(canonical_bytes(content))
    signature = sign(
        tx, credentials, meaning=Meaning.CHECKED, record=row.key, record_sha256=content_sha
    )
    if isinstance(signature, Refusal):
        return signature
    check = LotCheck(
        lot=row,
        number=len(checks_of(tx.session, row)) + 1,
        basis_sha256=sha256_of(basis),
        content_sha=content_sha,
        signature=signature,
    )
    tx.add(check)
    tx.audit("lot checked", rows=[signature, check], about=[row.key], reason=credentials.reason)
    return check


def certify(tx: Transaction, case: LotCase, disposition: DispositionRow) -> list[Certification]:
    """Step 2: the row of the register under a release, where a qualified person certifies."""
    if not qp_certifies(tx.session, case.row):
        return []
    year = tx.now.year
    tx.lock(f"certifications of {year}")
    row = Certification(
        year=year,
        number=next_number(tx.session, Certification, year),
        disposition=disposition,
        lot_check=checks_of(tx.session, case.row)[-1],
    )
    tx.add(row)
    return [row]


def transfer_to_stock(tx: Transaction, *, lot: str, credentials: Credentials) -> Transfer | Refusal:
    """Step 3: sign that a certified lot goes to saleable stock.

    Raises:
        Conflict: no certification of the lot waits for it, or the lot is on hold or expired.
    """
    require(tx, Permission.CHECK_LOT)
    check_reason(credentials.reason)
    row = the_lot(tx.session, lot)
    lock_lot(tx, row)
    found = certifications_of(tx.session, row)
    decided = dispositions_of(tx.session, row)
    lot_now = corrected_lot(row, corrections_of(tx.session, [row.key]))
    against = []
    if not found or found[-1][1] is not None:
        against.append("no certification of it waits for its transfer")
    if not decided or decided[-1].disposition not in USABLE:
        against.append(f"it is {decided[-1].disposition if decided else Disposition.QUARANTINE}")
    if tx.now.astimezone(ZoneInfo(row.site.time_zone)).date() > lot_now.expires_on:
        against.append(f"it expired: {lot_now.expires_on} was its last usable day")
    against += [f"hold {one.natural_key} lies on it" for one in open_holds(tx.session, [row.id])]
    if against:
        raise Conflict(
            "BQC-QPC-003",
            f"lot {row.lot} cannot go to saleable stock now",
            reasons=against,
            hint="Look at the lot: once a hold on it ends, the transfer can be signed.",
        )
    certification = found[-1][0]
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.TRANSFERRED,
        record=certification.key,
        record_sha256=certification.content_sha256,
    )
    if isinstance(signature, Refusal):
        return signature
    transfer = Transfer(certification=certification, signature=signature)
    tx.add(transfer)
    tx.audit(
        "lot transferred to stock",
        rows=[signature, transfer],
        about=[row.key, certification.key],
        reason=credentials.reason,
    )
    return transfer
