"""Entries of the audit trail by who and what, in the order of the chain, in bounded steps."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from batchqc.records.audit import AuditEntry, AuditLink, AuditSubject, id_at, newest_link
from batchqc.records.base import Row
from batchqc.records.people import person_by
from batchqc.records.registers import donor_by, lot_by, sample_by

#: How many entries are few: they are fetched by their ids.
FEW: Final = 500
#: How many links are read at once of those that may be of a person or an action.
AT_ONCE: Final = 20_000
_IN_ANY_CASE: Final[dict[str, Callable[[Session, str], Row | None]]] = {
    "lot": lot_by,
    "sample": sample_by,
    "donor": donor_by,
}


def subject_of(session: Session, named: str) -> str:
    """The key of a lot, a sample or a donor whose id was named in other letters; or as it was."""
    kind, _, name = named.partition(":")
    row = _IN_ANY_CASE[kind](session, name) if kind in _IN_ANY_CASE else None
    return row.key if row else named


def user_of(session: Session, named: str) -> str:
    """The user id as registered of a person who was named in other letters; or as it was."""
    person = person_by(session, named) if named else None
    return person.user_id if person else named


def entries_after(  # noqa: PLR0913 - each is a filter, and people combine them
    session: Session,
    sequence: int,
    *,
    limit: int,
    subject: str = "",
    who: str = "",
    what: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Sequence[tuple[AuditLink, AuditEntry]]:
    """Entries by their place in the chain, oldest first, after ``sequence``.

    ``since`` is the first moment, ``until`` the one before which they were made.
    """
    filed = Filed(subject, who, what, since, until)
    found: list[tuple[AuditLink, AuditEntry]] = []
    more = sequence
    while len(found) < limit:
        some, more = some_after(session, more, filed, limit=limit - len(found))
        found += some
        if not more:
            break
    return found


class Filed(NamedTuple):
    """How entries are filed; what is not given is any."""

    subject: str = ""
    who: str = ""
    what: str = ""
    since: datetime | None = None
    until: datetime | None = None


def some_after(
    session: Session, sequence: int, filed: Filed, *, limit: int
) -> tuple[Sequence[tuple[AuditLink, AuditEntry]], int]:
    """The first entries after ``sequence``, and the place behind which others may follow, or 0.

    Those of an action, or of a person, are met along its index, whose order is that of the chain;
    few of both are found by their ids. Others are met along the chain: so many links are read at
    once, however few of them fit, that nobody waits for a walk to its end.
    """
    linked = (
        select(AuditLink, AuditEntry)
        .join(AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256)
        .where(AuditLink.sequence > sequence)
        .limit(limit + 1)
    )
    query = linked.where(*_fits(filed)).order_by(AuditLink.sequence)
    far = 0
    if filed in {Filed(who=filed.who), Filed(what=filed.what)} - {Filed()}:
        own = AuditEntry.what == filed.what if filed.what else AuditEntry.who == filed.who
        query = linked.where(own, AuditEntry.id > id_at(sequence)).order_by(AuditEntry.id)
    elif filed.who or filed.what:
        few = _few_ids(session, filed.who, filed.what)
        if few is not None:
            query = query.where(AuditEntry.id.in_(few))
        elif not filed.subject:
            newest = newest_link(session)
            far = sequence + AT_ONCE
            query = query.where(AuditLink.sequence <= far)
            if newest is None or newest.sequence <= far:
                far = 0
    found = [(link, entry) for link, entry in session.execute(query)]
    if len(found) > limit:
        return found[:limit], found[limit - 1][0].sequence
    return found, far


def _fits(filed: Filed) -> Iterator[ColumnElement[bool]]:
    """Not by the index of who or what: of the many that these have, all would be sorted."""
    if filed.subject:
        of_subject = select(AuditSubject.entry_id).where(AuditSubject.subject == filed.subject)
        yield AuditEntry.id.in_(of_subject)
    if filed.who:
        yield AuditEntry.who.concat("") == filed.who
    if filed.what:
        yield AuditEntry.what.concat("") == filed.what
    if filed.since is not None:
        yield AuditEntry.at >= filed.since
    if filed.until is not None:
        yield AuditEntry.at < filed.until


def _few_ids(session: Session, who: str, what: str) -> Sequence[int] | None:
    """All entries of a person and an action, where they are few; ``None`` where they are many.

    Many are found soon on the way along the chain. On that way few would be looked for to its end.
    """
    query = select(AuditEntry.id)
    if who:
        query = query.where(AuditEntry.who == who)
    if what:
        query = query.where(AuditEntry.what == what)
    found = session.scalars(query.limit(FEW + 1)).all()
    return found if len(found) <= FEW else None
