"""Decided lots on which something is left: a run without review, a hold, an unsealed certificate.

They follow the lots at work, oldest first. A portion looks at so many of them at the most, whether
something is left on them or not: of most nothing is, and to find that out each one is looked at.
"""

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Integer, Select, bindparam, exists, func, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from batchqc.records import lots_at_work
from batchqc.records.annex16 import Certification
from batchqc.records.decisions import Certificate, DispositionRow
from batchqc.records.holds import Hold
from batchqc.records.investigations import InvestigationRow
from batchqc.records.lots_at_work import DECIDED, Among, Portion, is_decided, portion_at_work
from batchqc.records.open_work import is_missed, is_not_sealed, is_reviewed
from batchqc.records.registers import LotRow, Product, lot_by
from batchqc.records.uploads import AssayRun
from batchqc.records.work_beside import is_holding, is_not_transferred, not_concluded

LOOKED_AT: Final = 5_000
"""Lots behind a place of which it is found out at once whether something is left on them."""


def portion_of_work(session: Session, asked: Among) -> Portion:
    """Lots at work behind a place and, where there is room, decided ones with something left."""
    portion = portion_at_work(session, asked)
    if portion.last:
        return portion
    first, until = _span(session, asked)
    room = lots_at_work.LOTS_AT_ONCE - len(portion.lots)
    found = session.scalars(_left(asked, first, until), {"limit": room + 1}).all()
    left = tuple(found[:room])
    if asked.lot:
        return replace(portion, left=left)
    if len(found) > room and not room:
        return replace(portion, last=portion.end)
    last = session.get_one(LotRow, left[-1] if len(found) > room else until) if until else None
    if last is None or not session.scalar(select(exists().where(LotRow.id > last.id))):
        return replace(portion, left=left)
    return replace(portion, left=left, last=f"{DECIDED}/{last.lot}")


def _span(session: Session, asked: Among) -> tuple[int, int]:
    """Between which surrogate ids lots are looked at: behind the first, up to the second."""
    if asked.lot:
        row = lot_by(session, asked.lot)
        return (row.id - 1, row.id) if row else (0, 0)
    day, _, lot = asked.after.partition("/")
    row = lot_by(session, lot) if day == DECIDED else None
    first = row.id if row else 0
    until = select(func.max(LotRow.id)).where(LotRow.id <= first + LOOKED_AT)
    return first, session.scalar(until) or 0


def _left(asked: Among, first: int, until: int) -> Any:
    """Ids of decided lots on which something is left, so many at the most, oldest first."""
    certified = select(DispositionRow.lot_id).join(
        Certification, Certification.disposition_id == DispositionRow.id
    )
    sources: tuple[tuple[InstrumentedAttribute[int], Select[int]], ...] = (
        (AssayRun.lot_id, select(AssayRun.lot_id).where(~is_reviewed())),
        (InvestigationRow.lot_id, not_concluded(InvestigationRow.lot_id)),
        (Hold.lot_id, select(Hold.lot_id).where(is_holding())),
        (Certificate.lot_id, select(Certificate.lot_id).where(is_not_sealed())),
        (Certificate.lot_id, select(Certificate.lot_id).where(is_missed())),
        (DispositionRow.lot_id, certified.where(is_not_transferred())),
    )
    limit = bindparam("limit", type_=Integer)
    each = []
    for lot, query in sources:
        here = query.where(lot > first, lot <= until, is_decided(lot))
        if fits := list(asked.fits()):
            here = here.where(lot.in_(select(LotRow.id).join(Product).where(*fits)))
        some = here.distinct().order_by(lot).limit(limit).subquery()
        each.append(select(some.c.lot_id))
    found = union(*each).subquery()
    return select(found.c.lot_id).order_by(found.c.lot_id).limit(limit)
