"""Open work beside results: of lots and donors, of look-backs, webhooks, damage, jobs, samples."""

from collections.abc import Iterator
from datetime import date

from sqlalchemy.orm import Session

from batchqc.actions.scrubs import open_damage
from batchqc.actions.trail_samples import waiting_samples
from batchqc.core.open_work import Item, Work
from batchqc.documents.archive import Archive
from batchqc.records.jobs import failed_jobs
from batchqc.records.lots_at_work import Portion
from batchqc.records.work_beside import (
    donors_at_work,
    holds_at_work,
    open_investigations,
    open_look_backs,
    silent_webhooks,
    waiting_transfers,
)


def work_beside(
    session: Session, archive: Archive, portion: Portion, today: date
) -> Iterator[Item]:
    """What waits in lots and, with the first portion, in decided ones and beside all lots."""
    for lot, row, found in open_investigations(session, portion):
        what = f"{found.number}: {found.criterion}; {found.state}"
        link = f"/investigations/{found.number}"
        yield Item(Work.INVESTIGATION, lot, what, row.opened_at, found.due_on, link)
    for lot, hold in holds_at_work(session, portion):
        what = f"hold {hold.number} ({hold.cause}): {hold.reason}"
        yield Item(Work.HOLD, lot, what, hold.held_at, None, f"/lots/{lot}/holds")
    for lot, number in waiting_transfers(session, portion, today):
        what = f"{number} waits for its transfer"
        yield Item(Work.TRANSFER, lot, what, None, None, f"/lots/{lot}")
    yield from _donors(session, portion)
    if portion.is_first:
        yield from _of_no_lot(session)
        yield from _samples(session, archive)


def _of_no_lot(session: Session) -> Iterator[Item]:
    for one in open_look_backs(session):
        what = f"{one.natural_key} from {one.source}: {one.cause}"
        link = f"/look-backs/{one.natural_key}"
        yield Item(Work.LOOK_BACK, "", what, one.started_at, None, link)
    for name, event, at in silent_webhooks(session):
        what = f"{name} was given up at event {event}"
        yield Item(Work.WEBHOOK, "", what, at, None, f"/webhooks/{name}")
    for finding, lots in open_damage(session):
        what = f"the archived file {finding.sha256} is {finding.problem}"
        since = finding.archive_scrub.scrubbed_at
        for lot in lots or ("",):
            yield Item(Work.ARCHIVE, lot, what, since, None, "/archive/damage")
    yield from _jobs(session)


def _samples(session: Session, archive: Archive) -> Iterator[Item]:
    """Samples of the audit trail of which something waits for a reader, or which are damaged."""
    for row, problem in waiting_samples(session, archive):
        number = row.natural_key
        what = f"{number} {f'cannot be read: {problem}' if problem else 'waits for a reader'}"
        link = f"/audit-samples/{number}"
        yield Item(Work.TRAIL_SAMPLE, "", what, row.drawn_at, None, link)


def _jobs(session: Session) -> Iterator[Item]:
    """Jobs that failed and were neither asked for again nor closed."""
    for step in failed_jobs(session):
        number = step.job.natural_key
        what = f"{number} ({step.job.kind}) failed: {step.said}"
        yield Item(Work.JOB, "", what, step.at, None, f"/jobs/{number}")


def _donors(session: Session, portion: Portion) -> Iterator[Item]:
    """Consents that are missing or withdrawn, and determinations before the newest record."""
    for one in donors_at_work(session, portion):
        link = f"/donors/{one.donor}"
        if one.withdrawn_at:
            what = f"donor {one.donor} withdrew the consent"
            yield Item(Work.CONSENT, one.lot, what, one.withdrawn_at, None, link)
        elif one.has_donated and not one.has_consented:
            what = f"no consent of donor {one.donor} is on record"
            yield Item(Work.CONSENT, one.lot, what, None, None, link)
        if one.determined_at and one.changed_at and one.changed_at > one.determined_at:
            what = f"donor {one.donor} has records since the determination"
            yield Item(Work.ELIGIBILITY, one.lot, what, one.changed_at, None, link)
