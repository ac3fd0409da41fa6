"""Lists of lots as people look at them: one query for a page, however many lots there are.

What a lot's results say is not in it: that is the study of one lot.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from batchqc.core.identifiers import fold
from batchqc.records.containers import depleted_lots
from batchqc.records.holds import Hold, HoldEnd
from batchqc.records.lists import LotsWanted, as_corrected, lots_wanted, newest_disposition
from batchqc.records.registers import DonorRow, LotDonor, LotRow, Product


class Order(StrEnum):
    """In which order lots are listed; each is the order of an index."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LOT = "lot"
    LOT_BACK = "lot-back"


@dataclass(frozen=True, slots=True)
class Sought:
    """Which lots, in which order, behind which lot, and how many at the most."""

    wanted: LotsWanted
    order: Order = Order.NEWEST
    after: str = ""
    limit: int = 50


def lot_lines(session: Session, sought: Sought) -> Sequence[Any]:
    """Id, product, dates as corrected, disposition, hold and depletion of lots.

    One more than ``limit`` where there are more.
    """
    held = select(Hold.id).where(Hold.lot_id == LotRow.id, Hold.id.not_in(select(HoldEnd.hold_id)))
    query = (
        _ordered(lots_wanted(sought.wanted), session, sought)
        .join(Product, Product.id == LotRow.product_id)
        .with_only_columns(
            LotRow.id,
            LotRow.lot,
            Product.code.label("product"),
            Product.name.label("product_name"),
            LotRow.registered_at,
            as_corrected("manufactured_on", LotRow.manufactured_on).label("made_on"),
            as_corrected("expires_on", LotRow.expires_on).label("expires_on"),
            newest_disposition().label("disposition"),
            held.exists().label("on_hold"),
            and_(*depleted_lots()).label("depleted"),
        )
        .limit(sought.limit + 1)
    )
    return session.execute(query).all()


def count_up_to(session: Session, wanted: LotsWanted, most: int) -> int:
    """How many lots there are, counted no further than ``most``."""
    found = lots_wanted(wanted).with_only_columns(LotRow.id).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0


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


def _ordered(query: Select[LotRow], session: Session, sought: Sought) -> Select[LotRow]:
    by_lot = sought.order in {Order.LOT, Order.LOT_BACK}
    back = sought.order in {Order.NEWEST, Order.LOT_BACK}
    column: ColumnElement[Any] = (LotRow.folded if by_lot else LotRow.id).expression
    ordered = query.order_by(column.desc() if back else column)
    if not sought.after:
        return ordered
    place = session.scalar(select(column).where(LotRow.folded == fold(sought.after)))
    return ordered.where(column < place if back else column > place)
