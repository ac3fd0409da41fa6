"""What every decision over a lot has in common: its content, its signature, its entry."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.late_signing import said_late
from batchqc.actions.lots import lock_lot, the_lot
from batchqc.actions.methods import hold_methods
from batchqc.actions.origins import GENEALOGY
from batchqc.actions.overdue import hold_overdue
from batchqc.actions.signing import Credentials, sign
from batchqc.actions.true_times import times_of_decisions, times_of_release
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.lot_states import Disposition
from batchqc.core.runs import RunValidity
from batchqc.core.signatures import Meaning, Refusal
from batchqc.core.verdicts import Verdict
from batchqc.documents.archive import Archive
from batchqc.records.audit import settled_link
from batchqc.records.base import Row
from batchqc.records.decisions import DispositionRow
from batchqc.records.donor_panels import PANELS
from batchqc.records.investigations import InvestigationRow, InvestigationStep
from batchqc.records.laboratory import RULES
from batchqc.records.policies import POLICIES
from batchqc.records.registers import LotRow
from batchqc.records.signatures import SignatureRow
from batchqc.records.transaction import Transaction

NOTHING: Final[Mapping[str, Json]] = MappingProxyType({})
MEANINGS: Final[Mapping[Disposition, Meaning]] = {
    Disposition.RELEASED: Meaning.CERTIFIED,
    Disposition.CONDITIONAL: Meaning.CERTIFIED_CONDITIONALLY,
    Disposition.REJECTED: Meaning.REJECTED,
    Disposition.RECALLED: Meaning.RECALLED,
    Disposition.SUPPLIED: Meaning.SUPPLIED,
    Disposition.DESTROYED: Meaning.DESTROYED,
}
#: With these a dose may be given: they rest on everything that was measured and signed.
_FOR_USE: Final = frozenset({Disposition.RELEASED, Disposition.CONDITIONAL, Disposition.SUPPLIED})


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
        "runs": [[run.key, case.rows.hash_of(run)] for run in case.runs],
        "superseded": sorted(list(one.versions) for one in case.supersedings),
        "methods": [[one.reference, one.sha256] for one in case.looked_at.methods],
        "validity": validity_content(case.looked_at.validity.values()),
        "reviews": sorted({review.signature.natural_key for review in case.reviews}),
        **_second_entries(case),
        **_investigations(case),
        "gates": [[gate.name, list(gate.reasons)] for gate in case.gates],
        **_remarks(case),
        "corrections": [one.natural_key for one, _ in case.corrections],
        "audit": head,
    }


def _second_entries(case: LotCase) -> dict[str, Json]:
    """Every second entry by its signature, where results of the lot were typed."""
    signatures = sorted(one.signature.natural_key for one in case.verifications)
    return {"second entries": list[Json](signatures)} if signatures else {}


def _investigations(case: LotCase) -> dict[str, Json]:
    """Every step of an investigation by its key and hash, where results of the lot failed."""
    records = [
        one
        for one in case.further.investigations.rows
        if isinstance(one, InvestigationRow | InvestigationStep)
    ]
    hashes: list[Json] = [[one.key, case.rows.hash_of(one)] for one in records]
    return {"investigations": hashes} if hashes else {}


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


def case_to_decide(tx: Transaction, archive: Archive, lot: str) -> LotCase:
    """A lot with all its facts, locked: nobody changes what the decision rests on.

    Where a result is overdue, the lot is held for it first, whatever is decided now.
    """
    row = lock_to_decide(tx, lot)
    hold_overdue(tx, archive, [row])
    return study(tx.session, archive, lot=row, now=tx.now)


def lock_to_decide(tx: Transaction, lot: str) -> LotRow:
    """Keep everybody away from what a decision over a lot looks at, also where it is not its own.

    The one order of these locks: what is of many lots, the lot with its donors, methods.
    """
    lock_rules(tx)
    row = the_lot(tx.session, lot)
    lock_lot(tx, row)
    hold_methods(tx)
    return row


def lock_rules(tx: Transaction) -> None:
    """Keep what gates look at for every lot as it is; lots are locked after it, then methods."""
    tx.lock(GENEALOGY)
    tx.lock(RULES)
    tx.lock(POLICIES)
    tx.lock(PANELS)


def sign_decision(
    tx: Transaction,
    archive: Archive,
    case: LotCase,
    disposition: Disposition,
    credentials: Credentials,
    *,
    said: Mapping[str, Json] = NOTHING,
) -> tuple[DispositionRow, SignatureRow] | Refusal:
    """Sign the content of a decision; ``said`` is what belongs to this kind of decision."""
    link = settled_link(tx.session)
    head: Json = [link.sequence, link.sha256] if link else None
    content = {**decision_content(case, disposition, head), **said}
    content_sha = archive.put(canonical_bytes(content))
    meaning = MEANINGS[disposition]
    signature = sign(
        tx,
        credentials,
        meaning=meaning,
        record=case.row.key,
        record_sha256=content_sha,
        rests_on=times_of_release(tx.session, case)
        if disposition in _FOR_USE
        else times_of_decisions(case),
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


def audit_decision(
    tx: Transaction, case: LotCase, rows: Sequence[Row], reason: str, decided: DispositionRow
) -> None:
    """Write the entry of a decision."""
    tx.audit(
        f"lot {decided.disposition}",
        rows=rows,
        about=[case.row.key],
        reason=reason,
        before={"disposition": case.disposition.value},
        after={
            "disposition": decided.disposition,
            "decision sha256": decided.content_sha,
            **said_late(decided.signature),
        },
    )
