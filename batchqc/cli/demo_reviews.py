"""The reviews of the demonstration: of every run, of each lot as a whole, of its audit trail."""

from batchqc.actions.audit_review import review_audit_trail, trail_to_read
from batchqc.actions.lot_review import review_whole_lot
from batchqc.actions.reviews import review_lot
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo_story import Story, signing
from batchqc.cli.workplace import raise_refusal
from batchqc.core.lot_review import review_hindrances
from batchqc.core.permissions import Permission
from batchqc.records.transaction import reading, transaction


def reviews(story: Story) -> str:
    """A second person reviews every run of every lot."""
    place = story.place
    reviewer = story.acting(cast.REVIEWER, Permission.REVIEW_RESULTS)
    count = 0
    for lot in cast.lots():
        with transaction(place.engine, reviewer, place.now()) as tx:
            reviewed = review_lot(
                tx,
                place.archive,
                lot=lot.id,
                credentials=signing(cast.REVIEWER, "Compared with the raw data"),
            )
            raise_refusal(reviewed)
            count += len(reviewed) if isinstance(reviewed, list) else 0
    return f"{count} assay runs by {cast.REVIEWER}"


def hand_to_qa(story: Story) -> str:
    """QC reviews as a whole each lot of which nothing is owed; QA reads its audit trail."""
    place, handed = story.place, 0
    for lot in cast.lots():
        case = story.case(lot.id)
        if review_hindrances(case.facts, case.gates):
            continue
        reviewer = story.acting(cast.REVIEWER, Permission.REVIEW_RESULTS)
        with transaction(place.engine, reviewer, place.now()) as tx:
            why = signing(cast.REVIEWER, "Every result is in and reviewed")
            raise_refusal(review_whole_lot(tx, place.archive, lot=lot.id, credentials=why))
        with reading(place.engine) as session:
            found = trail_to_read(session, story.case(lot.id))
        qa = story.acting(cast.APPROVER, Permission.REVIEW_AUDIT_TRAIL)
        with transaction(place.engine, qa, place.now()) as tx:
            read = review_audit_trail(
                tx,
                place.archive,
                lot=lot.id,
                last=found.last,
                head=found.head,
                credentials=signing(cast.APPROVER, "Read what was selected"),
            )
            raise_refusal(read)
        handed += 1
    return f"{handed} lots handed to QA"
