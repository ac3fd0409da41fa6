"""QC reviews a lot as a whole, signed: with it the lot goes to QA (requirements 2.3, 2.06)."""

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.late_signing import said_late
from batchqc.actions.looked_at import review_basis
from batchqc.actions.lots import lock_lot, the_lot
from batchqc.actions.permission import require
from batchqc.actions.reviews import check_undecided
from batchqc.actions.series import Ready, sign_lots, sign_one
from batchqc.actions.signing import Credentials, check_reason
from batchqc.actions.trend_signals import by_run, signals_of
from batchqc.actions.trends import Trends
from batchqc.actions.true_times import times_of_case
from batchqc.core.canonical import Json, canonical_bytes, sha256_of
from batchqc.core.lot_review import lot_reviewer_problems, review_hindrances
from batchqc.core.mismatches import is_mismatch
from batchqc.core.permissions import Permission
from batchqc.core.review_by_exception import (
    Entered,
    Habit,
    ReviewFacts,
    RunSeen,
    seen_by_exception,
)
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, NotPermitted
from batchqc.records.corrections import approved_changes
from batchqc.records.habits import runs_before
from batchqc.records.lot_reviews import LotReview, lot_reviews_of
from batchqc.records.registers import LotRow
from batchqc.records.signatures import SignatureRow
from batchqc.records.transaction import Transaction

if TYPE_CHECKING:
    from batchqc.core.assays import RunKey


def seen_runs(
    session: Session, archive: Archive, case: LotCase, *, trends: Trends | None = None
) -> tuple[RunSeen, ...]:
    """Every run of a lot with what is exceptional about it.

    ``trends`` are the series that the process holds; without them they are read anew.
    """
    changed = {
        row.sample: dict(approved_changes(case.corrections, row.key)) for row in case.sample_rows
    }
    unreported: dict[RunKey, list[str]] = {}
    for one in case.facts.unreported:
        unreported.setdefault(one.run, []).append(one.sentence)
    return seen_by_exception(
        ReviewFacts(
            entered={
                run.run_key: Entered(
                    run.upload.received_at, bool(run.upload.typed), _supersedes(case, run.id)
                )
                for run in case.runs
            },
            measurements=[one.shown for one in case.measurements],
            verdicts=case.so_far.verdicts,
            validity=case.looked_at.validity,
            habits=_habits(session, case),
            corrected={
                sample: f"sample {sample} was corrected: {', '.join(sorted(fields))}"
                for sample, fields in changed.items()
                if fields
            },
            registers=case.facts.registers.measured,
            failing={
                run: [one.sentence for one in case.so_far.failures if run in one.runs]
                for run in {one.run for one in case.measurements if is_mismatch(one)}
            },
            unreported=unreported,
            trends=by_run(signals_of(session, archive, case, trends)),
        )
    )


def review_whole_lot(
    tx: Transaction,
    archive: Archive,
    *,
    lot: str,
    credentials: Credentials,
    trends: Trends | None = None,
    shown: str = "",
) -> LotReview | Refusal:
    """Review a lot as a whole, after every run of it was reviewed.

    ``shown`` is the hash of what the person saw: runs of other lots change what is exceptional.

    Raises:
        NotPermitted: the person entered or measured one of the runs.
        Conflict: something is still owed, the lot is decided, or records are damaged.
        Outdated: what would be signed is not what was shown.
    """
    require(tx, Permission.REVIEW_RESULTS)
    check_reason(credentials.reason)
    row = the_lot(tx.session, lot)
    lock_lot(tx, row)
    ready = _ready(row, tx, archive, credentials.reason, trends)
    signed = sign_one(tx, archive, credentials, ready, shown=shown)
    return signed if isinstance(signed, Refusal) else signed[0]


def review_whole_lots(
    tx: Transaction,
    archive: Archive,
    *,
    lots: Sequence[str],
    credentials: Credentials,
    trends: Trends | None = None,
) -> list[LotReview] | Refusal:
    """Review several lots as a whole in one act, each by a signature of its own, or none.

    Raises:
        InvalidInput, Conflict: as ``sign_lots`` says; what stops ``review_whole_lot`` is told of
            each.
    """
    require(tx, Permission.REVIEW_RESULTS)
    check_reason(credentials.reason)
    look = partial(_ready, tx=tx, archive=archive, reason=credentials.reason, trends=trends)
    signed = sign_lots(tx, archive, credentials, lots=lots, look=look)
    return signed if isinstance(signed, Refusal) else [one for (one,) in signed]


def _ready(
    row: LotRow, tx: Transaction, archive: Archive, reason: str, trends: Trends | None
) -> Ready[LotReview]:
    case = study(tx.session, archive, lot=row, now=tx.now)
    check_lot_review(case, tx.actor.user_id)
    seen = seen_runs(tx.session, archive, case, trends=trends)
    content = canonical_bytes(lot_review_content(case, seen))
    content_sha = hashlib.sha256(content).hexdigest()
    basis, number = review_basis(case.so_far), len(lot_reviews_of(tx.session, row)) + 1

    def rows(signature: SignatureRow) -> list[LotReview]:
        review = LotReview(
            lot=row,
            number=number,
            basis_sha256=sha256_of(basis),
            content_sha=content_sha,
            signature=signature,
        )
        return [review]

    def tell(signature: SignatureRow, reviews: list[LotReview]) -> None:
        tx.audit(
            "lot reviewed by QC",
            rows=[signature, *reviews],
            about=[row.key],
            reason=reason,
            after={
                "runs": len(seen),
                "with exceptions": sum(not one.is_clean for one in seen),
                **said_late(signature),
            },
        )

    return Ready(row.key, content_sha, times_of_case(tx.session, case), rows, tell, content)


def lot_review_content(case: LotCase, seen: tuple[RunSeen, ...]) -> dict[str, Json]:
    """What QC signs of a lot as a whole, and which runs had exceptions then."""
    return {**review_basis(case.so_far), "exceptions": _exceptions(seen)}


def check_lot_review(case: LotCase, person: str) -> None:
    """Refuse the review of a whole lot by who may not, or before it is due.

    Raises:
        NotPermitted, Conflict: as ``review_whole_lot`` says, whatever the role.
    """
    check_undecided(case)
    problems = lot_reviewer_problems(case.facts.runs, person)
    if problems:
        raise NotPermitted(
            "BQC-REV-006",
            f"{person} may not review lot {case.lot.id}",
            reasons=problems,
            hint="Ask a reviewer who neither measured nor uploaded.",
        )
    hindrances = review_hindrances(case.facts, case.gates)
    if hindrances:
        raise Conflict(
            "BQC-REV-007",
            f"lot {case.lot.id} is not ready for QC's review",
            reasons=hindrances,
            hint="See the readiness of the lot: each closed gate says what to do.",
        )


def _exceptions(seen: tuple[RunSeen, ...]) -> list[Json]:
    return [
        [str(one.run), [[each.why.value, each.said] for each in one.exceptions]]
        for one in seen
        if not one.is_clean
    ]


def _supersedes(case: LotCase, run: int) -> str:
    return next((one.reason for one in case.supersedings if one.newer_id == run), "")


def _habits(session: Session, case: LotCase) -> dict[str, Habit]:
    """What each test of the lot was done with before, for other lots of the product."""
    before = runs_before(session, case.row, [run.test for run in case.runs])
    return {test: Habit(*one) for test, one in before.items()}
