"""Lists of lots as people look at them: one query for a page, however many lots there are.

What a lot's results say is not in it: that is the study of one lot.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, select, tuple_
from sqlalchemy.orm import Session

from batchqc.core.identifiers import fold
from batchqc.records.among import among
from batchqc.records.containers import depleted_lots
from batchqc.records.holds import Hold, HoldEnd
from batchqc.records.lists import (
    LotsWanted,
    as_corrected,
    lots_corrected_in,
    lots_wanted,
    newest_disposition,
)
from batchqc.records.registers import DonorRow, LotDonor, LotRow, Product


class Order(StrEnum):
    """In which order lots are listed; each is the order of an index."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LOT = "lot"
    LOT_BACK = "lot-back"
    MADE = "made"
    MADE_BACK = "made-back"
    EXPIRES = "expires"
    EXPIRES_BACK = "expires-back"


_BACK: Final = {Order.NEWEST, Order.LOT_BACK, Order.MADE_BACK, Order.EXPIRES_BACK}
_DATES: Final = {
    Order.MADE: "manufactured_on",
    Order.MADE_BACK: "manufactured_on",
    Order.EXPIRES: "expires_on",
    Order.EXPIRES_BACK: "expires_on",
}


@dataclass(frozen=True, slots=True)
class Sought:
    """Which lots, in which order, behind which lot, and how many at the most."""

    wanted: LotsWanted
    order: Order = Order.NEWEST
    after: str = ""
    limit: int = 50
    only: tuple[int, ...] | None = None
    """The surrogate ids of all that are wanted, where somebody has looked for them already."""


def lot_lines(session: Session, sought: Sought) -> Sequence[Any]:
    """Id, product, dates as corrected, disposition, hold and depletion of lots.

    One more than ``limit`` where there are more.
    """
    query = _lines(sought.wanted) if sought.only is None else _ONLY.params(only=list(sought.only))
    if sought.order in _DATES:
        return _by_date(session, query, sought)
    return session.execute(_ordered(query, session, sought).limit(sought.limit + 1)).all()


def count_up_to(session: Session, wanted: LotsWanted, most: int) -> int:
    """How many lots there are, counted no further than ``most``."""
    found = lots_wanted(wanted).with_only_columns(LotRow.id).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0


def lots_up_to(session: Session, wanted: LotsWanted, most: int) -> tuple[int, ...]:
    """The surrogate ids of lots, no more than ``most`` of them, in no order."""
    return tuple(session.scalars(lots_wanted(wanted).with_only_columns(LotRow.id).limit(most)))


def donors_of_lots(session: Session, lots: Iterable[int]) -> Mapping[int, tuple[str, ...]]:
    """The codes of the donors of some lots, by the lot's surrogate id."""
    query = (
        select(LotDonor.lot_id, DonorRow.code)
        .join(DonorRow, DonorRow.id == LotDonor.donor_id)
        .where(LotDonor.lot_id.in_(list(lots)))
        .order_by(LotDonor.id)
    )
    found: dict[int, tuple[str, ...]] = {}
    for lot, code in session.execute(query):
        found[lot] = (*found.get(lot, ()), code)
    return found


def _lines(wanted: LotsWanted) -> Select[*tuple[Any, ...]]:
    joined = lots_wanted(wanted).join(Product, Product.id == LotRow.product_id)
    return joined.with_only_columns(*_STANDING)


_HELD: Final = select(Hold.id).where(
    Hold.lot_id == LotRow.id, Hold.id.not_in(select(HoldEnd.hold_id))
)
_STANDING: Final[tuple[ColumnElement[Any], ...]] = (
    LotRow.id.expression,
    LotRow.lot.expression,
    Product.code.label("product"),
    Product.name.label("product_name"),
    LotRow.registered_at.expression,
    as_corrected("manufactured_on", LotRow.manufactured_on).label("manufactured_on"),
    as_corrected("expires_on", LotRow.expires_on).label("expires_on"),
    newest_disposition().label("disposition"),
    _HELD.exists().label("on_hold"),
    and_(*depleted_lots()).label("depleted"),
)
_ONLY: Final = _lines(LotsWanted()).where(among(LotRow.id, "only"))


def _ordered(
    query: Select[*tuple[Any, ...]], session: Session, sought: Sought
) -> Select[*tuple[Any, ...]]:
    by_lot = sought.order in {Order.LOT, Order.LOT_BACK}
    back = sought.order in _BACK
    column: ColumnElement[Any] = (LotRow.folded if by_lot else LotRow.id).expression
    ordered = query.order_by(column.desc() if back else column)
    if not sought.after:
        return ordered
    place = session.scalar(select(column).where(LotRow.folded == fold(sought.after)))
    return ordered.where(column < place if back else column > place)


def _by_date(session: Session, query: Select[*tuple[Any, ...]], sought: Sought) -> Sequence[Any]:
    """Lots by a date as corrected.

    Those whose date stands as registered come in the order of an index; those whose date was
    corrected are few, are found by their corrections, and are sorted.
    """
    name, back = _DATES[sought.order], sought.order in _BACK
    registered: ColumnElement[str] = getattr(LotRow, name).expression
    corrected = as_corrected(name, getattr(LotRow, name))
    moved = lots_corrected_in(name)
    begin = select(corrected, LotRow.id).where(LotRow.folded == fold(sought.after))
    place = tuple(session.execute(begin).one()) if sought.after else ()
    streams = []
    for date, which in ((registered, LotRow.id.not_in(moved)), (corrected, LotRow.id.in_(moved))):
        key: list[ColumnElement[Any]] = [date, LotRow.id.expression]
        some = query.where(which).order_by(*(one.desc() if back else one for one in key))
        if place:
            some = some.where(tuple_(*key) < place if back else tuple_(*key) > place)
        streams.append(session.execute(some.limit(sought.limit + 1)).all())
    merged = merge(*streams, key=lambda row: (getattr(row, name), row.id), reverse=back)
    return list(islice(merged, sought.limit + 1))
