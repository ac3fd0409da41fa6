"""Lines of lists of lots, ready to be shown."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from batchqc.actions.specifications import site_day
from batchqc.core.lot_states import Disposition, Overlay
from batchqc.records.lists import LotsWanted
from batchqc.records.lot_lines import Sought, donors_of_lots, lot_lines
from batchqc.records.registers import LotRow


@dataclass(frozen=True, slots=True)
class LotLine:
    """One lot of a list."""

    lot: str
    product: str
    product_name: str
    disposition: Disposition
    overlays: tuple[Overlay, ...]
    made_on: date
    expires_on: date
    days_left: int
    donors: tuple[str, ...]
    registered_at: datetime


def lines(session: Session, sought: Sought, *, now: datetime) -> tuple[list[LotLine], str]:
    """The lots that are sought, and the one behind which there are more, or ""."""
    found = lot_lines(session, sought)
    shown, today = found[: sought.limit], site_day(session, now)
    donors = donors_of_lots(session, [one.id for one in shown])
    read = [_line(one, donors.get(one.id, ()), today) for one in shown]
    return read, read[-1].lot if len(found) > sought.limit else ""


def newest_lots(session: Session, *, limit: int, now: datetime) -> list[LotLine]:
    """The lots that were registered last."""
    return lines(session, Sought(LotsWanted(), limit=limit), now=now)[0]


def line_of(session: Session, lot: LotRow, *, now: datetime) -> LotLine:
    """How one lot stands, without the study of its results."""
    (found,), _ = lines(session, Sought(LotsWanted(), only=(lot.id,)), now=now)
    return found


def _line(row: Any, donors: tuple[str, ...], today: date) -> LotLine:
    expires_on = date.fromisoformat(row.expires_on)
    lies = {
        Overlay.ON_HOLD: row.on_hold,
        Overlay.EXPIRED: today > expires_on,
        Overlay.DEPLETED: row.depleted,
    }
    return LotLine(
        lot=row.lot,
        product=row.product,
        product_name=row.product_name,
        disposition=Disposition(row.disposition),
        overlays=tuple(one for one in Overlay if lies[one]),
        made_on=date.fromisoformat(row.manufactured_on),
        expires_on=expires_on,
        days_left=(expires_on - today).days,
        donors=donors,
        registered_at=row.registered_at,
    )
