"""Where the doses of one lot are: what QA needs when the lot is held or recalled (2.01, 8.12)."""

from datetime import datetime

from sqlalchemy.orm import Session

from batchqc.actions.genealogy import reach
from batchqc.actions.whereabouts import Whereabouts, whereabouts
from batchqc.core.genealogy import Direction
from batchqc.records.registers import LotRow


def doses_of(session: Session, lot: LotRow, now: datetime) -> list[Whereabouts]:
    """Every container of a lot: in storage, shipped to which site, given to which pseudonym."""
    return doses_and_doubts(session, lot, now)[0]


def doses_and_doubts(
    session: Session, lot: LotRow, now: datetime
) -> tuple[list[Whereabouts], tuple[str, ...]]:
    """The same, and what is wrong with the records that say so."""
    graph, states, wrong = reach(session, {lot.key: lot}, Direction.FORWARD, now)
    return list(whereabouts(graph, states.said)), tuple(wrong)
