"""The audit trail as people look through it: newest or oldest first, by the order of an index.

Entries stand in the order of their ids; where days are asked for, of their times, which ``at`` has
an index for. A word is looked for in so many entries at once, so that a word that is nowhere does
not read the whole trail.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from batchqc.errors import IntegrityFailure, InvalidInput
from batchqc.records.audit import AuditEntry, AuditLink, AuditSubject

#: In how many entries a word is looked for at once.
WINDOW: Final = 5000


@dataclass(frozen=True, slots=True)
class TrailWanted:
    """Which entries; each that is given must fit. ``but`` are actions that are left out.

    The newest come first, or the oldest.
    """

    subjects: tuple[str, ...] = ()
    who: str = ""
    what: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    word: str = ""
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class TrailLines:
    """Entries with their links; there are further ones behind ``more``, 0 for none.

    Where a word is looked for, ``more`` is how far it was, whether or not it was found.
    """

    lines: Sequence[tuple[AuditLink, AuditEntry]]
    more: int


def trail_lines(session: Session, wanted: TrailWanted, *, after: int = 0, limit: int) -> TrailLines:
    """The first entries that are wanted, or those that follow the entry at ``after``.

    Raises:
        InvalidInput: BQC-API-007 there is no entry at ``after``.
        IntegrityFailure: BQC-AUD-005 an entry of the page has no place in the chain.
    """
    query = _ids(session, wanted, after)
    if not wanted.word:
        ids = session.scalars(query.limit(limit + 1)).all()
        lines = _lines(session, ids[:limit])
        return TrailLines(lines, lines[-1][0].sequence if len(ids) > limit else 0)
    window = session.scalars(query.limit(WINDOW)).all()
    found = _with_word(session, window, wanted.word, limit + 1)
    if len(found) > limit:
        lines = _lines(session, found[:limit])
        return TrailLines(lines, lines[-1][0].sequence)
    more = _lines(session, window[-1:])[0][0].sequence if len(window) == WINDOW else 0
    return TrailLines(_lines(session, found), more)


def known_subjects(session: Session, candidates: Iterable[str]) -> tuple[str, ...]:
    """Those of some keys under which an entry is filed."""
    query = select(AuditSubject.subject).where(AuditSubject.subject.in_(sorted(candidates)))
    return tuple(sorted(session.scalars(query.distinct())))


def used_values(session: Session, column: InstrumentedAttribute[str]) -> list[str]:
    """Every value of an indexed column, each found by one step in the index."""
    first = select(func.min(column).label("value")).cte("used", recursive=True, nesting=True)
    following = select(func.min(column)).where(column > first.c.value).scalar_subquery()
    used = first.union_all(select(following).where(first.c.value.is_not(None)))
    found = select(used.c.value).where(used.c.value.is_not(None)).subquery()
    return list(session.scalars(select(found.c.value).order_by(found.c.value)))


def link_at(session: Session, sequence: int) -> tuple[AuditLink, AuditEntry | None] | None:
    """The link at a place, and its entry, which may be gone."""
    query = (
        select(AuditLink, AuditEntry)
        .outerjoin(AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256)
        .where(AuditLink.sequence == sequence)
    )
    found = session.execute(query).one_or_none()
    return (found[0], found[1]) if found else None


def newest_of(session: Session, what: str) -> tuple[int, AuditEntry] | None:
    """The newest entry of an action, with its place."""
    found = trail_lines(session, TrailWanted(what=(what,)), limit=1).lines
    return (found[0][0].sequence, found[0][1]) if found else None


def _ids(session: Session, wanted: TrailWanted, after: int) -> Select[int]:
    by_time = wanted.since is not None or wanted.until is not None
    query = select(AuditEntry.id)
    order: list[Any] = [AuditEntry.id]
    if wanted.subjects:
        query = select(AuditSubject.entry_id).join(AuditEntry)
        query = query.where(AuditSubject.subject.in_(wanted.subjects))
        query = query.group_by(AuditSubject.entry_id, *([AuditEntry.at] if by_time else []))
        order = [AuditSubject.entry_id]
    if by_time:
        order = [AuditEntry.at, *order]
    query = query.where(*_conditions(wanted))
    if after:
        query = query.where(_behind(order, _entry_at(session, after), wanted))
    return query.order_by(*(one if wanted.oldest_first else one.desc() for one in order))


def _behind(order: list[Any], last: AuditEntry, wanted: TrailWanted) -> ColumnElement[bool]:
    place: list[Any] = [last.id]
    if len(order) > 1:
        place = [literal(last.at, AuditEntry.at.type), last.id]
    key, end = tuple_(*order), tuple_(*place)
    return key > end if wanted.oldest_first else key < end


def _conditions(wanted: TrailWanted) -> Iterator[ColumnElement[bool]]:
    if wanted.who:
        yield AuditEntry.who == wanted.who
    if wanted.what:
        one, *others = wanted.what
        yield AuditEntry.what.in_(wanted.what) if others else AuditEntry.what == one
    if wanted.but:
        yield AuditEntry.what.not_in(wanted.but)
    if wanted.since is not None:
        yield AuditEntry.at >= wanted.since
    if wanted.until is not None:
        yield AuditEntry.at < wanted.until


def _entry_at(session: Session, sequence: int) -> AuditEntry:
    found = link_at(session, sequence)
    if found is None or found[1] is None:
        raise InvalidInput("BQC-API-007", f'"{sequence}" is not the `next` of a page')
    return found[1]


def _with_word(session: Session, ids: Sequence[int], word: str, limit: int) -> Sequence[int]:
    """Those of some entries, in their order, in whose text a word stands."""
    if not ids:
        return []
    found: list[int] = []
    for first in range(0, len(ids), 500):
        some = ids[first : first + 500]
        query = select(AuditEntry.id).where(AuditEntry.id.in_(some))
        having = set(session.scalars(query.where(AuditEntry.text.icontains(word, autoescape=True))))
        found += [one for one in some if one in having]
        if len(found) >= limit:
            break
    return found[:limit]


def _lines(session: Session, ids: Sequence[int]) -> list[tuple[AuditLink, AuditEntry]]:
    query = (
        select(AuditLink, AuditEntry)
        .join(AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256)
        .where(AuditEntry.id.in_(ids))
    )
    found = {entry.id: (link, entry) for link, entry in session.execute(query)}
    if len(found) < len(ids):
        raise IntegrityFailure(
            "BQC-AUD-005",
            f"{len(ids) - len(found)} of the entries looked at have no place in the audit trail",
            hint="Verify the audit trail: it names what was changed.",
        )
    return [found[one] for one in ids]
