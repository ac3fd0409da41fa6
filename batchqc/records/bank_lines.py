"""Lists of cell banks, look-backs and products as people look at them: a query for a page.

Banks are a small table by nature, for many lots come of one: no index serves their dates.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from batchqc.core.cell_banks import BankKind, BankStatus
from batchqc.core.identifiers import fold
from batchqc.core.look_backs import LookBackCause
from batchqc.records.cell_banks import CellBank, CellBankEvent
from batchqc.records.list_orders import in_order
from batchqc.records.look_backs import LookBack, LookBackClosing
from batchqc.records.registers import LotRow, Product
from batchqc.records.specifications import SpecificationApproval, SpecificationVersion


class BankOrder(StrEnum):
    """In which order banks are listed."""

    NEWEST = "newest"
    OLDEST = "oldest"
    BANK = "bank"
    BANK_BACK = "bank-back"
    MADE = "made"
    MADE_BACK = "made-back"
    EXPIRES = "expires"
    EXPIRES_BACK = "expires-back"


_BACK: Final = {
    BankOrder.NEWEST, BankOrder.BANK_BACK, BankOrder.MADE_BACK, BankOrder.EXPIRES_BACK,
}  # fmt: skip
_BY: Final[Mapping[BankOrder, InstrumentedAttribute[Any]]] = {
    BankOrder.BANK: CellBank.folded,
    BankOrder.BANK_BACK: CellBank.folded,
    BankOrder.MADE: CellBank.made_on,
    BankOrder.MADE_BACK: CellBank.made_on,
    BankOrder.EXPIRES: CellBank.expires_on,
    BankOrder.EXPIRES_BACK: CellBank.expires_on,
}


@dataclass(frozen=True, slots=True)
class BanksWanted:
    """Which banks: a part of the id, the kind, how they stand; and in which order."""

    text: str = ""
    kind: BankKind | None = None
    status: BankStatus | None = None
    order: BankOrder = BankOrder.NEWEST


@dataclass(frozen=True, slots=True)
class LookBacksWanted:
    """Which look-backs: a part of the source, the cause, open ones or closed ones."""

    text: str = ""
    cause: LookBackCause | None = None
    is_open: bool | None = None
    oldest_first: bool = False


def bank_rows(
    session: Session, wanted: BanksWanted, *, after: CellBank | None, limit: int
) -> Sequence[CellBank]:
    """Banks in the order that is wanted, behind the last one of the page before."""
    query = select(CellBank).where(*_bank_conditions(wanted))
    columns = [_BY[wanted.order]] if wanted.order in _BY else []
    ordered = in_order(query, *columns, CellBank.id, behind=after, is_back=wanted.order in _BACK)
    return session.scalars(ordered.limit(limit)).all()


def look_back_rows(
    session: Session, wanted: LookBacksWanted, *, after: LookBack | None, limit: int
) -> Sequence[LookBack]:
    """Look-backs, newest or oldest first, behind the last one of the page before."""
    query = select(LookBack).where(*_look_back_conditions(wanted))
    ordered = in_order(query, LookBack.id, behind=after, is_back=not wanted.oldest_first)
    return session.scalars(ordered.limit(limit)).all()


def closings_of(session: Session, rows: Sequence[LookBack]) -> Mapping[int, LookBackClosing]:
    """How each of some look-backs was closed that is, by the surrogate id of the look-back."""
    ids = [one.id for one in rows]
    query = select(LookBackClosing).where(LookBackClosing.look_back_id.in_(ids))
    return {one.look_back_id: one for one in session.scalars(query)}


def products_with_lots(session: Session) -> Sequence[tuple[Product, int]]:
    """Every product, by code, with how many lots are registered of it."""
    counted = select(LotRow.product_id, func.count().label("lots")).group_by(LotRow.product_id)
    lots = counted.subquery()
    query = select(Product, func.coalesce(lots.c.lots, 0))
    rows = session.execute(
        query.outerjoin(lots, lots.c.product_id == Product.id).order_by(Product.folded)
    )
    return [(row[0], row[1]) for row in rows]


def specified_products(session: Session) -> frozenset[str]:
    """The codes of the products that an approved specification is for."""
    query = select(SpecificationVersion.product).join(SpecificationApproval)
    return frozenset(session.scalars(query.distinct()))


def _bank_conditions(wanted: BanksWanted) -> Iterator[ColumnElement[bool]]:
    if wanted.text:
        yield CellBank.folded.contains(fold(wanted.text), autoescape=True)
    if wanted.kind is not None:
        yield CellBank.kind == wanted.kind.value
    if wanted.status is not None:
        newest = (
            select(CellBankEvent.status)
            .where(CellBankEvent.cell_bank_id == CellBank.id)
            .order_by(CellBankEvent.number.desc())
            .limit(1)
            .scalar_subquery()
        )
        yield func.coalesce(newest, BankStatus.AVAILABLE.value) == wanted.status.value


def _look_back_conditions(wanted: LookBacksWanted) -> Iterator[ColumnElement[bool]]:
    if wanted.text:
        yield func.lower(LookBack.source).contains(fold(wanted.text), autoescape=True)
    if wanted.cause is not None:
        yield LookBack.cause == wanted.cause.value
    if wanted.is_open is not None:
        closed = exists().where(LookBackClosing.look_back_id == LookBack.id)
        yield ~closed if wanted.is_open else closed
