"""The registers of the laboratory as people look through them: the newest row of each thing."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from batchqc.core.identifiers import fold
from batchqc.records.laboratory import Instrument, Material, Training
from batchqc.records.people import Person

Kept = TypeVar("Kept", Instrument, Material)


def newest_kept(
    session: Session, table: type[Kept], *, text: str, after: str, limit: int
) -> Sequence[Kept]:
    """The newest row of each instrument or material whose id or kind has ``text`` in it, by id.

    ``after`` is the folded id of the last one that was seen.
    """
    newest = select(func.max(table.id)).group_by(table.folded)
    query = select(table).where(table.id.in_(newest), table.folded > after)
    if text:
        like = or_(
            table.folded.contains(fold(text), autoescape=True),
            table.kind.icontains(text, autoescape=True),
        )
        query = query.where(like)
    return session.scalars(query.order_by(table.folded).limit(limit)).all()


def newest_trainings(session: Session, *, text: str, after: int, limit: int) -> Sequence[Training]:
    """The newest row of each person and method with ``text`` in it, the newest first.

    ``after`` is the id of the last row that was seen, 0 for none.
    """
    newest = select(func.max(Training.id)).group_by(Training.person_id, Training.method)
    query = select(Training).join(Person).where(Training.id.in_(newest))
    query = query.options(joinedload(Training.person))
    if after:
        query = query.where(Training.id < after)
    if text:
        like = or_(
            Training.method.icontains(text, autoescape=True),
            Person.folded.contains(fold(text), autoescape=True),
            Person.name.icontains(text, autoescape=True),
        )
        query = query.where(like)
    return session.scalars(query.order_by(Training.id.desc()).limit(limit)).all()
