"""The reviews of the demonstration: of every run, of each lot as a whole, of its audit trail."""

from collections.abc import Sequence
from functools import partial

from batchqc.actions.audit_review import review_audit_trail, trail_to_read
from batchqc.actions.lot_review import review_whole_lot
from batchqc.actions.reviews import review_lot
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo_story import Story, signing
from batchqc.core.lot_review import review_hindrances
from batchqc.core.permissions import Permission
from batchqc.records.transaction import reading


def reviews(story: Story, lots: Sequence[str]) -> str:
    """A second person reviews every run of the lots."""
    archive, count = story.place.archive, 0
    why = signing(cast.REVIEWER, "Compared with the raw data")
    for lot in lots:
        reviewed = story.do(
            cast.REVIEWER,
            Permission.REVIEW_RESULTS,
            partial(review_lot, archive=archive, lot=lot, credentials=why),
        )
        count += len(reviewed) if isinstance(reviewed, list) else 0
    return f"{count} assay runs by {cast.REVIEWER}"


def hand_to_qa(story: Story, lots: Sequence[str]) -> str:
    """QC reviews as a whole each lot of which nothing is owed; QA reads its audit trail."""
    handed = 0
    for lot in lots:
        case = story.case(lot)
        if not review_hindrances(case.facts, case.gates):
            _hand_over(story, lot)
            handed += 1
    return f"{handed} lots handed to QA"


def _hand_over(story: Story, lot: str) -> None:
    archive = story.place.archive
    why = signing(cast.REVIEWER, "Every result is in and reviewed")
    story.do(
        cast.REVIEWER,
        Permission.REVIEW_RESULTS,
        lambda tx: review_whole_lot(tx, archive, lot=lot, credentials=why),
    )
    with reading(story.place.engine) as session:
        found = trail_to_read(session, story.case(lot))
    read = signing(cast.APPROVER, "Read what was selected")
    story.do(
        cast.APPROVER,
        Permission.REVIEW_AUDIT_TRAIL,
        lambda tx: review_audit_trail(
            tx, archive, lot=lot, last=found.last, head=found.head, credentials=read
        ),
    )
