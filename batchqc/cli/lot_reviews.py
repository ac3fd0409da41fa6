"""``batchqc lot review``, ``qc-review`` and ``audit-review``: what is signed before a decision."""

import typer

from batchqc.actions.audit_review import review_audit_trail, trail_to_read
from batchqc.actions.evaluation import study
from batchqc.actions.lot_review import lot_review_content, review_whole_lot, seen_runs
from batchqc.actions.lots import the_lot
from batchqc.actions.reviews import review_lot
from batchqc.cli.lot import Lot
from batchqc.cli.show import say, table
from batchqc.cli.workplace import (
    NOT_LATE,
    Late,
    Reason,
    User,
    at_keyboard,
    raise_refusal,
    workplace,
)
from batchqc.core.canonical import sha256_of
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.transaction import reading, transaction


def review(
    context: typer.Context, lot: Lot, user: User, reason: Reason, late: Late = NOT_LATE
) -> None:
    """Review the runs of a lot as the second person, with your signature.

    What waits for its second entry, or for a reviewer who is trained, is left and told.
    """
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the review of lot {lot}")
    actor = keyboard.acting(Permission.REVIEW_RESULTS)
    with transaction(place.engine, actor, place.now()) as tx:
        reviews = review_lot(
            tx, place.archive, lot=lot, credentials=keyboard.signing(reason, late=late)
        )
        signed = [] if isinstance(reviews, Refusal) else [one.assay_run.run_key for one in reviews]
    raise_refusal(reviews)
    say(f"You reviewed of lot {lot}: {', '.join(map(str, signed))}.")
    with reading(place.engine) as session:
        case = study(session, place.archive, lot=the_lot(session, lot), now=place.now())
        left = [reason for gate in case.gates if gate.name == "Review" for reason in gate.reasons]
    say(f"Left to review: {'; '.join(left)}." if left else "Every run is reviewed.")


def qc_review(
    context: typer.Context, lot: Lot, user: User, reason: Reason, late: Late = NOT_LATE
) -> None:
    """Review a lot as a whole for QC with your signature; with it the lot goes to QA.

    Every run with something exceptional about it is listed first.
    """
    place = workplace(context)
    with reading(place.engine) as session:
        case = study(session, place.archive, lot=the_lot(session, lot), now=place.now())
        seen = seen_runs(session, place.archive, case)
        shown = sha256_of(lot_review_content(case, seen))
    rows = [(one.run, each.why, each.said) for one in seen for each in one.exceptions]
    clean = sum(one.is_clean for one in seen)
    table(("Run", "Why", "What"), rows, empty="No run has anything exceptional about it.")
    say(f"{clean} of {len(seen)} runs are clean.")
    keyboard = at_keyboard(place, user, to=f"sign QC's review of lot {lot}")
    actor = keyboard.acting(Permission.REVIEW_RESULTS)
    with transaction(place.engine, actor, place.now()) as tx:
        given = keyboard.signing(reason, late=late)
        signed = review_whole_lot(tx, place.archive, lot=lot, credentials=given, shown=shown)
    raise_refusal(signed)
    say(f"You reviewed lot {lot} for QC.")


def audit_review(context: typer.Context, lot: Lot, user: User, reason: Reason) -> None:
    """Read what of the audit trail of a lot is worth reading, and sign that you did."""
    place = workplace(context)
    with reading(place.engine) as session:
        case = study(session, place.archive, lot=the_lot(session, lot), now=place.now())
        found = trail_to_read(session, case)
    rows = [
        (one.entry.sequence, f"{one.entry.at:%Y-%m-%d %H:%M}", one.entry.who, one.entry.what,
         one.entry.why, one.because)
        for one in found.selection.entries
    ]  # fmt: skip
    table(
        ("Entry", "When (UTC)", "Who", "What", "Why", "Selected"),
        rows,
        empty="Nothing but routine.",
    )
    routine = ", ".join(f"{count} × {what}" for what, count in found.selection.routine.items())
    say(f"Routine: {routine}.\nEntries {found.first} to {found.last}, head {found.head}")
    keyboard = at_keyboard(place, user, to=f"sign the review of the audit trail of lot {lot}")
    actor = keyboard.acting(Permission.REVIEW_AUDIT_TRAIL)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = review_audit_trail(
            tx,
            place.archive,
            lot=lot,
            last=found.last,
            head=found.head,
            credentials=keyboard.signing(reason),
        )
    raise_refusal(signed)
    say(f"You reviewed the audit trail of lot {lot}.")
