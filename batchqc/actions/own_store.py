"""Is the store that a server was given that of its database?

An installation is known by the hash of the first entry of its audit trail, which the marker in its
store names. A store without a marker gets one if it holds what records name, from each kind of
record the first and the last: so one is claimed that is new, or older than markers are.
"""

from collections.abc import Iterator

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from batchqc.documents.archive import Archive
from batchqc.documents.store_marker import Check, empty, foreign
from batchqc.records.archive import open_findings
from batchqc.records.audit import entry_at
from batchqc.records.retention import disposed_objects
from batchqc.records.stored_bytes import NAMING
from batchqc.records.transaction import reading


def check_of(engine: Engine) -> Check:
    """What a store asks of a database before it takes bytes."""
    known: list[str] = []

    def check(archive: Archive, *, marks: bool) -> None:
        if not known:
            with reading(engine) as session:
                known.extend(installation_of(session))
        if not known:
            return  # nothing is on record yet
        marked = archive.marked_for()
        if marked and marked != known[0]:
            raise foreign(archive.place)
        if not marked:
            with reading(engine) as session:
                _check_holds(session, archive)
            if marks:
                archive.mark(known[0])

    return check


def installation_of(session: Session) -> Iterator[str]:
    """What an installation is known by, once something is on record."""
    first = entry_at(session, 1)
    if first is not None:
        yield first.sha256


def _check_holds(session: Session, archive: Archive) -> None:
    named = _sample(session)
    gone = {one.sha256 for one in disposed_objects(session, sorted(named))}
    gone |= {one.sha256 for one in open_findings(session)}
    wanted = sorted(named - gone) or sorted(named)  # where all are said to be gone, it is doubtful
    for one in wanted:
        if archive.stored_at(one) is None:
            raise empty(archive.place, one)


def _sample(session: Session) -> set[str]:
    """The first and the last file that each kind of record names."""
    found: set[str] = set()
    for kind, names in NAMING.items():
        for column in (getattr(kind, name) for name in names):
            named = select(column).where(column != "").limit(1)
            for order in (kind.id.asc(), kind.id.desc()):
                found.update(session.scalars(named.order_by(order)))
    return found
