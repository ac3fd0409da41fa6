"""The conclusion of an OOS investigation: signed by QA who neither measured nor reviewed (3.08)."""

from sqlalchemy.orm import Session

from batchqc.actions.failing import Judged, judged
from batchqc.actions.investigation_opening import (
    hold_in_use,
    hold_numbers,
    open_for_failures,
)
from batchqc.actions.investigations import Case, locked, people_of_runs, take
from batchqc.actions.overdue import hold_overdue
from batchqc.actions.permission import require
from batchqc.actions.run_facts import run_facts
from batchqc.actions.signing import Credentials, check_reason
from batchqc.core.assays import RunKey
from batchqc.core.conclusions import (
    OnRecord,
    Wanted,
    conclusion_of,
    conclusion_problems,
    people_behind,
)
from batchqc.core.investigations import Conclusion, Finding, Step
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict
from batchqc.records.investigations import InvestigationStep
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import reviews_of


def conclude(
    tx: Transaction,
    archive: Archive,
    *,
    number: str,
    wanted: Wanted,
    credentials: Credentials,
) -> InvestigationStep | Refusal:
    """Conclude an investigation, signed.

    An assignable laboratory cause sets the original aside, with evidence; the planned retests count
    in its place. Else the original stands.

    Raises:
        Conflict: with every reason why it cannot be concluded so.
    """
    require(tx, Permission.CONCLUDE_INVESTIGATION)
    check_reason(credentials.reason)
    check_reason(wanted.evidence)
    case = locked(tx, number)
    record = on_record(tx.session, case, judged(tx.session, archive, case.row.lot))
    problems = conclusion_problems(wanted, case.now, record, signer=tx.actor.user_id)
    if problems:
        raise Conflict(
            "BQC-OOS-012",
            f"{number} cannot be concluded so",
            reasons=problems,
            hint="See the investigation for what it waits for.",
        )
    concluded = conclusion_of(wanted, case.now, record)
    said = _content(case, wanted, concluded)
    hold_overdue(tx, archive, [case.row.lot])
    hold_numbers(tx)
    step = take(tx, case, Step.CONCLUSION, said, credentials, meaning=Meaning.APPROVED)
    if not isinstance(step, Refusal):
        open_for_failures(tx, archive, [case.row.lot])
        if concluded.finding is Finding.ORIGINAL_STANDS:
            stands = f"{number}: the original stands"
            hold_in_use(tx, case.row.lot, stands, case.row.key, fails=True)
    return step


def on_record(session: Session, case: Case, found: Judged) -> OnRecord:
    """What is known of an investigation when it is concluded.

    Args:
        session: only read.
        case: the investigation.
        found: its lot, as judged now.
    """
    known = found.known
    return OnRecord(
        measurements=known.measurements,
        others=[one for one in known.investigations if one.number != case.now.number],
        invalid=known.invalid,
        documents=frozenset(
            step.said["sha256"] for step in case.steps if step.kind == Step.DOCUMENT
        ),
        people=people_behind(people_of_runs(session, case), case.now),
        unreviewed=frozenset(
            one.key
            for one in run_facts(found.runs, reviews_of(session, found.runs), {})
            if not one.is_reviewed
        ),
    )


def _content(case: Case, wanted: Wanted, concluded: Conclusion) -> dict[str, object]:
    """What is signed: the finding, its evidence, and each run that is set aside or counts."""
    return {
        "finding": concluded.finding.value,
        "test": concluded.test,
        "cause": concluded.cause,
        "evidence": wanted.evidence,
        "document": wanted.document,
        "corrected": wanted.corrected,
        "set_aside": sorted([*_names(run), analyte] for run, analyte in concluded.set_aside),
        "counting": sorted(_names(run) for run in concluded.counting),
        "steps": [step.content_sha256 for step in case.steps],
    }


def _names(run: RunKey) -> list[str]:
    return [run.upload, run.test, run.run]
