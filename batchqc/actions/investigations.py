"""Working on an OOS investigation: phase I, documents, due dates, and opening it again.

Each step is a row of its own with a number, and signed, but for a document that is filed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from batchqc.actions.attachments import Document, document_kind, put_raw
from batchqc.actions.investigation_opening import hold_in_use
from batchqc.actions.lots import lock_lot
from batchqc.actions.permission import require
from batchqc.actions.run_facts import run_facts
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.conclusions import checklist_problems
from batchqc.core.investigations import Investigation, State, Step
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, InvalidInput, NotFound, NotPermitted
from batchqc.records.base import Row
from batchqc.records.entries import verifications_of
from batchqc.records.investigations import (
    InvestigationRow,
    InvestigationStep,
    folded,
    investigation_by,
    taken_in,
)
from batchqc.records.rows_by import load_their
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import reviews_of, runs_of


@dataclass(frozen=True, slots=True)
class Case:
    """An investigation with its steps, and as it stands."""

    row: InvestigationRow
    steps: tuple[InvestigationStep, ...]
    now: Investigation


def the_investigation(session: Session, number: str) -> Case:
    """The investigation of a public number.

    Raises:
        NotFound: where there is none.
    """
    row = investigation_by(session, number)
    if row is None:
        raise NotFound("BQC-OOS-001", f"there is no investigation {number}")
    return cases(session, [row])[0]


def cases(session: Session, rows: Sequence[InvestigationRow]) -> list[Case]:
    """Some investigations as they stand, read together with their lots."""
    load_their(session, rows, InvestigationRow.lot)
    return [Case(row, tuple(steps), folded(row, steps)) for row, steps in taken_in(session, rows)]


def locked(tx: Transaction, number: str) -> Case:
    """An investigation whose lot nobody else works on meanwhile."""
    lock_lot(tx, the_investigation(tx.session, number).row.lot)
    return the_investigation(tx.session, number)


def perform_phase_one(
    tx: Transaction,
    *,
    number: str,
    answers: Mapping[str, tuple[str, str]],
    hypothesis: str,
    credentials: Credentials,
) -> InvestigationStep | Refusal:
    """Record the laboratory phase: every question of the checklist answered, signed.

    What is measured again meanwhile is investigational and replaces nothing (requirement 3.07).

    Raises:
        Conflict: the investigation is concluded, or past this phase.
        InvalidInput: a question is not answered.
    """
    require(tx, Permission.INVESTIGATE)
    check_reason(credentials.reason)
    case = locked(tx, number)
    if case.now.state not in {State.PHASE_I, State.REVIEW}:
        raise Conflict("BQC-OOS-003", f"{number} is past phase I: {case.now.state}")
    if problems := checklist_problems(dict(answers)):
        raise InvalidInput(
            "BQC-OOS-004",
            "phase I is not complete",
            reasons=problems,
            hint="Answer every question yes, no or not applicable; say why where it is not yes.",
        )
    said = {"answers": {name: list(one) for name, one in answers.items()}, "hypothesis": hypothesis}
    return take(tx, case, Step.PHASE_I, said, credentials, meaning=Meaning.AUTHORED)


def review_phase_one(
    tx: Transaction, *, number: str, credentials: Credentials
) -> InvestigationStep | Refusal:
    """Review phase I as the supervisor, signed: a person who neither measured nor performed it.

    Raises:
        Conflict: there is no phase I that waits for its review.
        NotPermitted: this person measured, or performed phase I.
    """
    require(tx, Permission.INVESTIGATE)
    check_reason(credentials.reason)
    case = locked(tx, number)
    if case.now.state is not State.REVIEW:
        raise Conflict("BQC-OOS-005", f"{number} has no phase I to review: {case.now.state}")
    why = people_behind_phase_one(tx.session, case)
    if tx.actor.user_id in why:
        raise NotPermitted(
            "BQC-OOS-006",
            f"{tx.actor.user_id} {why[tx.actor.user_id]} and may not review phase I of {number}",
            hint="Ask a supervisor who did neither.",
        )
    return take(tx, case, Step.REVIEW, {}, credentials, meaning=Meaning.REVIEWED)


def file_document(
    tx: Transaction, archive: Archive, *, number: str, document: Document
) -> InvestigationStep:
    """File a document with an investigation: raw data, a report, a photograph.

    Raises:
        Conflict: the investigation is concluded.
        InvalidInput: the document is not taken.
    """
    require(tx, Permission.INVESTIGATE)
    case = locked(tx, number)
    kind = document_kind(document)
    if case.now.state is State.CONCLUDED or document.data is None:
        raise Conflict("BQC-OOS-007", f"{number} is concluded and takes no document")
    said = {
        "file": document.name,
        "sha256": put_raw(tx, archive, document.data),
        "size": document.size,
        "kind": kind,
    }
    step = _step(tx, case, Step.DOCUMENT, said)
    _record(tx, case, step, [step], reason="")
    return step


def the_document(session: Session, *, number: str, sha256: str) -> InvestigationStep:
    """The step that filed a document with an investigation, by the hash of its bytes.

    Raises:
        NotFound: nothing like it was filed with it.
    """
    for step in the_investigation(session, number).steps:
        if step.kind == Step.DOCUMENT and step.said.get("sha256") == sha256:
            return step
    raise NotFound(
        "BQC-OOS-014",
        f"no document {sha256} is filed with {number}",
        hint="See the investigation for what is filed with it.",
    )


def extend_due_date(
    tx: Transaction, *, number: str, due_on: date, credentials: Credentials
) -> InvestigationStep | Refusal:
    """Let an investigation be due on another day, with the reason, signed by QA (3.14)."""
    require(tx, Permission.CONCLUDE_INVESTIGATION)
    check_reason(credentials.reason)
    case = locked(tx, number)
    if case.now.state is State.CONCLUDED:
        raise Conflict("BQC-OOS-008", f"{number} is concluded; nothing of it is due")
    if due_on <= case.now.due_on:
        raise InvalidInput("BQC-OOS-009", f"it is due on {case.now.due_on}; name a later day")
    said = {"due_on": due_on.isoformat(), "was": case.now.due_on.isoformat()}
    return take(tx, case, Step.DUE, said, credentials, meaning=Meaning.APPROVED)


def reopen(
    tx: Transaction, *, number: str, credentials: Credentials
) -> InvestigationStep | Refusal:
    """Open a concluded investigation again: until the next conclusion nothing measured anew counts.

    Raises:
        Conflict: it is not concluded.
    """
    require(tx, Permission.CONCLUDE_INVESTIGATION)
    check_reason(credentials.reason)
    case = locked(tx, number)
    if case.now.state is not State.CONCLUDED:
        raise Conflict("BQC-OOS-010", f"{number} is open: {case.now.state}")
    step = take(tx, case, Step.REOPENED, {}, credentials, meaning=Meaning.WITHDRAWN)
    if not isinstance(step, Refusal):
        hold_in_use(tx, case.row.lot, f"{number} is open again", case.row.key, fails=False)
    return step


def take(
    tx: Transaction,
    case: Case,
    kind: Step,
    said: Mapping[str, Any],
    credentials: Credentials,
    *,
    meaning: Meaning,
) -> InvestigationStep | Refusal:
    """Sign a step of an investigation and record it."""
    step = _step(tx, case, kind, {**said, "reason": credentials.reason})
    signature = sign(
        tx,
        credentials,
        meaning=meaning,
        record=case.row.key,
        record_sha256=step.signed_sha256,
    )
    if isinstance(signature, Refusal):
        return signature
    step.signature = signature
    _record(tx, case, step, [signature, step], reason=credentials.reason)
    return step


def people_of_runs(
    session: Session, case: Case
) -> list[tuple[Any, frozenset[str], frozenset[str]]]:
    """Each run that an investigation is about, retests too: who measured, and who reviewed it."""
    tests = case.now.tests
    runs = [
        run
        for run in runs_of(session, case.row.lot)
        if run.run_key in case.now.runs
        or run.upload.retest == case.row.natural_key
        or run.test in tests
    ]
    verified = verifications_of(session, {run.upload_id for run in runs})
    return [
        (one.key, one.entered_by, one.reviewed_by | ({one.verified_by} - {""}))
        for one in run_facts(runs, reviews_of(session, runs), verified)
    ]


def people_behind_phase_one(session: Session, case: Case) -> dict[str, str]:
    """Who may not review phase I, with what they did."""
    entered = {
        person: f"entered or measured {run}"
        for run, people, _ in people_of_runs(session, case)
        for person in people
    }
    return entered | ({case.now.performed_by: "performed phase I"} if case.now.performed_by else {})


def _step(tx: Transaction, case: Case, kind: Step, said: Mapping[str, Any]) -> InvestigationStep:
    return InvestigationStep(
        investigation=case.row,
        number=len(case.steps) + 1,
        kind=kind.value,
        detail=json.dumps(said, ensure_ascii=False, sort_keys=True),
        taken_by=tx.actor.user_id,
        taken_at=tx.now,
        signature=None,
    )


def _record(
    tx: Transaction, case: Case, step: InvestigationStep, rows: list[Row], *, reason: str
) -> None:
    tx.add(step)
    tx.audit(
        f"investigation: {step.kind}",
        rows=rows,
        about=[case.row.key, case.row.lot.key],
        reason=reason,
        before={"state": case.now.state.value},
        after={"state": folded(case.row, [*case.steps, step]).state.value, **_told(step)},
    )


def _told(step: InvestigationStep) -> dict[str, Any]:
    said = step.said
    told = ("finding", "cause", "method", "retests", "resamples", "due_on", "sha256")
    return {name: said[name] for name in told if said.get(name) not in {None, ""}}
