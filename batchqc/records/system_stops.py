"""Stops of the system, and what was entered late for them."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, relationship

from batchqc.core.accounts import roles_on
from batchqc.core.late_entries import Stop, instant
from batchqc.core.permissions import Role
from batchqc.records.audit import AuditEntry, AuditLink
from batchqc.records.base import Row, refers_to
from batchqc.records.people import AccountChange, Person, grants_in, role_changes_of
from batchqc.records.signatures import SignatureRow

#: What audit entries call the register.
STOPS = "system stops"


class SystemStop(Row):
    """A stop as it was told: when it began and ended (RFC 3339 with an offset), and why.

    ``stop`` is its number; what is told of it later is another row, with the next ``number``.
    ``ended`` is blank while its end is not known, ``began`` in the row that withdraws the stop.
    """

    __tablename__ = "system_stop"

    stop: Mapped[int]
    number: Mapped[int]
    began: Mapped[str]
    ended: Mapped[str]
    reason: Mapped[str]
    signature_id: Mapped[int] = refers_to("signature")

    signature: Mapped[SignatureRow] = relationship()
    __table_args__ = (UniqueConstraint("stop", "number"),)

    @property
    def natural_key(self) -> str:
        """The stop and the how many-th that is told of it."""
        return f"{self.stop}/{self.number}"

    @property
    def is_withdrawn(self) -> bool:
        """Whether it says that there was no such stop."""
        return not self.began


def stop_rows(session: Session) -> Sequence[SystemStop]:
    """Everything that was told of stops, by stop, oldest first."""
    query = select(SystemStop).order_by(SystemStop.stop, SystemStop.number)
    return session.scalars(query).all()


def folded_stops(rows: Sequence[SystemStop]) -> list[Stop]:
    """Each stop as it is told last, by number; one that was withdrawn, or has no time, is none."""
    newest = {row.stop: row for row in rows}
    told: dict[int, set[str]] = {}
    for row in rows:
        told.setdefault(row.stop, set()).add(row.signature.person.user_id)
    return [
        Stop(number, began, instant(row.ended), frozenset(told[number]))
        for number, row in newest.items()
        if (began := instant(row.began)) is not None
    ]


def had_role(session: Session, person: Person, role: Role, when: datetime, *, day: date) -> bool:
    """Whether a person held a role at a moment, on whose day of the site, with an open account."""
    changes = [one for one in role_changes_of(session, person) if one.changed_at <= when]
    switched = select(AccountChange.active).where(
        AccountChange.person_id == person.id, AccountChange.changed_at <= when
    )
    newest = session.scalar(switched.order_by(AccountChange.number.desc()).limit(1))
    is_open = newest is None or bool(newest)
    return is_open and role in roles_on((grant for _, grant in grants_in(changes)), day)


def entries_between(
    session: Session, began: datetime, ended: datetime
) -> Sequence[tuple[int, AuditEntry]]:
    """The first and the last entry of the audit trail between two times, each with its place."""
    query = (
        select(AuditLink.sequence, AuditEntry)
        .join(AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256)
        .where(AuditEntry.at > began, AuditEntry.at < ended)
        .limit(1)
    )
    first = session.execute(query.order_by(AuditLink.sequence)).first()
    last = session.execute(query.order_by(AuditLink.sequence.desc())).first()
    return [(one[0], one[1]) for one in (first, last) if one is not None]


def late_signatures(session: Session) -> Sequence[SignatureRow]:
    """Every signature that was entered late from paper, oldest first."""
    query = select(SignatureRow).where(SignatureRow.happened_at != "")
    return session.scalars(query.order_by(SignatureRow.id)).all()
