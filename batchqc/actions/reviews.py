"""Second-person review of assay runs, signed (requirements 1.31, 2.06)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.late_signing import said_late
from batchqc.actions.lots import lock_lot, the_lot
from batchqc.actions.permission import require
from batchqc.actions.register_remarks import trained_for
from batchqc.actions.run_facts import review_content
from batchqc.actions.series import Ready, sign_lots, sign_one
from batchqc.actions.signing import Credentials, check_reason
from batchqc.actions.true_times import times_of_runs
from batchqc.core.canonical import Json
from batchqc.core.dispositions import review_problem
from batchqc.core.entries import SecondEntry
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, NotPermitted
from batchqc.records.registers import LotRow
from batchqc.records.signatures import SignatureRow
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import AssayRun, Review


@dataclass(frozen=True, slots=True)
class ToReview:
    """What one signature of a person reviews of a lot.

    Args:
        runs: that are signed.
        doubts: what the register of training says of the person.
        left: keys of runs for somebody who is trained for their method.
    """

    runs: tuple[AssayRun, ...]
    doubts: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """What the signature binds."""
        return review_content(self.runs)


def runs_to_review(session: Session, case: LotCase, *, person: str, now: datetime) -> ToReview:
    """The runs of a lot that a person would review now.

    Raises:
        NotPermitted, Conflict: as ``review_lot`` says, whatever the role.
    """
    runs = _open_runs(case, person)
    keys = {run.run_key for run in runs}
    own = [one for one in case.measurements if one.run in keys]
    signed, doubts = trained_for(session, runs, own, person=person, now=now)
    left = keys - {run.run_key for run in signed}
    return ToReview(tuple(signed), tuple(doubts), tuple(sorted(map(str, left))))


def review_lot(
    tx: Transaction, archive: Archive, *, lot: str, credentials: Credentials, shown: str = ""
) -> list[Review] | Refusal:
    """Review every run of a lot that this person has not reviewed yet, with one signature.

    What was typed and waits for its second entry is left for a later review, and so are runs by
    methods that the person is not trained for, where the register of training refuses that. What
    came in after the decision over a lot is reviewed like anything else. ``shown`` is the hash of
    the runs that the person saw: a training that was registered since lets more be signed.

    Raises:
        NotPermitted: the person entered or measured one of the runs, or may sign for none as the
            register of training says (requirement 1.09).
        Conflict: there is nothing to review, or records are damaged.
        Outdated: what would be signed is not what was shown.
    """
    require(tx, Permission.REVIEW_RESULTS)
    check_reason(credentials.reason)
    row = the_lot(tx.session, lot)
    lock_lot(tx, row)
    ready = _ready(row, tx, archive, credentials.reason)
    return sign_one(tx, archive, credentials, ready, shown=shown)


def review_lots(
    tx: Transaction, archive: Archive, *, lots: Sequence[str], credentials: Credentials
) -> list[list[Review]] | Refusal:
    """Review the runs of several lots in one act, each lot by a signature of its own, or none.

    Raises:
        InvalidInput, Conflict: as ``sign_lots`` says; what stops ``review_lot`` is told of each.
    """
    require(tx, Permission.REVIEW_RESULTS)
    check_reason(credentials.reason)
    look = partial(_ready, tx=tx, archive=archive, reason=credentials.reason)
    return sign_lots(tx, archive, credentials, lots=lots, look=look)


def _ready(row: LotRow, tx: Transaction, archive: Archive, reason: str) -> Ready[Review]:
    case = study(tx.session, archive, lot=row, now=tx.now)
    found = runs_to_review(tx.session, case, person=tx.actor.user_id, now=tx.now)
    rests_on = times_of_runs(case, {run.run_key for run in found.runs})

    def rows(signature: SignatureRow) -> list[Review]:
        return [Review(assay_run=run, signature=signature) for run in found.runs]

    def tell(signature: SignatureRow, reviews: list[Review]) -> None:
        tx.audit(
            "results reviewed",
            rows=[signature, *reviews],
            about=[row.key, *(run.key for run in found.runs)],
            reason=reason,
            after={
                "runs": [str(run.run_key) for run in found.runs],
                **said_late(signature),
                **({"flagged": list[Json](found.doubts)} if found.doubts else {}),
                **({"left": list[Json](found.left)} if found.left else {}),
            },
        )

    return Ready(row.key, found.sha256, rests_on, rows, tell)


def check_undecided(case: LotCase) -> None:
    """Refuse what is too late, or would be signed over damaged records.

    Raises:
        Conflict: the lot is decided, or records are damaged.
    """
    if not case.facts.is_undecided:
        raise Conflict("BQC-REV-001", f"lot {case.lot.id} is {case.disposition}; it stays so")
    check_sound(case)


def check_sound(case: LotCase) -> None:
    """Refuse what would be signed over damaged records.

    Raises:
        Conflict: records are damaged.
    """
    if case.facts.damaged:
        raise Conflict(
            "BQC-REV-002",
            f"records of lot {case.lot.id} are damaged",
            reasons=case.facts.damaged,
            hint="Stop. Run `batchqc audit verify` and call the system owner.",
        )


def _open_runs(case: LotCase, reviewer: str) -> Sequence[AssayRun]:
    check_sound(case)
    facts = {fact.key: fact for fact in case.facts.runs}
    waiting = {one.run for one in case.measurements if one.second is SecondEntry.WAITS}
    left = [run for run in case.runs if reviewer not in facts[run.run_key].reviewed_by]
    runs = [run for run in left if run.run_key not in waiting]
    if left and not runs:
        raise Conflict(
            "BQC-REV-005",
            f"what is left of lot {case.lot.id} to review was typed and not verified",
            reasons=sorted(map(str, waiting)),
            hint="Nobody reviews what is hidden: verify it first (batchqc result verify).",
        )
    if not runs:
        raise Conflict("BQC-REV-003", f"lot {case.lot.id} has no run left for {reviewer} to review")
    problems = [
        problem for run in runs if (problem := review_problem(facts[run.run_key], reviewer))
    ]
    if problems:
        raise NotPermitted(
            "BQC-REV-004",
            f"{reviewer} may not review lot {case.lot.id}",
            reasons=problems,
            hint="Ask a reviewer who neither measured nor uploaded.",
        )
    return runs
