"""Whether the records are still what the audit trail says (requirements 1.05, 1.09).

Checked are the chain, each entry's own hash, that each regulated row is word for word what its
entry witnessed and that none is missing or unmentioned, the order of rows, each run's measurements,
each signature, the log, the bytes that the rows name in the store, the index of certificates, and
that triggers against changes are in place.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from batchqc.actions.event_check import event_problems
from batchqc.actions.index_check import index_problems
from batchqc.actions.log_check import log_problems
from batchqc.actions.row_checks import misspelt, row_check_problems, unreadable
from batchqc.actions.whole_trail import LAST, Witness, read_trail
from batchqc.core.audit import Link
from batchqc.core.canonical import sha256_of
from batchqc.documents.archive import Archive
from batchqc.errors import BatchqcError
from batchqc.records.audit import entry_count, newest_link
from batchqc.records.base import Row
from batchqc.records.decisions import Certificate, DispositionRow
from batchqc.records.guards import unguarded
from batchqc.records.holds import HoldEnd
from batchqc.records.lacking import NOTHING, Lacking, lacking_here
from batchqc.records.lot_reviews import AuditReview
from batchqc.records.people import Person
from batchqc.records.registers import LotRow
from batchqc.records.retention import disposed_objects
from batchqc.records.schema import METADATA, WITNESSED
from batchqc.records.signatures import SignatureRow
from batchqc.records.stored_bytes import named_bytes
from batchqc.records.uploads import (
    AssayRun,
    Upload,
    measurement_content,
    measurements_of,
    runs_by_id,
)

if TYPE_CHECKING:
    from batchqc.core.assays import Measurement, RunKey

_UNGUARDED: Final = "table {} can be changed: a trigger that kept it append-only is not in place"
#: What other rows refer to, and take their keys from.
_REFERRED_TO: Final = {
    key.column.table.name for table in METADATA.tables.values() for key in table.foreign_keys
}
_RUNS_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class TrailCheck:
    """What was found: how many entries, the head of the chain, and all that is broken.

    Problems stand in the order of the entries, so that the first one is the first broken entry.
    """

    entries: int
    head: Link | None
    problems: tuple[str, ...]


def verify_audit_trail(
    session: Session, archive: Archive, *, lacking: Lacking | None = None
) -> TrailCheck:
    """Compare every record with the audit trail, and the audit trail with itself.

    ``lacking`` is what a dossier that is being imported leaves out; else what one on record did.
    """
    found = [(LAST, problem) for problem in misspelt(session)]
    try:
        return _compared(session, archive, lacking or _lacking(session, archive), found)
    except ValueError as error:
        found = found or [(LAST, problem) for problem in unreadable(session)]
        if not found:
            raise
        problems = (*(one for _, one in found), f"nothing else was looked at: {error}")
        return TrailCheck(entry_count(session), newest_link(session), problems)


def _compared(
    session: Session, archive: Archive, lacking: Lacking, found: list[tuple[int, str]]
) -> TrailCheck:
    """Compare everything; ``found`` is known already."""
    trail = read_trail(session, lacking)
    found, links, witnesses = [*found, *trail.problems], trail.links, trail.witnesses
    referred_to = (one for one in WITNESSED if one.__tablename__ in _REFERRED_TO)
    _held = [row for one in referred_to for row in session.scalars(select(one))]  # asked for once
    found += _row_problems(session, witnesses, lacking.records)
    found += [(LAST, problem) for problem in row_check_problems(session)]
    found += [(place or LAST, problem) for place, problem in event_problems(session)]
    found += _run_problems(session, witnesses)
    named = list(named_bytes(session))
    found += _stored_problems(session, archive, witnesses, named)
    found += _head_problems(archive, named, {link.sequence: link.sha256 for link in links})
    log = log_problems(session, [(link.entry_sha256, link.sha256) for link in links])
    found += _readable("a row of the log", log)
    index = ((LAST, problem) for problem in index_problems(session, archive))
    found += _readable("a certificate, or its index,", index)
    found += [(LAST, _UNGUARDED.format(table)) for table in unguarded(session.connection())]
    ordered = tuple(problem for _, problem in sorted(found))
    return TrailCheck(entry_count(session), links[-1] if links else None, ordered)


def _readable(what: str, found: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Problems; where somebody wrote what nobody can read, that is one more, and ends the part."""
    try:
        yield from found
    except (ValueError, TypeError, LookupError, AttributeError, InvalidRequestError) as error:
        yield LAST, f"{what} cannot be read, and what follows it was not looked at: {error}"


def _lacking(session: Session, archive: Archive) -> Lacking:
    try:
        return lacking_here(session, archive.get)
    except (BatchqcError, ValueError, KeyError, TypeError):
        return NOTHING  # then everything is missed, and the file named among the stored bytes


def _row_problems(
    session: Session, witnesses: Mapping[str, Witness], left_out: frozenset[str]
) -> Iterator[tuple[int, str]]:
    seen = set()
    for table in WITNESSED:
        for row in session.scalars(select(table)).all():
            key, content = _identity(row)
            seen.add(key)
            witness = witnesses.get(key)
            if witness is None:
                yield LAST, f"no entry mentions {key}"
            elif witness.sha256 != content:
                yield witness.sequence, f"{key} is not as entry {witness.sequence} says"
    for key in witnesses.keys() - seen - left_out:
        sequence = witnesses[key].sequence
        yield sequence, f"{key} is missing; entry {sequence} speaks of it"


def _identity(row: Row) -> tuple[str, str]:
    """A row's key and hash; one whose reference is gone has neither and is named by its table."""
    try:
        return row.key, row.content_sha256
    except AttributeError:
        return f"{row.__tablename__} #{row.id}, which refers to nothing,", ""


def _run_problems(session: Session, witnesses: Mapping[str, Witness]) -> Iterator[tuple[int, str]]:
    # a run whose lot or upload is gone is named among the rows
    whole = select(AssayRun.id).join(LotRow).join(Upload)
    ids = session.scalars(whole.order_by(AssayRun.id)).all()
    for first in range(0, len(ids), _RUNS_AT_ONCE):
        runs = runs_by_id(session, ids[first : first + _RUNS_AT_ONCE])
        found: dict[tuple[RunKey, str], list[Measurement]] = {}
        for one in _measured(session, runs):
            found.setdefault((one.run, one.lot), []).append(one)
        for run in runs:
            own = found.get((run.run_key, run.lot.lot), [])
            if sha256_of(measurement_content(own)) != run.measurements_sha256:
                sequence = _sequence(witnesses, run)
                yield (
                    sequence,
                    f"the measurements of {run.key} are not as entry {sequence} says",
                )


def _measured(session: Session, runs: Sequence[AssayRun]) -> Iterator["Measurement"]:
    """What was measured in some runs; where one result cannot be read, nothing of its run."""
    try:
        yield from list(measurements_of(session, runs))
    except ValueError:
        half = len(runs) // 2
        for some in (runs[:half], runs[half:]) if half else ():
            yield from _measured(session, some)


def _stored_problems(
    session: Session,
    archive: Archive,
    witnesses: Mapping[str, Witness],
    named: Iterable[tuple[Row, str]],
) -> Iterator[tuple[int, str]]:
    for signature in session.scalars(select(SignatureRow).join(Person)).all():
        if not _is_signed(signature):
            sequence = _sequence(witnesses, signature)
            yield sequence, f"{signature.key} (entry {sequence}) is not what was signed"
    disposed = {one.sha256 for one in disposed_objects(session)}
    for row, sha256 in named:
        try:
            archive.get(sha256)
        except BatchqcError as error:
            if error.code == "BQC-ARC-005" and sha256 in disposed:
                continue  # two people signed for it
            sequence = _sequence(witnesses, row)
            yield sequence, f"{_identity(row)[0]} (entry {sequence}): {error.message}"


def _is_signed(signature: SignatureRow) -> bool:
    """Whether a signature is what was signed; one of a meaning that there is not never was."""
    try:
        return signature.sha256 == signature.signing.sha256
    except ValueError:
        return False


def _head_problems(
    archive: Archive, named: Iterable[tuple[Row, str]], links: Mapping[int, str]
) -> Iterator[tuple[int, str]]:
    """The head that decisions, certificates and reviews of the trail name is still there."""
    for row, sha256 in named:
        if not isinstance(row, DispositionRow | HoldEnd | Certificate | AuditReview):
            continue
        try:
            audit = json.loads(archive.get(sha256))["audit"]
            is_pair = isinstance(audit, list)
            sequence, head = audit if is_pair else (audit["sequence"], audit["head"])
        except (BatchqcError, ValueError, LookupError, TypeError):
            continue  # named among the stored bytes, or the row names other bytes than its own
        if links.get(sequence) != head:
            key, _ = _identity(row)
            yield sequence, f"the chain up to entry {sequence} is not the one that {key} names"


def _sequence(witnesses: Mapping[str, Witness], row: Row) -> int:
    witness = witnesses.get(_identity(row)[0])
    return witness.sequence if witness else LAST
