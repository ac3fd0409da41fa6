"""Open work, gathered in a fixed number of questions for a portion of the lots.

The lots that expire soonest are looked at first, so few at once that a page is answered however
many are open; what is of no lot is told with them. The others follow, part by part, and behind them
decided lots on which something is left, oldest first.

``SOURCES`` is the one place where another source of work is added: a function of the facts of a
look that tells its items.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.other_stages import readable
from batchqc.actions.setup import own_site
from batchqc.actions.work_beside import work_beside
from batchqc.core.next_steps import Signed, next_steps
from batchqc.core.open_work import Filter, Item, Work, chosen, expected_results, pending_results
from batchqc.core.policies import Policy, needs_qp
from batchqc.documents.archive import Archive
from batchqc.records.annex16 import LotCheck
from batchqc.records.bindings import rebound_lots
from batchqc.records.lot_reviews import AuditReview, LotReview
from batchqc.records.lots_at_work import Among, LotAtWork, Portion
from batchqc.records.lots_left import portion_of_work
from batchqc.records.open_work import (
    RunAtWork,
    calibrations_until,
    lots_corrected,
    lots_without_certificate,
    pending_certificates,
    reported_at_work,
    runs_at_work,
    samples_at_work,
    training_until,
    undetermined_donors,
    waiting_corrections,
)
from batchqc.records.policies import policies_of
from batchqc.records.specifications import SpecificationVersion, all_versions
from batchqc.records.work_beside import due_at_work, signed_at_work

if TYPE_CHECKING:
    from batchqc.core.specifications import Specification

HORIZON: Final = 30
"""Days ahead in which what ends is told."""


@dataclass
class Look:
    """One look at all work: when, how far ahead, and what several sources need."""

    session: Session
    archive: Archive
    now: datetime
    days: int
    portion: Portion

    @cached_property
    def zone(self) -> ZoneInfo:
        """Of the site."""
        return ZoneInfo(own_site(self.session).time_zone)

    @cached_property
    def today(self) -> date:
        """The site-local day."""
        return self.now.astimezone(self.zone).date()

    @property
    def horizon(self) -> date:
        """The last day of which it is told what ends."""
        return self.today + timedelta(days=self.days)

    @property
    def lots(self) -> tuple[LotAtWork, ...]:
        """Lots that are not decided, or released conditionally."""
        return self.portion.lots

    @cached_property
    def runs(self) -> list[RunAtWork]:
        """Every run of those lots, and what came in of decided ones and is not reviewed."""
        return runs_at_work(self.session, self.portion)


class WorkFound(NamedTuple):
    """Today at the site, and what waits, in order.

    ``last`` names the lot behind which others follow that were not looked at; "" where none do.
    """

    today: date
    items: list[Item]
    last: str


def open_work(
    session: Session,
    archive: Archive,
    *,
    wanted: Filter,
    now: datetime,
    days: int = HORIZON,
    among: Among | None = None,
) -> WorkFound:
    """What waits of a portion of lots and that a filter lets through.

    Args:
        session: only read.
        archive: where the specifications are.
        wanted: the filter.
        now: when it is asked.
        days: how many days ahead it is told what ends.
        among: which lots are looked at; without it, the first of all or of the filter's lot.
    """
    portion = portion_of_work(session, among or Among(lot=wanted.lot))
    look = Look(session, archive, now, days, portion)
    items = [item for source in SOURCES for item in source(look)]
    items += next_steps(items, _signed(look))
    return WorkFound(look.today, chosen(items, wanted, look.today), portion.last)


def all_open_work(
    session: Session,
    archive: Archive,
    *,
    wanted: Filter,
    now: datetime,
    days: int = HORIZON,
    among: Among | None = None,
) -> WorkFound:
    """Everything that waits, of all lots: portion by portion, for what is no page."""
    asked, items = among or Among(lot=wanted.lot), list[Item]()
    while True:
        found = open_work(session, archive, wanted=wanted, now=now, days=days, among=asked)
        items += found.items
        if not found.last:
            return WorkFound(found.today, chosen(items, wanted, found.today), "")
        asked = replace(asked, after=found.last)


def _results(look: Look) -> Iterator[Item]:
    samples = samples_at_work(look.session, look.portion)
    reported = reported_at_work(look.session, look.portion)
    due = due_at_work(look.session, look.portion)
    versions = {one.id: one for one in all_versions(look.session)}
    products = {lot.product for lot in look.lots}
    rebound = {
        lot: bound
        for product in sorted(products)
        for lot, bound in rebound_lots(look.session, product).items()
    }
    plans: dict[int, Specification | None] = {}
    for lot in look.lots:
        bound = rebound.get(lot.lot) or [versions[one] for one in lot.versions]
        for version in bound:
            if version.id not in plans:
                plans[version.id] = readable(look.archive, version)[0]
            if plans[version.id] is None:
                yield _unreadable(lot.lot, version)
        own = [plan for one in bound if (plan := plans[one.id]) is not None]
        of_lot = samples.get(lot.id, ())
        on_record = reported.get(lot.id, ())
        if lot.id in due:
            yield from pending_results(lot.lot, own, due[lot.id], on_record)
        else:
            yield from expected_results(lot.lot, own, of_lot, on_record, look.zone)


def _unreadable(lot: str, version: SpecificationVersion) -> Item:
    what = f"{version.reference} cannot be read: what it expects is not known"
    return Item(Work.RESULT, lot, what, None, None, f"/lots/{lot}/readiness")


def _entries(look: Look) -> Iterator[Item]:
    for run in look.runs:
        if run.waits:
            what = f"{run.upload} ({run.test}) waits for its second person"
            link = f"/results/manual/{run.upload}"
            yield Item(Work.SECOND_ENTRY, run.lot, what, run.received_at, None, link)


def _reviews(look: Look) -> Iterator[Item]:
    for run in look.runs:
        if not run.waits and not run.reviewed_by - run.entered_by:
            what = f"run {run.run} ({run.test}) of {run.upload}"
            link = f"/lots/{run.lot}/results"
            yield Item(Work.REVIEW, run.lot, what, run.received_at, None, link)


def _corrections(look: Look) -> Iterator[Item]:
    waiting = waiting_corrections(look.session)
    lots = lots_corrected(look.session, [one.subject for one in waiting])
    shown = {one.lot for one in look.lots}
    for one in waiting:
        lot, is_at_work = lots.get(one.subject, ("", False))
        if lot in shown if is_at_work else look.portion.is_first:
            named = lot if is_at_work or one.subject.startswith("lot:") else ""
            what = f"{one.natural_key}: {one.field} of {one.subject}"
            link = f"/corrections/{one.natural_key}"
            yield Item(Work.CORRECTION, named, what, one.requested_at, None, link)


def _eligibility(look: Look) -> Iterator[Item]:
    for lot, donor, since in undetermined_donors(look.session, look.portion):
        what = f"the eligibility of donor {donor} is not determined"
        yield Item(Work.ELIGIBILITY, lot, what, since, None, f"/donors/{donor}")


def _certificates(look: Look) -> Iterator[Item]:
    for one in pending_certificates(look.session, look.portion):
        link = f"/certificates/{one.natural_key}"
        what = f"{one.natural_key} is not sealed"
        yield Item(Work.CERTIFICATE, one.lot.lot, what, one.reserved_at, None, link)
    for one, is_sealed in lots_without_certificate(look.session, look.portion):
        link = f"/certificates/{one.natural_key}"
        what = f"{one.natural_key} is {'withdrawn' if is_sealed else 'void'}: no certificate counts"
        yield Item(Work.CERTIFICATE, one.lot.lot, what, one.reserved_at, None, link)


def _expiry(look: Look) -> Iterator[Item]:
    for lot in look.lots:
        if lot.expires_on <= look.horizon:
            what = f"its last usable day is {lot.expires_on}"
            link = f"/lots/{lot.lot}"
            yield Item(Work.EXPIRY, lot.lot, what, None, lot.expires_on, link)


def _registers(look: Look) -> Iterator[Item]:
    if not look.portion.is_first:
        return
    for instrument, due in calibrations_until(look.session, look.horizon):
        what = f"the calibration of {instrument} ends"
        yield Item(Work.CALIBRATION, "", what, None, date.fromisoformat(due), "/instruments")
    for person, method, due in training_until(look.session, look.horizon):
        what = f"the training of {person} for {method} ends"
        yield Item(Work.TRAINING, "", what, None, date.fromisoformat(due), "/training")


def _beside(look: Look) -> Iterator[Item]:
    yield from work_beside(look.session, look.archive, look.portion, look.today)


def _signed(look: Look) -> Iterator[Signed]:
    """How far each lot is signed."""
    reviews, trails, checks = (
        signed_at_work(look.session, look.portion, table)
        for table in (LotReview, AuditReview, LotCheck)
    )
    certifies = policies_of(look.session)[Policy.QP_CERTIFIES]
    runs = dict[int, datetime]()
    for run in look.runs:
        runs[run.lot_id] = max(run.changed_at, runs.get(run.lot_id, run.changed_at))
    for lot in look.lots:
        yield Signed(
            lot.lot,
            runs=runs.get(lot.id),
            qc_review=reviews.get(lot.id),
            audit_review=trails.get(lot.id),
            check=checks.get(lot.id),
            needs_check=needs_qp(certifies, lot.market),
        )


SOURCES: Final[tuple[Callable[[Look], Iterator[Item]], ...]] = (
    _results, _entries, _reviews, _corrections, _eligibility, _certificates, _expiry, _registers,
    _beside,
)  # fmt: skip
