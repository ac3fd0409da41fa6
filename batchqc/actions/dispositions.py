"""The decision over a lot: release or reject, signed, with its content frozen.

A lot is released when this transaction commits; its certificate has its number and its content
then, and is sealed afterwards.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from batchqc.actions.certificates import reserve_certificate
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.lots import lock_lot, the_lot
from batchqc.actions.methods import hold_methods
from batchqc.actions.permission import require
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.dispositions import signer_gate
from batchqc.core.gates import blocking_reasons
from batchqc.core.lot_states import Disposition, may_decide
from batchqc.core.permissions import Permission
from batchqc.core.runs import RunValidity
from batchqc.core.signatures import Meaning, Refusal
from batchqc.core.verdicts import Verdict
from batchqc.documents.archive import FolderArchive
from batchqc.errors import Conflict, NotPermitted, ReleaseBlocked
from batchqc.records.audit import newest_link
from batchqc.records.base import Row
from batchqc.records.decisions import Certificate, DispositionRow
from batchqc.records.signatures import SignatureRow
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and the certificate that was reserved for it."""

    disposition: DispositionRow
    certificate: Certificate | None


def release_lot(
    tx: Transaction,
    archive: FolderArchive,
    *,
    lot: str,
    credentials: Credentials,
) -> Decision | Refusal:
    """Release a lot whose every gate is open, and reserve its certificate.

    Args:
        tx: of the person who signs.
        archive: the store.
        lot: its id.
        credentials: both components of the signature, and the reason.

    Raises:
        NotPermitted: only this person may not; another one may.
        ReleaseBlocked: with every reason.
    """
    require(tx, Permission.RELEASE_LOT)
    check_reason(credentials.reason)
    case = _case(tx, archive, lot)
    people = signer_gate(case.facts, tx.actor.user_id)
    reasons = blocking_reasons((*case.gates, people))
    if reasons and case.is_ready:
        raise NotPermitted(
            "BQC-REL-002",
            f"{tx.actor.user_id} may not release lot {case.lot.id}",
            reasons=reasons,
            hint=people.todo,
        )
    if reasons:
        raise ReleaseBlocked(
            "BQC-REL-001",
            f"lot {case.lot.id} may not be released",
            reasons=reasons,
            hint="See the readiness of the lot: each closed gate says what to do.",
        )
    signed = _decide(tx, archive, case, Disposition.RELEASED, credentials)
    if isinstance(signed, Refusal):
        return signed
    disposition, signature = signed
    certificate = reserve_certificate(tx, archive, case=case, disposition=disposition)
    _audit(tx, case, [signature, disposition, certificate], credentials.reason, disposition)
    return Decision(disposition, certificate)


def reject_lot(
    tx: Transaction, archive: FolderArchive, *, lot: str, credentials: Credentials
) -> Decision | Refusal:
    """Reject a lot; QA may do so at any time before it is decided."""
    require(tx, Permission.REJECT_LOT)
    check_reason(credentials.reason)
    case = _case(tx, archive, lot)
    if not may_decide(case.disposition, Disposition.REJECTED):
        raise Conflict("BQC-REL-003", f"lot {case.lot.id} is {case.disposition}; it stays so")
    signed = _decide(tx, archive, case, Disposition.REJECTED, credentials)
    if isinstance(signed, Refusal):
        return signed
    disposition, signature = signed
    _audit(tx, case, [signature, disposition], credentials.reason, disposition)
    return Decision(disposition, None)


def decision_content(case: LotCase, disposition: Disposition, head: Json) -> dict[str, Json]:
    """What QA signs: the lot, the specification by hash, every verdict with its cells, reviews.

    Args:
        case: the lot with all its facts.
        disposition: what is decided.
        head: sequence and hash of the audit trail's newest link.
    """
    version = case.version
    return {
        "type": "batchqc/decision/1",
        "lot": case.row.content(),
        "manufactured_on": case.lot.manufactured_on.isoformat(),
        "expires_on": case.lot.expires_on.isoformat(),
        "disposition": disposition.value,
        "specification": {"id": version.reference, "sha256": version.sha256},
        "donors": [[one.code, one.tissue_source, one.eligibility] for one in case.facts.donors],
        "verdicts": _verdicts(case.verdicts),
        "beside": [
            {
                "specification": one.specification.reference,
                "sha256": one.sha256,
                "verdicts": _verdicts(one.verdicts),
            }
            for one in case.beside
        ],
        "runs": [[run.key, run.content_sha256] for run in case.runs],
        "superseded": sorted(list(one.versions) for one in case.supersedings),
        "methods": [[one.reference, one.sha256] for one in case.looked_at.methods],
        "validity": validity_content(case.looked_at.validity.values()),
        "reviews": sorted({review.signature.natural_key for review in case.reviews}),
        **_second_entries(case),
        "gates": [[gate.name, list(gate.reasons)] for gate in case.gates],
        **_remarks(case),
        "corrections": [one.natural_key for one, _ in case.corrections],
        "audit": head,
    }


def _second_entries(case: LotCase) -> dict[str, Json]:
    """Every second entry by its signature, where results of the lot were typed."""
    signatures = sorted(one.signature.natural_key for one in case.verifications)
    return {"second entries": list[Json](signatures)} if signatures else {}


def _remarks(case: LotCase) -> dict[str, Json]:
    """What the registers say of the lot and does not stop its release, where they say anything."""
    remarks = case.facts.registers.remarks
    return {"remarks": list[Json](remarks)} if remarks else {}


def validity_content(validity: Iterable[RunValidity]) -> list[Json]:
    """Each run that has criteria: its validity, by which method versions, and why not."""
    return [
        [
            str(one.run),
            one.validity.value,
            [list(method) for method in one.methods],
            list(one.reasons),
        ]
        for one in sorted(validity, key=lambda one: str(one.run))
    ]


def _verdicts(verdicts: Sequence[Verdict]) -> list[Json]:
    """Each verdict with its sentence and the cells that it hangs on."""
    return [
        {
            "criterion": verdict.criterion.id,
            "verdict": verdict.outcome.value if verdict.outcome else None,
            "sentence": verdict.sentence,
            "cells": [
                [str(one.run), one.cell.row, one.text]
                for one in (*verdict.measurements, *verdict.controls)
            ],
        }
        for verdict in verdicts
    ]


def _case(tx: Transaction, archive: FolderArchive, lot: str) -> LotCase:
    row = the_lot(tx.session, lot)
    lock_lot(tx, row)
    hold_methods(tx)
    return study(tx.session, archive, lot=row, now=tx.now)


def _decide(
    tx: Transaction,
    archive: FolderArchive,
    case: LotCase,
    disposition: Disposition,
    credentials: Credentials,
) -> tuple[DispositionRow, SignatureRow] | Refusal:
    link = newest_link(tx.session)
    head: Json = [link.sequence, link.sha256] if link else None
    content_sha = archive.put(canonical_bytes(decision_content(case, disposition, head)))
    meaning = Meaning.CERTIFIED if disposition is Disposition.RELEASED else Meaning.REJECTED
    signature = sign(
        tx, credentials, meaning=meaning, record=case.row.key, record_sha256=content_sha
    )
    if isinstance(signature, Refusal):
        return signature
    row = DispositionRow(
        lot=case.row,
        number=len(case.dispositions) + 1,
        disposition=disposition.value,
        reason=credentials.reason,
        content_sha=content_sha,
        signature=signature,
        decided_at=tx.now,
    )
    tx.add(row)
    return row, signature


def _audit(
    tx: Transaction, case: LotCase, rows: Sequence[Row], reason: str, decided: DispositionRow
) -> None:
    tx.audit(
        f"lot {decided.disposition}",
        rows=rows,
        about=[case.row.key],
        reason=reason,
        before={"disposition": case.disposition.value},
        after={"disposition": decided.disposition, "decision sha256": decided.content_sha},
    )
