"""Lots that are not decided for good, and their samples of a day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.core.lot_states import UNDECIDED
from batchqc.records.among import constants
from batchqc.records.decisions import DispositionRow
from batchqc.records.registers import LotRow, SampleRow

_FURTHEST_ZONE: Final = timedelta(hours=15)
_FIRST_DAY: Final = date(2, 1, 1)  # no zone moves it, or the last one, out of the calendar
_LAST_DAY: Final = date(9998, 12, 31)


def undecided_lots(session: Session) -> Sequence[LotRow]:
    """Every lot that is undecided, or released conditionally; by id."""
    decided = select(DispositionRow.lot_id).where(
        DispositionRow.disposition.not_in(constants(UNDECIDED))
    )
    return session.scalars(
        select(LotRow).where(LotRow.id.not_in(decided)).order_by(LotRow.folded)
    ).all()


def lots_sampled_near(session: Session, day: date) -> frozenset[int]:
    """Ids of the lots of which a sample was taken on a day, wherever on earth the day is."""
    begins = datetime.combine(min(max(day, _FIRST_DAY), _LAST_DAY), time.min, UTC)
    query = select(SampleRow.lot_id).where(
        SampleRow.taken_at >= begins - _FURTHEST_ZONE,
        SampleRow.taken_at < begins + timedelta(days=1) + _FURTHEST_ZONE,
    )
    return frozenset(session.scalars(query.distinct()))
