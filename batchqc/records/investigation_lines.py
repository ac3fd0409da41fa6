"""Lists of OOS investigations: what is open first, by the day on which it is due, or by number.

Open ones stand by the day on which they are due, and those that are concluded follow, newest first,
a page at a time. The few whose day was set anew by a step are found by an index, and sorted in.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from batchqc.core.identifiers import fold
from batchqc.core.investigations import Investigation, State, Step
from batchqc.records.among import constants
from batchqc.records.investigations import (
    InvestigationRow,
    InvestigationStep,
    folded,
    investigation_by,
)
from batchqc.records.registers import LotRow
from batchqc.records.uploads import AssayRun, Upload

#: Of a step that sets anew when an investigation is due; word for word as its index says it.
MOVES_THE_DAY: Final = InvestigationStep.kind == literal_column("'due date'")


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

    @property
    def due(self) -> str:
        """The day on which it is due; as it stands there where somebody made it unreadable."""
        return self.now.due_on.isoformat() if self.now.due_on > date.min else self.row.due_on


def investigation_lines(
    session: Session, wanted: InvestigationsWanted, *, after: str = "", limit: int = 50
) -> tuple[list[InvestigationLine], str]:
    """A page of investigations, and the place behind which there are more, or "".

    Args:
        session: only read.
        wanted: which.
        after: the place with which the page before ended: a number, and where it was one of the
            open ones that stand by their days, that day before it.
        limit: how many at the most.
    """
    day, _, number = after.rpartition("/")
    row = investigation_by(session, number) if number else None
    if wanted.order is not Order.DUE:
        found = _by_number(session, wanted, row, limit)
        return found[:limit], found[limit - 1].row.natural_key if len(found) > limit else ""
    still_open = (
        _open(session, wanted, (day, row.id if row else 0), limit) if day or not row else []
    )
    found = still_open
    if len(found) <= limit and _asks_for_concluded(wanted):
        query = _chosen(wanted).where(is_in(State.CONCLUDED))
        if row and not day:
            query = query.where(InvestigationRow.id < row.id)
        query = query.order_by(InvestigationRow.id.desc()).limit(limit + 1 - len(found))
        found = found + _lines(session, query)
    if len(found) <= limit:
        return found, ""
    last = found[limit - 1]
    is_open = len(still_open) >= limit
    return found[:limit], f"{last.due}/{last.row.natural_key}" if is_open else last.row.natural_key


def count_open(session: Session, wanted: InvestigationsWanted, today: date) -> tuple[int, int]:
    """How many are not concluded, and how many of these should have been before ``today``."""
    if wanted.state is State.CONCLUDED:
        return 0, 0
    overdue = case((_is_overdue(today), 1), else_=0)
    query = _open_as_set(wanted).with_only_columns(func.count(), func.sum(overdue))
    many, late = session.execute(query).one()
    moved = _moved(session, wanted)
    return many + len(moved), (late or 0) + sum(one.now.is_overdue(today) for one in moved)


def count_concluded(session: Session, wanted: InvestigationsWanted) -> int:
    """How many are concluded."""
    if not _asks_for_concluded(wanted):
        return 0
    query = _chosen(wanted).where(is_in(State.CONCLUDED))
    return session.scalar(query.with_only_columns(func.count())) or 0


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


def lots_tested(
    session: Session, since: datetime, before: datetime, *, limit: int
) -> Sequence[LotRow]:
    """Lots, so many at the most, of which results came in from a moment on and before another."""
    received = (Upload.received_at >= since) & (Upload.received_at < before)
    tested = select(AssayRun.lot_id).join(Upload, Upload.id == AssayRun.upload_id).where(received)
    query = select(LotRow).where(LotRow.id.in_(tested)).order_by(LotRow.id)
    return session.scalars(query.limit(limit)).all()


def _by_number(
    session: Session, wanted: InvestigationsWanted, behind: InvestigationRow | None, limit: int
) -> list[InvestigationLine]:
    number, backward = InvestigationRow.id, wanted.order is Order.NEWEST
    query = _chosen(wanted)
    if wanted.state is State.CONCLUDED:
        query = query.where(is_in(State.CONCLUDED))
    if not _asks_for_concluded(wanted):
        late = [one.row.id for one in _moved(session, wanted)]
        query = query.where(or_(and_(*_open_conditions(wanted)), number.in_(late)))
    if behind:
        query = query.where(number < behind.id if backward else number > behind.id)
    ordered = query.order_by(number.desc() if backward else number)
    return _lines(session, ordered.limit(limit + 1))


def _open(
    session: Session, wanted: InvestigationsWanted, behind: tuple[str, int], limit: int
) -> list[InvestigationLine]:
    """Those that are not concluded, behind a day and an id, what is due first at the top."""
    if wanted.state is State.CONCLUDED:
        return []
    key = InvestigationRow.due_on, InvestigationRow.id
    query = _open_as_set(wanted).where(tuple_(*key) > tuple_(*map(literal, behind)))
    found = _lines(session, query.order_by(*key).limit(limit + 1))
    found += [one for one in _moved(session, wanted) if (one.due, one.row.id) > behind]
    return sorted(found, key=lambda one: (one.due, one.row.id))[: limit + 1]


def _open_as_set(wanted: InvestigationsWanted) -> Select[InvestigationRow, str]:
    """Those that are not concluded, and due as it was set when they were opened."""
    return _chosen(wanted).where(*_open_conditions(wanted))


def _open_conditions(wanted: InvestigationsWanted) -> Iterator[ColumnElement[bool]]:
    yield ~is_in(State.CONCLUDED) if wanted.state is None else is_in(wanted.state)
    yield ~exists().where(InvestigationStep.investigation_id == InvestigationRow.id, MOVES_THE_DAY)
    if wanted.overdue_on is not None:
        yield _is_overdue(wanted.overdue_on)


def _moved(session: Session, wanted: InvestigationsWanted) -> list[InvestigationLine]:
    """Those that are not concluded and whose day was set anew: few, and read by their steps."""
    if wanted.state is State.CONCLUDED:
        return []
    set_anew = select(InvestigationStep.investigation_id).where(MOVES_THE_DAY)
    query = _chosen(wanted).where(
        InvestigationRow.id.in_(set_anew),
        ~is_in(State.CONCLUDED) if wanted.state is None else is_in(wanted.state),
    )
    day = wanted.overdue_on
    return [one for one in _lines(session, query) if day is None or one.now.is_overdue(day)]


def _is_overdue(today: date) -> ColumnElement[bool]:
    """Whether it should have been concluded; a day that somebody made unreadable is over."""
    day = InvestigationRow.due_on
    return or_(day < today.isoformat(), day > date.max.isoformat())


def _asks_for_concluded(wanted: InvestigationsWanted) -> bool:
    return wanted.state in {None, State.CONCLUDED} and not (wanted.is_open or wanted.overdue_on)


def _chosen(wanted: InvestigationsWanted) -> Select[InvestigationRow, str]:
    query = select(InvestigationRow, LotRow.lot).join(LotRow, LotRow.id == InvestigationRow.lot_id)
    return query.where(*_conditions(wanted))


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


def is_in(state: State) -> ColumnElement[bool]:
    """Whether an investigation is in a state, as its steps fold to it."""
    concluded = _newest(Step.CONCLUSION, Step.REOPENED) == Step.CONCLUSION.value
    if state is State.CONCLUDED:
        return concluded
    phase, plan = _newest(Step.PHASE_I, Step.REVIEW), _newest(Step.PLAN)
    performed = _newest(Step.PHASE_I) != ""
    reviewed = and_(performed, phase == Step.REVIEW.value)
    return {
        State.PHASE_I: and_(~concluded, ~performed),
        State.REVIEW: and_(~concluded, performed, phase == Step.PHASE_I.value),
        State.CONCLUSION: and_(~concluded, reviewed, plan == ""),
        State.RETESTS: and_(~concluded, reviewed, plan != ""),
    }[state]


def _newest(*kinds: Step) -> ColumnElement[str]:
    """The kind of the newest of its steps of some kinds, or ""."""
    newest = (
        select(InvestigationStep.kind)
        .where(
            InvestigationStep.investigation_id == InvestigationRow.id,
            InvestigationStep.kind.in_(constants(kinds)),
        )
        .order_by(InvestigationStep.number.desc())
        .limit(1)
        .correlate(InvestigationRow)
        .scalar_subquery()
    )
    return func.coalesce(newest, "")


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
