"""Lists of OOS investigations: what is open first, by the day on which it is due, or by number.

Open ones are few and are all read, because the day on which one is due stands in its steps. Those
that are concluded follow, newest first, a page at a time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from batchqc.core.identifiers import fold
from batchqc.core.investigations import Investigation, State, Step
from batchqc.records.investigations import (
    InvestigationRow,
    InvestigationStep,
    folded,
    investigation_by,
)
from batchqc.records.registers import LotRow
from batchqc.records.uploads import AssayRun, Upload


class Order(StrEnum):
    """In which order investigations are listed."""

    DUE = "due"
    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class InvestigationsWanted:
    """Which investigations; what is blank or ``None`` lets everything through.

    ``person`` opened it or took a step of it. ``overdue_on`` asks for those that should have been
    concluded before that day.
    """

    lot: str = ""
    criterion: str = ""
    person: str = ""
    state: State | None = None
    is_open: bool = False
    overdue_on: date | None = None
    order: Order = Order.DUE


@dataclass(frozen=True, slots=True)
class InvestigationLine:
    """An investigation of a list: its row, its lot, and how it stands."""

    row: InvestigationRow
    lot: str
    now: Investigation


def investigation_lines(
    session: Session, wanted: InvestigationsWanted, *, after: str = "", limit: int = 50
) -> tuple[list[InvestigationLine], str]:
    """A page of investigations, and the number behind which there are more, or "".

    Args:
        session: only read.
        wanted: which.
        after: the number with which the page before ended.
        limit: how many at the most.
    """
    if wanted.order is not Order.DUE:
        return _by_number(session, wanted, after, limit)
    first = open_lines(session, wanted)
    numbers = [one.row.natural_key for one in first]
    is_concluded = after and after not in numbers
    rest = [] if is_concluded else first[numbers.index(after) + 1 if after else 0 :]
    shown = rest[: limit + 1]
    if len(shown) <= limit:
        query = _concluded(wanted)
        if is_concluded:
            row = investigation_by(session, after)
            query = query.where(InvestigationRow.id < (row.id if row else 0))
        query = query.order_by(InvestigationRow.id.desc()).limit(limit + 1 - len(shown))
        shown += _lines(session, query) if _asks_for_concluded(wanted) else []
    page = shown[:limit]
    return page, page[-1].row.natural_key if len(shown) > limit else ""


def open_lines(session: Session, wanted: InvestigationsWanted) -> list[InvestigationLine]:
    """Every investigation that is not concluded, what is due first at the top."""
    if wanted.state is State.CONCLUDED:
        return []
    found = _lines(session, _chosen(wanted).where(~_is_concluded()))
    return sorted(
        (one for one in found if _is_wanted(one.now, wanted)),
        key=lambda one: (one.now.due_on, one.row.id),
    )


def count_concluded(session: Session, wanted: InvestigationsWanted) -> int:
    """How many are concluded."""
    if not _asks_for_concluded(wanted):
        return 0
    return session.scalar(select(func.count()).select_from(_concluded(wanted).subquery())) or 0


def investigated_criteria(session: Session) -> Sequence[str]:
    """The criteria that were ever under investigation."""
    query = select(InvestigationRow.criterion).distinct().order_by(InvestigationRow.criterion)
    return session.scalars(query).all()


def newest_investigated(session: Session, limit: int) -> Sequence[LotRow]:
    """The lots whose investigations were opened last, newest first."""
    newest = (
        select(InvestigationRow.lot_id, func.max(InvestigationRow.id).label("newest"))
        .group_by(InvestigationRow.lot_id)
        .order_by(func.max(InvestigationRow.id).desc())
        .limit(limit)
        .subquery()
    )
    query = select(LotRow).join(newest, newest.c.lot_id == LotRow.id)
    return session.scalars(query.order_by(newest.c.newest.desc())).all()


def _by_number(
    session: Session, wanted: InvestigationsWanted, after: str, limit: int
) -> tuple[list[InvestigationLine], str]:
    place, number = investigation_by(session, after) if after else None, InvestigationRow.id
    backward = wanted.order is Order.NEWEST
    query = _chosen(wanted)
    if wanted.state is State.CONCLUDED:
        query = query.where(_is_concluded())
    if not _asks_for_concluded(wanted):
        query = query.where(number.in_([one.row.id for one in open_lines(session, wanted)]))
    if place:
        query = query.where(number < place.id if backward else number > place.id)
    query = query.order_by(number.desc() if backward else number).limit(limit + 1)
    found = _lines(session, query)
    return found[:limit], found[limit - 1].row.natural_key if len(found) > limit else ""


def lots_tested(
    session: Session, since: datetime, before: datetime, *, limit: int
) -> Sequence[LotRow]:
    """Lots, so many at the most, of which results came in from a moment on and before another."""
    received = (Upload.received_at >= since) & (Upload.received_at < before)
    tested = select(AssayRun.lot_id).join(Upload, Upload.id == AssayRun.upload_id).where(received)
    query = select(LotRow).where(LotRow.id.in_(tested)).order_by(LotRow.id)
    return session.scalars(query.limit(limit)).all()


def _asks_for_concluded(wanted: InvestigationsWanted) -> bool:
    return wanted.state in {None, State.CONCLUDED} and not (wanted.is_open or wanted.overdue_on)


def _is_wanted(now: Investigation, wanted: InvestigationsWanted) -> bool:
    if wanted.state is not None and now.state is not wanted.state:
        return False
    return wanted.overdue_on is None or now.is_overdue(wanted.overdue_on)


def _chosen(wanted: InvestigationsWanted) -> Select[InvestigationRow, str]:
    query = select(InvestigationRow, LotRow.lot).join(LotRow, LotRow.id == InvestigationRow.lot_id)
    return query.where(*_conditions(wanted))


def _concluded(wanted: InvestigationsWanted) -> Select[InvestigationRow, str]:
    return _chosen(wanted).where(_is_concluded())


def _conditions(wanted: InvestigationsWanted) -> Iterator[ColumnElement[bool]]:
    if wanted.lot:
        yield LotRow.folded.contains(fold(wanted.lot), autoescape=True)
    if wanted.criterion:
        yield InvestigationRow.criterion == wanted.criterion
    if wanted.person:
        name = fold(wanted.person)
        taken = select(InvestigationStep.investigation_id).where(
            func.lower(InvestigationStep.taken_by) == name
        )
        opened = func.lower(InvestigationRow.opened_by) == name
        yield or_(opened, InvestigationRow.id.in_(taken))


def _is_concluded() -> ColumnElement[bool]:
    """Whether the newest of its conclusions and reopenings is a conclusion."""
    newest = (
        select(InvestigationStep.kind)
        .where(
            InvestigationStep.investigation_id == InvestigationRow.id,
            InvestigationStep.kind.in_([Step.CONCLUSION.value, Step.REOPENED.value]),
        )
        .order_by(InvestigationStep.number.desc())
        .limit(1)
        .correlate(InvestigationRow)
        .scalar_subquery()
    )
    return func.coalesce(newest, "") == Step.CONCLUSION.value


def _lines(session: Session, query: Select[InvestigationRow, str]) -> list[InvestigationLine]:
    found = session.execute(query).all()
    steps = _steps(session, [row.id for row, _ in found])
    return [InvestigationLine(row, lot, folded(row, steps.get(row.id, ()))) for row, lot in found]


def _steps(session: Session, ids: Iterable[int]) -> dict[int, list[InvestigationStep]]:
    found: dict[int, list[InvestigationStep]] = {}
    query = select(InvestigationStep).where(InvestigationStep.investigation_id.in_(list(ids)))
    for step in session.scalars(query.order_by(InvestigationStep.number)):
        found.setdefault(step.investigation_id, []).append(step)
    return found
