"""What open work beside results is found by: for a portion of lots, never lot by lot."""

from collections.abc import Iterator
from datetime import date, datetime
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, String, and_, cast, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from batchqc.core.investigations import Investigation, State, Step
from batchqc.core.lot_states import Disposition
from batchqc.records.annex16 import Certification, LotCheck, Transfer
from batchqc.records.conditional import PendingResult
from batchqc.records.corrections import Correction, CorrectionDecision
from batchqc.records.decisions import DispositionRow
from batchqc.records.donations import Consent, ConsentWithdrawal, Donation, DonorTest
from batchqc.records.donors import EligibilityRow
from batchqc.records.events import GIVEN_UP, last_told, open_webhooks
from batchqc.records.holds import Hold, HoldEnd
from batchqc.records.investigations import InvestigationRow, InvestigationStep, folded
from batchqc.records.lists import as_corrected
from batchqc.records.look_backs import LookBack, LookBackClosing
from batchqc.records.lot_reviews import AuditReview, LotReview
from batchqc.records.lots_at_work import Portion
from batchqc.records.registers import DonorRow, LotDonor, LotRow
from batchqc.records.signatures import SignatureRow

_LATER: Any = aliased(DispositionRow)


class DonorAtWork(NamedTuple):
    """A donor of a lot at work: how the records stand to consent and determination.

    ``changed_at`` is when the newest record of the donor was written.
    """

    lot: str
    donor: str
    has_donated: bool
    has_consented: bool
    withdrawn_at: datetime | None
    determined_at: datetime | None
    changed_at: datetime | None


def due_at_work(session: Session, portion: Portion) -> dict[int, dict[str, date]]:
    """The day on which each pending criterion is due, by the lot's id."""
    query = (
        select(DispositionRow.lot_id, PendingResult.criterion, PendingResult.due_on)
        .join(DispositionRow, DispositionRow.id == PendingResult.disposition_id)
        .where(portion.has(DispositionRow.lot_id))
    )
    found: dict[int, dict[str, date]] = {}
    for lot, criterion, due_on in session.execute(query):
        found.setdefault(lot, {})[criterion] = date.fromisoformat(due_on)
    return found


def signed_at_work(
    session: Session, portion: Portion, table: type[LotReview | AuditReview | LotCheck]
) -> dict[int, datetime]:
    """When something was signed last over each of some lots at work, by the lot's id."""
    query = (
        select(table.lot_id, SignatureRow.at)
        .join(SignatureRow, SignatureRow.id == table.signature_id)
        .where(portion.has(table.lot_id))
        .order_by(table.number)
    )
    return {lot: at for lot, at in session.execute(query)}  # noqa: C416 - rows are no pairs


def open_investigations(
    session: Session, portion: Portion
) -> Iterator[tuple[str, InvestigationRow, Investigation]]:
    """Lot, row and state of every investigation that is not concluded, oldest first."""
    waits = not_concluded(InvestigationRow.id).where(portion.tells(InvestigationRow.lot_id))
    steps: dict[int, list[InvestigationStep]] = {}
    query = select(InvestigationStep).where(InvestigationStep.investigation_id.in_(waits))
    for step in session.scalars(query.order_by(InvestigationStep.number)):
        steps.setdefault(step.investigation_id, []).append(step)
    rows = (
        select(LotRow.lot, InvestigationRow)
        .join(LotRow, LotRow.id == InvestigationRow.lot_id)
        .where(InvestigationRow.id.in_(waits))
        .order_by(InvestigationRow.id)
    )
    for lot, row in session.execute(rows):
        found = folded(row, steps.get(row.id, ()))
        if found.state is not State.CONCLUDED:
            yield lot, row, found


def holds_at_work(session: Session, portion: Portion) -> Iterator[tuple[str, Hold]]:
    """Lot and hold of every hold that has not ended, of lots that are not destroyed."""
    query = (
        select(LotRow.lot, Hold)
        .join(LotRow, LotRow.id == Hold.lot_id)
        .where(is_holding(), portion.tells(Hold.lot_id))
    )
    return ((lot, hold) for lot, hold in session.execute(query.order_by(Hold.id)))


def open_look_backs(session: Session) -> Iterator[LookBack]:
    """Every look-back that is not closed, oldest first."""
    closed = select(LookBackClosing.look_back_id)
    yield from session.scalars(
        select(LookBack).where(LookBack.id.not_in(closed)).order_by(LookBack.id)
    )


def donors_at_work(session: Session, portion: Portion) -> Iterator[DonorAtWork]:
    """Every donor of lots at work."""
    own = select(LotDonor.donor_id).where(portion.has(LotDonor.lot_id))
    changed = dict[int, datetime]()
    for donor, at in session.execute(_records(own)):
        changed[donor] = max(at, changed.get(donor, at))
    determined = _by_donor(
        session,
        select(EligibilityRow.donor_id, SignatureRow.at)
        .join(SignatureRow, SignatureRow.id == EligibilityRow.signature_id)
        .where(EligibilityRow.donor_id.in_(own))
        .order_by(EligibilityRow.number),
    )
    consented = _by_donor(
        session,
        select(Consent.donor_id, ConsentWithdrawal.recorded_at)
        .outerjoin(ConsentWithdrawal, ConsentWithdrawal.consent_id == Consent.id)
        .where(Consent.donor_id.in_(own))
        .order_by(Consent.number),
    )
    donated = frozenset(
        session.scalars(select(Donation.donor_id).where(Donation.donor_id.in_(own)))
    )
    lots = (
        select(LotRow.lot, DonorRow.id, DonorRow.code)
        .join(LotDonor, LotDonor.lot_id == LotRow.id)
        .join(DonorRow, DonorRow.id == LotDonor.donor_id)
        .where(portion.has(LotRow.id))
    )
    for lot, donor, code in session.execute(lots):
        yield DonorAtWork(
            lot, code, donor in donated, donor in consented, consented.get(donor),
            determined.get(donor), changed.get(donor),
        )  # fmt: skip


def waiting_transfers(session: Session, portion: Portion, today: date) -> Iterator[tuple[str, str]]:
    """Lot and number of every certification that can be transferred to stock and was not.

    That of a lot that is on hold, or expired by its day as corrected, cannot be.
    """
    query = (
        select(LotRow.lot, Certification)
        .join(DispositionRow, DispositionRow.id == Certification.disposition_id)
        .join(LotRow, LotRow.id == DispositionRow.lot_id)
        .where(
            is_not_transferred(),
            portion.tells(DispositionRow.lot_id),
            LotRow.id.not_in(select(Hold.lot_id).where(is_holding())),
            as_corrected("expires_on", LotRow.expires_on) >= today.isoformat(),
        )
        .order_by(Certification.id)
    )
    for lot, row in session.execute(query):
        yield lot, row.natural_key


def silent_webhooks(session: Session) -> Iterator[tuple[str, int, datetime]]:
    """Every webhook whose newest event of those told was given up: name, event and when."""
    for webhook in sorted(open_webhooks(session), key=attrgetter("name")):
        last = last_told(session, webhook)
        if last is not None and last.outcome == GIVEN_UP:
            yield webhook.name, last.event_number, last.at


def is_holding() -> ColumnElement[bool]:
    """Whether a hold has not ended, and its lot is not destroyed."""
    destroyed = select(DispositionRow.lot_id).where(
        DispositionRow.disposition == Disposition.DESTROYED.value
    )
    return and_(Hold.id.not_in(select(HoldEnd.hold_id)), Hold.lot_id.not_in(destroyed))


def is_not_transferred() -> ColumnElement[bool]:
    """Whether a certification stands and was not transferred to stock."""
    done = select(Transfer.certification_id)
    later = select(_LATER.id).where(
        _LATER.lot_id == DispositionRow.lot_id, _LATER.number > DispositionRow.number
    )
    return and_(Certification.id.not_in(done), ~later.correlate(DispositionRow).exists())


def not_concluded(column: InstrumentedAttribute[int]) -> Select[int]:
    """A column of investigations without a conclusion, and of those that were opened anew."""

    def with_step(step: Step) -> Select[int]:
        kind = InvestigationStep.kind == step.value
        return select(InvestigationStep.investigation_id).where(kind)

    number = InvestigationRow.id
    reopened = number.in_(with_step(Step.REOPENED))
    return select(column).where(number.not_in(with_step(Step.CONCLUSION)) | reopened)


def _records(donors: Select[int]) -> Any:
    """Donor and time of every record of some donors."""
    tests = select(Donation.donor_id, DonorTest.recorded_at).join(
        Donation, Donation.id == DonorTest.donation_id
    )
    withdrawn = select(Consent.donor_id, ConsentWithdrawal.recorded_at).join(
        Consent, Consent.id == ConsentWithdrawal.consent_id
    )
    return union_all(
        tests.where(Donation.donor_id.in_(donors)),
        withdrawn.where(Consent.donor_id.in_(donors)),
        select(Donation.donor_id, Donation.registered_at).where(Donation.donor_id.in_(donors)),
        select(Consent.donor_id, Consent.recorded_at).where(Consent.donor_id.in_(donors)),
        *_corrected(donors),
    )


def _corrected(donors: Select[int]) -> Iterator[Select[int, datetime]]:
    """Donor and time of every decision on a correction of a donor, or of a record of one."""
    decided = (
        select(Donation.donor_id, SignatureRow.at)
        .select_from(CorrectionDecision)
        .join(Correction, Correction.id == CorrectionDecision.correction_id)
        .join(SignatureRow, SignatureRow.id == CorrectionDecision.signature_id)
    )
    about = Correction.subject
    given = decided.where(Donation.donor_id.in_(donors))
    yield given.where(about == "donation:" + Donation.donation)
    number = "/" + cast(DonorTest.number, String)
    tested = given.where(DonorTest.donation_id == Donation.id)
    yield tested.where(about == "donor_test:" + Donation.donation + number)
    number = "/" + cast(Consent.number, String)
    own = decided.with_only_columns(DonorRow.id, SignatureRow.at).where(DonorRow.id.in_(donors))
    yield own.where(about == "donor:" + DonorRow.code)
    consented = own.where(Consent.donor_id == DonorRow.id)
    yield consented.where(about == "consent:" + DonorRow.code + number)


def _by_donor(session: Session, query: Any) -> dict[int, Any]:
    """The newest of each donor."""
    return {donor: at for donor, at in session.execute(query)}  # noqa: C416 - rows are no pairs
