"""Reading the store again: every object that a record names, a sample of them, or the rest.

Objects are read in the order of their hashes, in parts; what a part found is on record before the
next one is read, so that a scrub that stopped goes on where it was. A sample goes on where the last
one ended and begins anew at the end, so that samples cover everything in turn.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.actions.permission import require
from batchqc.actions.removals import tombstone_of
from batchqc.actions.stored_names import lots_concerned, named_after, not_named
from batchqc.core.permissions import Permission
from batchqc.documents.archive import Archive
from batchqc.documents.stored import returned
from batchqc.errors import Conflict, IntegrityFailure
from batchqc.records.archive import (
    ArchiveFinding,
    ArchiveMending,
    ArchiveScrub,
    newest_scrub,
    next_mending,
    open_findings,
)
from batchqc.records.retention import disposed_objects
from batchqc.records.transaction import Actor, Transaction, reading, transaction

PORTION: Final = 500
ALL: Final = "all"
SAMPLE: Final = "sample"
ARCHIVE: Final = "archive"
"""What audit entries call the store."""
_WORDS: Final = {
    "BQC-ARC-001": "damaged",
    "BQC-ARC-002": "missing",
    "BQC-ARC-005": "disposed of, and no record says so",
    "BQC-ARC-012": "disposed of, and its tombstone is damaged",
}


@dataclass(frozen=True, slots=True)
class ScrubWanted:
    """What to read: a sample of so many objects, else all; only those stored since a day."""

    sample: int = 0
    since: date | None = None

    @property
    def scope(self) -> str:
        """In one word."""
        return SAMPLE if self.sample else ALL

    @property
    def since_text(self) -> str:
        """The day as records have it."""
        return self.since.isoformat() if self.since else ""


@dataclass(frozen=True, slots=True)
class Found:
    """An object that is missing or damaged, and the lots concerned."""

    sha256: str
    problem: str
    lots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What a part found: how many it read, what was wrong; at the end, what no record names."""

    number: int
    part: int
    checked: int
    found: tuple[Found, ...]
    orphans: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()
    finished: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a scrub goes on."""

    number: int
    part: int
    after: str


def scrub(
    engine: Engine,
    archive: Archive,
    wanted: ScrubWanted,
    *,
    actor: Actor,
    clock: Callable[[], datetime],
    portion: int = PORTION,
) -> Iterator[Scrubbed]:
    """Read objects again, part by part; each part is on record when it is told.

    Raises:
        Conflict: BQC-ARC-014: another scrub goes on at the same time.
        StoreUnavailable: the store cannot be reached; what was read stays on record.
    """
    with reading(engine) as session:
        place = _place(session, wanted)
    while True:
        with reading(engine) as session:
            names = _next(session, place, wanted, portion)
            known = {one.sha256 for one in disposed_objects(session, names)}
        read, problems = _read(archive, [one for one in names if one not in known], wanted)
        is_last = bool(wanted.sample) or len(names) < portion
        upto = names[-1] if names else ""
        orphans, leftovers = unnamed(engine, archive) if is_last and not wanted.sample else ([], [])
        with transaction(engine, actor, clock()) as tx:
            row = ArchiveScrub(
                number=place.number, part=place.part, scope=wanted.scope,
                since=wanted.since_text, after=place.after, upto=upto, checked=len(read),
                found=len(problems), orphans=len(orphans), leftovers=len(leftovers),
                finished=int(is_last), scrubbed_by=actor.user_id, scrubbed_at=tx.now,
            )  # fmt: skip
            found = _record(tx, row, problems, sound=read - problems.keys())
        yield Scrubbed(
            place.number, place.part, len(read), found, tuple(orphans), tuple(leftovers), is_last
        )
        if is_last:
            return
        place = _Place(place.number, place.part + 1, upto)


def open_damage(session: Session) -> list[tuple[ArchiveFinding, tuple[str, ...]]]:
    """What is missing or damaged and not mended, with the lots concerned."""
    return [(one, tuple(lots_concerned(session, one.sha256))) for one in open_findings(session)]


def restore(
    tx: Transaction, archive: Archive, *, sha256: str, chunks: Iterable[bytes], reason: str
) -> ArchiveMending:
    """Put the original of an object back where it is missing or damaged.

    Args:
        tx: of who restores.
        archive: the store.
        sha256: the hash of the object.
        chunks: the bytes that are put back.
        reason: where they come from.

    Raises:
        Conflict: BQC-ARC-015: no record names it; BQC-ARC-010: what is there is sound; BQC-ARC-013:
            two people disposed of it.
        InvalidInput: BQC-ARC-009: these bytes have another hash.
    """
    require(tx, Permission.KEEP_ARCHIVE)
    tx.lock(ARCHIVE)
    if not_named(tx.session, [sha256]):
        raise Conflict(
            "BQC-ARC-015",
            f"no record names a file {sha256}",
            hint="The archive holds what records name, and nothing else is put into it.",
        )
    for one in disposed_objects(tx.session, [sha256]):
        raise returned(tombstone_of(one))
    archive.mend(sha256, chunks)
    return _mended(tx, sha256, reason)


def unnamed(engine: Engine, archive: Archive) -> tuple[list[str], list[str]]:
    """What lies in the store and no record names: it harms nothing."""
    orphans: list[str] = []
    stored = archive.names()
    while names := list(islice(stored, PORTION)):
        with reading(engine) as session:
            orphans += sorted(not_named(session, names))
    return orphans, list(archive.leftovers())


def _place(session: Session, wanted: ScrubWanted) -> _Place:
    newest = newest_scrub(session)
    if newest is None:
        return _Place(1, 1, "")
    same = (newest.scope, newest.since) == (wanted.scope, wanted.since_text)
    if same and not newest.finished:
        return _Place(newest.number, newest.part + 1, newest.upto)
    sampled = newest_scrub(session, scope=SAMPLE) if wanted.sample else None
    return _Place(newest.number + 1, 1, sampled.upto if sampled else "")


def _next(session: Session, place: _Place, wanted: ScrubWanted, portion: int) -> list[str]:
    names = named_after(session, place.after, limit=wanted.sample or portion)
    if len(names) < wanted.sample:  # begin anew
        again = named_after(session, "", limit=wanted.sample - len(names))
        names += [one for one in again if one <= place.after]
    return names


def _read(
    archive: Archive, names: Iterable[str], wanted: ScrubWanted
) -> tuple[set[str], dict[str, str]]:
    """The objects that were read, and what is wrong with each that is not sound."""
    read: set[str] = set()
    problems = {}
    for sha256 in names:
        stored = archive.stored_at(sha256) if wanted.since else None
        if stored is not None and wanted.since and stored.date() < wanted.since:
            continue
        read.add(sha256)
        try:
            with archive.opened(sha256):
                pass
        except IntegrityFailure as error:
            problems[sha256] = _WORDS.get(error.code, error.message)
    return read, problems


def _record(
    tx: Transaction, row: ArchiveScrub, problems: dict[str, str], *, sound: set[str]
) -> tuple[Found, ...]:
    tx.lock(ARCHIVE)
    newest = newest_scrub(tx.session)
    before = (newest.number, newest.part) if newest else (0, 0)
    if (row.number, row.part) <= before or row.number > before[0] + 1:
        raise Conflict(
            "BQC-ARC-014",
            "another scrub goes on at the same time",
            hint="Wait until it has ended, and start this one again.",
        )
    open_before = {one.sha256 for one in open_findings(tx.session)}
    for sha256 in sorted(open_before & sound):
        _mended(tx, sha256, f"scrub {row.number} found it sound")
    findings = [
        ArchiveFinding(archive_scrub=row, sha256=sha256, problem=problem)
        for sha256, problem in sorted(problems.items())
    ]
    tx.add(row, *findings)
    found = tuple(
        Found(one.sha256, one.problem, tuple(lots_concerned(tx.session, one.sha256)))
        for one in findings
    )
    tx.audit(
        "archive read again",
        rows=[row, *findings],
        about=[ARCHIVE, *sorted({f"lot:{lot}" for one in found for lot in one.lots})],
        after={
            "scrub": row.number, "read": row.checked, "missing or damaged": row.found,
            "named by no record": row.orphans,
        },
    )  # fmt: skip
    return found


def _mended(tx: Transaction, sha256: str, reason: str) -> ArchiveMending:
    number = next_mending(tx.session, sha256)
    row = ArchiveMending(
        sha256=sha256, number=number, reason=reason, mended_by=tx.actor.user_id, mended_at=tx.now
    )
    tx.add(row)
    lots = [f"lot:{lot}" for lot in lots_concerned(tx.session, sha256)]
    tx.audit("archived file sound again", rows=[row], about=[ARCHIVE, *lots], reason=reason)
    return row
