"""Audit trail rows: entries, their subjects, and the chain over them; how they are read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    URL,
    ColumnElement,
    Engine,
    Index,
    Integer,
    Select,
    UniqueConstraint,
    bindparam,
    create_engine,
    exists,
    func,
    select,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, relationship
from sqlalchemy.pool import NullPool

from batchqc.core.audit import Link
from batchqc.core.audit_review import OF_PEOPLE
from batchqc.records.among import among
from batchqc.records.base import Row, few_among_many, refers_to
from batchqc.records.once import once

_EVERY_DAY: Final = "', '".join(sorted(OF_PEOPLE))
#: Entries that name a person and tell more than that. Who asks for these says it in these words,
#: by which a database knows the index of them.
TELLS_OF_PEOPLE: Final = f"what NOT IN ('{_EVERY_DAY}') AND text LIKE '%\"person:%'"


class AuditEntry(Row):
    """One entry. ``text`` is the record; the other columns are for searching it.

    Ids are given behind the lock of the chain: they rise as the places of entries in it do.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        # SQLite has the id at the end of every index
        Index("ix_audit_entry_what_id", "what", "id").ddl_if(dialect="postgresql"),
        Index("ix_audit_entry_who_id", "who", "id").ddl_if(dialect="postgresql"),
        few_among_many("ix_audit_entry_of_people", "id", TELLS_OF_PEOPLE),
    )

    sha256: Mapped[str] = mapped_column(unique=True)
    text: Mapped[str]
    who: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    what: Mapped[str] = mapped_column(index=True)

    subjects: Mapped[list["AuditSubject"]] = relationship(back_populates="entry")

    @property
    def natural_key(self) -> str:
        """Its hash."""
        return self.sha256


class AuditSubject(Row):
    """A record that an entry speaks of, for searching."""

    __tablename__ = "audit_subject"
    __table_args__ = (UniqueConstraint("subject", "entry_id"),)

    entry_id: Mapped[int] = refers_to("audit_entry")
    subject: Mapped[str]

    entry: Mapped[AuditEntry] = relationship(back_populates="subjects")

    @property
    def natural_key(self) -> str:
        """The entry and what it speaks of."""
        return f"{self.entry.sha256}:{self.subject}"


class AuditLink(Row):
    """One link of the chain over the entries."""

    __tablename__ = "audit_link"

    sequence: Mapped[int] = mapped_column(unique=True)
    entry_sha256: Mapped[str] = mapped_column(unique=True)
    previous: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)

    @property
    def natural_key(self) -> str:
        """Its place."""
        return str(self.sequence)

    @property
    def link(self) -> Link:
        """The link as a value."""
        return Link(self.sequence, self.entry_sha256, self.previous, self.sha256)


#: What makes a link as a value, in the order of its members.
LINK: Final = (
    AuditLink.sequence, AuditLink.entry_sha256, AuditLink.previous, AuditLink.sha256,
)  # fmt: skip


LINKS_AT_ONCE: Final = 2_000
"""How many entries are held in memory while the whole trail is read."""
WAIT_FOR_STANDBY: Final = "SELECT pg_logical_emit_message(true, 'batchqc', '')"
"""Makes the commit of a transaction that changes nothing wait for a synchronous standby."""


_NEWEST: Final = select(AuditLink).order_by(AuditLink.sequence.desc()).limit(1)


@once
def newest_link(session: Session) -> Link | None:
    """The head of the chain, or ``None`` before the first entry."""
    row = session.scalar(_NEWEST)
    return row.link if row else None


def settled_link(session: Session) -> Link | None:
    """The head of the chain, once it is on the disk of a synchronous standby as well.

    What is stored over it is then never over an entry that a fail-over loses.
    """
    link = newest_link(session)
    if session.get_bind().dialect.name == "postgresql":
        own = _of_nobody(session.connection().engine.url)
        with own.begin() as beside:  # its commit waits for all before it
            beside.exec_driver_sql(WAIT_FOR_STANDBY)
    return link


@lru_cache(maxsize=4)
def _of_nobody(url: URL) -> Engine:
    """Connections beside those of the pool, which may all be held by who waits for the asker."""
    return create_engine(url, poolclass=NullPool, hide_parameters=True)


def newest_entry_at(session: Session) -> datetime | None:
    """When the latest entry was written, as it says."""
    return session.scalar(select(func.max(AuditEntry.at)))


def the_head(session: Session) -> Link:
    """The head of a chain that has begun."""
    newest = select(AuditLink).order_by(AuditLink.sequence.desc()).limit(1)
    return session.scalars(newest).one().link


def entry_at(session: Session, sequence: int) -> AuditEntry | None:
    """The entry at a place in the chain."""
    query = select(AuditEntry).join(AuditLink, AuditLink.entry_sha256 == AuditEntry.sha256)
    return session.scalar(query.where(AuditLink.sequence == sequence))


def entries_at(session: Session, sequences: Iterable[int]) -> dict[int, AuditEntry]:
    """The entries at some places in the chain, by their place."""
    query = (
        select(AuditLink.sequence, AuditEntry)
        .join(AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256)
        .where(AuditLink.sequence.in_(sorted(sequences)))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def filed_under(subjects: str) -> Select[int]:
    """The entries that speak of some records, to be narrowed by what they tell."""
    return select(AuditSubject.entry_id).where(among(AuditSubject.subject, subjects))


def id_at(place: ColumnElement[int] | int) -> ColumnElement[int]:
    """The id of the entry at a place in the chain, or of the last one before it; 0 before all."""
    linked, entry = aliased(AuditLink), aliased(AuditEntry)
    found = (
        select(entry.id)
        .join(linked, linked.entry_sha256 == entry.sha256)
        .where(linked.sequence <= place)
        .order_by(linked.sequence.desc())
        .limit(1)
    )
    return func.coalesce(found.scalar_subquery(), 0)


_ABOUT: Final = select(AuditEntry).where(AuditEntry.id.in_(filed_under("subjects")))


def links_and_entries(
    session: Session, sequences: Iterable[int]
) -> Sequence[tuple[AuditLink, AuditEntry]]:
    """Some places in the chain with what stands there, in their order."""
    query = (
        select(AuditLink, AuditEntry)
        .join(AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256)
        .where(AuditLink.sequence.in_(sorted(sequences)))
        .order_by(AuditLink.sequence)
    )
    return [(link, entry) for link, entry in session.execute(query)]


def who_did(session: Session, sequences: Iterable[int]) -> dict[int, str]:
    """Who did what stands at some places in the chain, by the place."""
    query = (
        select(AuditLink.sequence, AuditEntry.who)
        .join(AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256)
        .where(AuditLink.sequence.in_(sorted(sequences)))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def entries_about(session: Session, subjects: Iterable[str]) -> Sequence[AuditEntry]:
    """Every entry that speaks of one of some records."""
    return session.scalars(_ABOUT, {"subjects": sorted(subjects)}).all()


_NEWEST_ABOUT: Final = (
    select(AuditEntry)
    .join(AuditLink, AuditLink.entry_sha256 == AuditEntry.sha256)
    .where(
        AuditLink.sequence > bindparam("after"),
        AuditEntry.id.in_(filed_under("subjects")),
    )
    .order_by(AuditLink.sequence.desc())
    .limit(bindparam("most", type_=Integer))
)


def newest_about(
    session: Session, subjects: Iterable[str], *, after: int, limit: int
) -> Sequence[AuditEntry]:
    """The newest entries behind a place that speak of one of some records, newest first."""
    asked = {"subjects": sorted(subjects), "after": after, "most": limit}
    return session.scalars(_NEWEST_ABOUT, asked).all()


def all_links(session: Session) -> Iterable[Link]:
    """Every link in order, streamed."""
    query = select(*LINK).order_by(AuditLink.sequence).execution_options(yield_per=1000)
    return (Link(*row) for row in session.execute(query))


class EntryRead(NamedTuple):
    """An entry as it stands there, and the records that it is filed under."""

    id: int
    text: str
    who: str
    at: datetime
    what: str
    subjects: set[str]


def trail_in_portions(session: Session) -> Iterator[list[tuple[Link, EntryRead | None]]]:
    """Every link in order with its entry, so many at once; ``None`` where the entry is gone."""
    entry = (AuditEntry.id, AuditEntry.text, AuditEntry.who, AuditEntry.at, AuditEntry.what)
    query = (
        select(*LINK, *entry)
        .outerjoin(AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256)
        .order_by(AuditLink.sequence)
        .limit(LINKS_AT_ONCE)
    )
    rows: Sequence[Any] = session.execute(query).all()
    while rows:
        subjects: dict[int, set[str]] = {}
        of = AuditSubject.entry_id
        ids = [row[4] for row in rows if row[4] is not None]
        for one, subject in session.execute(select(of, AuditSubject.subject).where(of.in_(ids))):
            subjects.setdefault(one, set()).add(subject)
        yield [(Link(*row[:4]), _entry_read(row, subjects)) for row in rows]
        last = rows[-1][0]
        rows = session.execute(query.where(AuditLink.sequence > last)).all()


def _entry_read(row: Any, subjects: Mapping[int, set[str]]) -> EntryRead | None:
    if row.id is None:
        return None
    return EntryRead(row.id, row.text, row.who, row.at, row.what, subjects.get(row.id, set()))


def entries_without_link(session: Session) -> Iterable[str]:
    """The hashes of entries that stand outside the chain."""
    is_linked = exists().where(AuditLink.entry_sha256 == AuditEntry.sha256)
    return session.scalars(select(AuditEntry.sha256).where(~is_linked))


def entry_count(session: Session) -> int:
    """How many entries there are."""
    return session.scalar(select(func.count()).select_from(AuditEntry)) or 0
