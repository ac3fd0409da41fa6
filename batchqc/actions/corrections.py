"""Corrections: what was registered wrongly is never edited (design: nothing regulated is edited).

One person asks for it with the reason, another one decides, signed. While it waits, and for as
long as it is known, the lot's gates are computed with it; each certificate carries its mark.
"""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.binding import bind_lot, hold_versions
from batchqc.actions.corrected_donors import hold_what_fails
from batchqc.actions.corrected_records import CorrectedRecord, corrected_record, now_says
from batchqc.actions.donor_corrections import (
    DonorRecord,
    donor_record_problem,
    new_doubt,
)
from batchqc.actions.investigation_opening import hold_numbers, open_for_failures
from batchqc.actions.look_backs import lock_what_came_of, look_back_by_system
from batchqc.actions.lots import lock_lot
from batchqc.actions.permission import require
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.identifiers import line_problem
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.records.bindings import REBOUND, binding_text
from batchqc.records.corrections import (
    Correction,
    CorrectionDecision,
    corrected_lot,
    correction_by,
    corrections_of,
    decision_on,
)
from batchqc.records.decisions import dispositions_of
from batchqc.records.registers import LotRow, SampleRow, samples_of
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import measurements_of, reviews_of, runs_of


def request_correction(
    tx: Transaction, *, subject: str, field: str, after: str, reason: str
) -> Correction:
    """Ask for a correction of one field of a lot, a sample, or a record of a donor.

    Args:
        tx: of the person who asks.
        subject: kind and id, such as ``lot:UCM-P1-T1``.
        field: what is wrong.
        after: what it should say.
        reason: why it was wrong.

    Raises:
        InvalidInput: the field cannot be corrected so.
        Conflict: the lot is decided, or a correction of the field waits already.
    """
    require(tx, Permission.REQUEST_CORRECTION)
    check_reason(reason)
    found = corrected_record(tx.session, subject)
    after = after.strip()
    _lock(tx, found)
    before = _checked(tx, found, field, after)
    waiting = [
        one.natural_key
        for one, decision in corrections_of(tx.session, [found.row.key])
        if decision is None and one.field == field
    ]
    if waiting:
        raise Conflict("BQC-COR-005", f"{waiting[0]} of the same field waits for its decision")
    tx.lock(f"corrections of {tx.now.year}")
    correction = Correction(
        year=tx.now.year,
        number=next_number(tx.session, Correction, tx.now.year),
        subject=found.row.key,
        field=field,
        before=before,
        after=after,
        reason=reason,
        requested_by=tx.actor.user_id,
        requested_at=tx.now,
    )
    tx.add(correction)
    tx.audit(
        "correction requested",
        rows=[correction],
        about=found.about,
        reason=reason,
        before={field: before},
        after={field: after},
    )
    return correction


def decide_correction(
    tx: Transaction,
    archive: Archive,
    *,
    number: str,
    approve: bool,
    credentials: Credentials,
) -> CorrectionDecision | Refusal:
    """Approve or refuse a correction as the second person, signed.

    What fails by it (another specification judges the lot) is investigated; a lot in use of which
    the corrected donor fails a criterion, or speaks against it now, is held. A result of a donor's
    test that becomes reactive or indeterminate starts the look-back.

    Raises:
        Conflict: it is decided, the same person asked for it, or it does not fit any more.
    """
    require(tx, Permission.APPROVE_CORRECTION)
    check_reason(credentials.reason)
    correction = the_correction(tx.session, number)
    found = corrected_record(tx.session, correction.subject)
    doubt = new_doubt(correction, found.row) if approve else None
    came = approve and found.donor is not None and lock_what_came_of(tx, found.donor)
    _lock(tx, found)
    if decision_on(tx.session, correction) is not None:
        raise Conflict("BQC-COR-006", f"{correction.natural_key} is decided already")
    if correction.requested_by == tx.actor.user_id:
        raise Conflict(
            "BQC-COR-007",
            f"{correction.requested_by} asked for {correction.natural_key} and may not decide it",
            hint="Ask another QA person.",
        )
    if approve and _checked(tx, found, correction.field, correction.after) != correction.before:
        raise Conflict(
            "BQC-COR-008",
            f"{correction.subject} has changed since {correction.natural_key} was asked for",
            hint="Refuse it and ask anew.",
        )
    hold_numbers(tx)
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.APPROVED if approve else Meaning.REJECTED,
        record=correction.key,
        record_sha256=correction.content_sha256,
    )
    if isinstance(signature, Refusal):
        return signature
    decision = CorrectionDecision(correction=correction, signature=signature, approved=int(approve))
    tx.add(decision)
    tx.audit(
        "correction approved" if approve else "correction refused",
        rows=[signature, decision],
        about=[correction.key, *found.about],
        reason=credentials.reason,
        before={correction.field: correction.before},
        after={correction.field: correction.after if approve else correction.before},
    )
    if approve and found.lot is not None:
        open_for_failures(tx, archive, [found.lot])
    if doubt is not None and came:
        look_back_by_system(tx, archive, doubt.look_back)
    if approve and found.donor is not None:
        hold_what_fails(tx, archive, found.donor, correction)
    return decision


def the_correction(session: Session, number: str) -> Correction:
    """The correction of a public number.

    Raises:
        NotFound: where there is none.
    """
    correction = correction_by(session, number)
    if correction is None:
        raise NotFound("BQC-COR-001", f"there is no correction {number}")
    return correction


def hold_subject(tx: Transaction, subject: str) -> None:
    """Let nobody else decide on what is corrected, nor on what came of its donor."""
    found = corrected_record(tx.session, subject)
    if found.donor is not None:
        lock_what_came_of(tx, found.donor)
    _lock(tx, found)


def _lock(tx: Transaction, found: CorrectedRecord) -> None:
    if found.lot is not None:
        lock_lot(tx, found.lot)
    else:
        tx.lock((found.donor or found.row).key)


def _checked(tx: Transaction, found: CorrectedRecord, field: str, after: str) -> str:
    """What the field says now, where it may be corrected to ``after``."""
    if field not in found.fields:
        raise InvalidInput(
            "BQC-COR-003",
            f'"{field}" cannot be corrected',
            hint=f"Of this record: {', '.join(found.fields)}.",
        )
    if found.lot is not None and (decided := dispositions_of(tx.session, found.lot)):
        raise Conflict(
            "BQC-COR-004",
            f"lot {found.lot.lot} is {decided[-1].disposition}; its registration stays as it is",
        )
    corrections = corrections_of(tx.session, [found.row.key])
    before = now_says(tx.session, found, corrections, field)
    if after == before:
        problem: str | None = "it says so already"
    else:
        problem = _problem(tx, found.row, corrections, field, after)
    if problem:
        raise InvalidInput("BQC-COR-009", f'{field} cannot become "{after}": {problem}')
    return before


def _problem(
    tx: Transaction,
    row: LotRow | SampleRow | DonorRecord,
    corrections: Sequence[tuple[Correction, CorrectionDecision | None]],
    field: str,
    after: str,
) -> str | None:
    """Why a field cannot say so."""
    if isinstance(row, LotRow):
        runs = runs_of(tx.session, row)
        if any(run.upload.received_at >= tx.now for run in runs):
            return "results came in meanwhile; look at them and try again"
        if field == REBOUND:
            return _binding_problem(tx, row, corrections, after)
        return _date_problem(tx, row, corrections, field, after)
    if isinstance(row, SampleRow):
        return line_problem("the container", after)
    return donor_record_problem(tx, row, field, after)


def _binding_problem(
    tx: Transaction,
    row: LotRow,
    corrections: Sequence[tuple[Correction, CorrectionDecision | None]],
    after: str,
) -> str | None:
    """Why a lot cannot be bound to the versions that ``after`` names (design 15)."""
    if reviews_of(tx.session, runs_of(tx.session, row)):
        return "results of the lot are reviewed; what judged them stays"
    day, product, market = (
        corrected_lot(row, corrections).manufactured_on, row.product.code, row.market,
    )  # fmt: skip
    hold_versions(tx, product)
    release, beside = bind_lot(tx.session, product=product, market=market, manufactured_on=day)
    right = binding_text(one.version for one in (release, *beside))
    return None if after == right else f'in force on {day} is "{right}"'


def _date_problem(
    tx: Transaction,
    row: LotRow,
    corrections: Sequence[tuple[Correction, CorrectionDecision | None]],
    field: str,
    after: str,
) -> str | None:
    if not _is_day(after):
        return "write it as YYYY-MM-DD"
    try:
        corrected_lot(row, corrections).corrected(field, after)
    except ValueError as error:
        return str(error)
    return _too_late(tx, row, after) if field == "manufactured_on" else None


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _too_late(tx: Transaction, row: LotRow, made_on: str) -> str | None:
    """What was before a date of manufacture, and cannot have been."""
    zone = ZoneInfo(row.site.time_zone)
    if made_on > tx.now.astimezone(zone).date().isoformat():
        return "it lies in the future"
    for sample in samples_of(tx.session, [row]):
        if made_on > (day := sample.taken_at.astimezone(zone).date().isoformat()):
            return f"sample {sample.sample} was taken on {day}"
    for one in measurements_of(tx.session, runs_of(tx.session, row)):
        if made_on > (day := one.measured_at.astimezone(zone).date().isoformat()):
            return f"{one.analyte} was measured on {day} ({one.run})"
    return None
