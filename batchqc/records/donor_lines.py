"""Lists of donors as people look at them: one query for a page, by the order of the code."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

from batchqc.core.eligibility import Interpretation, Scope
from batchqc.core.identifiers import fold
from batchqc.records.cell_banks import CellBank, Derivation, children_of
from batchqc.records.donations import (
    Consent,
    ConsentWithdrawal,
    Donation,
    DonationPool,
    DonationPoolPart,
    DonorTest,
)
from batchqc.records.donors import EligibilityRow
from batchqc.records.list_orders import in_order
from batchqc.records.registers import DonorRow, LotDonor


class Consenting(StrEnum):
    """How the consent of a donor stands: after a withdrawal, only clinical use is one again."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class DonorsWanted:
    """Which donors: a part of the code or tissue, as registered; what was said of them last.

    ``eligibility`` is the word of the newest determination, "not determined" where there is none.
    ``doubtful`` asks for a result that was recorded as reactive or indeterminate.
    """

    text: str = ""
    eligibility: str = ""
    consent: Consenting | None = None
    doubtful: bool = False


class DonorOrder(StrEnum):
    """In which order donors are listed: by code, or as they were registered."""

    CODE = "code"
    CODE_BACK = "code-back"
    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class DonorsSought:
    """Which donors, behind which one of them, in which order, and how many at the most."""

    wanted: DonorsWanted
    after: DonorRow | None = None
    limit: int = 50
    order: DonorOrder = DonorOrder.CODE


NOT_DETERMINED = "not determined"


def donor_rows(session: Session, sought: DonorsSought) -> Sequence[DonorRow]:
    """The donors in their order; one more than ``limit`` where there are more."""
    is_by_code = sought.order in {DonorOrder.CODE, DonorOrder.CODE_BACK}
    ordered = in_order(
        donors_wanted(sought.wanted),
        DonorRow.folded if is_by_code else DonorRow.id,
        behind=sought.after,
        is_back=sought.order in {DonorOrder.CODE_BACK, DonorOrder.NEWEST},
    )
    return session.scalars(ordered.limit(sought.limit + 1)).all()


def donors_wanted(wanted: DonorsWanted) -> Select[DonorRow]:
    """The donors."""
    return select(DonorRow).where(*_conditions(wanted))


def count_donors(session: Session, wanted: DonorsWanted, most: int) -> int:
    """How many donors there are, counted no further than ``most``."""
    found = donors_wanted(wanted).with_only_columns(DonorRow.id).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0


def lots_from(session: Session, donors: Iterable[DonorRow]) -> Mapping[int, int]:
    """How many lots name each of some donors, by its surrogate id."""
    ids = [one.id for one in donors]
    counted = select(LotDonor.donor_id, func.count().label("lots"))
    query = counted.where(LotDonor.donor_id.in_(ids)).group_by(LotDonor.donor_id)
    return {row.donor_id: row.lots for row in session.execute(query)}


def banks_from(session: Session, donations: Sequence[Donation]) -> Sequence[CellBank]:
    """Every bank that comes of some donations or of pools with them, in order of registration."""
    pooled = select(DonationPool).join(DonationPoolPart)
    ids = [one.id for one in donations]
    pools = session.scalars(pooled.where(DonationPoolPart.donation_id.in_(ids))).all()
    level = [one.key for one in (*donations, *pools)]
    found: set[str] = set()
    while level:
        made = children_of(session, level)
        level = [one.child for one in made if _is_new_bank(one, found)]
        found |= set(level)
    names = sorted(key.partition(":")[2] for key in found)
    return session.scalars(
        select(CellBank).where(CellBank.bank.in_(names)).order_by(CellBank.id)
    ).all()


def _is_new_bank(made: Derivation, found: set[str]) -> bool:
    return made.child.startswith(f"{CellBank.__tablename__}:") and made.child not in found


def _conditions(wanted: DonorsWanted) -> Iterator[ColumnElement[bool]]:
    if wanted.text:
        part = fold(wanted.text)
        of_tissue = func.lower(DonorRow.tissue_source).contains(part, autoescape=True)
        yield DonorRow.folded.contains(part, autoescape=True) | of_tissue
    if wanted.eligibility:
        yield _newest_eligibility() == wanted.eligibility
    if wanted.consent is not None:
        yield _consent_is(wanted.consent)
    if wanted.doubtful:
        words = [Interpretation.REACTIVE.value, Interpretation.INDETERMINATE.value]
        results = select(Donation.donor_id).join(DonorTest, DonorTest.donation_id == Donation.id)
        yield DonorRow.id.in_(results.where(DonorTest.result.in_(words)))


def _newest_eligibility() -> ColumnElement[str]:
    newest = (
        select(EligibilityRow.eligibility)
        .where(EligibilityRow.donor_id == DonorRow.id)
        .order_by(EligibilityRow.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(newest, NOT_DETERMINED)


def _consent_is(wanted: Consenting) -> ColumnElement[bool]:
    any_consent = exists().where(Consent.donor_id == DonorRow.id)
    if wanted is Consenting.NONE:
        return ~any_consent
    newest = (
        select(Consent.id)
        .where(Consent.donor_id == DonorRow.id)
        .order_by(Consent.number.desc())
        .limit(1)
    )
    ended = exists().where(
        ConsentWithdrawal.consent_id == newest.with_only_columns(Consent.id).scalar_subquery()
    )
    earlier = select(Consent.donor_id).join(
        ConsentWithdrawal, ConsentWithdrawal.consent_id == Consent.id
    )
    scopes = newest.with_only_columns(Consent.scopes).scalar_subquery()
    withdrawn = ended | (DonorRow.id.in_(earlier) & ~scopes.contains(Scope.CLINICAL.value))
    return any_consent & (withdrawn if wanted is Consenting.WITHDRAWN else ~withdrawn)
