"""The random review of the audit trail: entries that nobody chose, read by others (1.66).

A sample is drawn of everything since the one before, so that no entry is ever out of reach of a
draw. QA signs the list of what was drawn, by its hash; what the signer did is left to another.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from batchqc.actions.permission import require
from batchqc.actions.registers import found_or_not
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.audit import own_break
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.core.trail_samples import drawn, unread
from batchqc.documents.archive import Archive
from batchqc.errors import BatchqcError, Conflict, IntegrityFailure, InvalidInput, NotPermitted
from batchqc.records.audit import AuditEntry, AuditLink, links_and_entries, the_head, who_did
from batchqc.records.signatures import next_number
from batchqc.records.trail_samples import (
    TrailSample,
    TrailSampleReview,
    newest_sample,
    reviews_of_samples,
    sample_by,
    samples_to_read,
)
from batchqc.records.transaction import Transaction

MOST: Final = 200


@dataclass(frozen=True, slots=True)
class SampleRead:
    """A sample with its entries, its reviews, and the places that still wait for a reader."""

    row: TrailSample
    entries: Sequence[tuple[AuditLink, AuditEntry]]
    reviews: Sequence[TrailSampleReview]
    waiting: tuple[int, ...]


def draw_sample(tx: Transaction, archive: Archive, *, size: int) -> TrailSample:
    """Draw entries at random of all that came since the sample before, and keep their list.

    Args:
        tx: of somebody of QA.
        archive: keeps the list.
        size: how many entries, 1 to 200; of a shorter range all are taken.

    Raises:
        InvalidInput: the size is none.
    """
    require(tx, Permission.REVIEW_AUDIT_TRAIL)
    if not 1 <= size <= MOST:
        raise InvalidInput("BQC-ATR-004", f"a sample of {size} entries cannot be drawn",
                           hint=f"Draw 1 to {MOST} entries.")  # fmt: skip
    tx.lock("samples of the audit trail")
    before, link = newest_sample(tx.session), the_head(tx.session)
    first = before.last + 1 if before else 1  # that the one before was drawn is an entry itself
    places = drawn(first, link.sequence, head=link.sha256, size=size)
    content: dict[str, Json] = {
        "type": "batchqc/trail-sample/1",
        "from": first,
        "to": link.sequence,
        "head": link.sha256,
        "size": size,
        "entries": [[one.sequence, one.entry_sha256]
                    for one, _ in links_and_entries(tx.session, places)],
    }  # fmt: skip
    row = TrailSample(
        year=tx.now.year,
        number=next_number(tx.session, TrailSample, tx.now.year),
        first=first,
        last=link.sequence,
        head=link.sha256,
        content_sha=archive.put(canonical_bytes(content)),
        drawn_by=tx.actor.user_id,
        drawn_at=tx.now,
    )
    tx.add(row)
    tx.audit("audit trail sample drawn", rows=[row], after={"entries": len(places)})
    return row


def read_sample(session: Session, archive: Archive, number: str) -> SampleRead:
    """A sample as it was drawn, each entry compared with what the list and the chain say.

    Raises:
        NotFound: there is no such sample.
        IntegrityFailure: its list, or an entry of it, was changed or removed.
    """
    (found,) = read_samples(session, archive, [the_sample(session, number)])
    return found


def read_samples(
    session: Session, archive: Archive, rows: Sequence[TrailSample]
) -> list[SampleRead]:
    """Some samples so, read together.

    Raises:
        IntegrityFailure: the list of one, or an entry of it, was changed or removed.
    """
    lists = [_list_of(archive, row) for row in rows]
    found = {
        link.sequence: (link, entry)
        for link, entry in links_and_entries(session, {one for kept in lists for one, _ in kept})
    }
    reviews = reviews_of_samples(session, rows)
    return [
        _compared(row, kept, [found[one] for one, _ in kept if one in found], reviews[row.id])
        for row, kept in zip(rows, lists, strict=True)
    ]


def waiting_samples(session: Session, archive: Archive) -> Iterator[tuple[TrailSample, str]]:
    """Samples with an entry that waits for a reader, oldest first; and why one cannot be read.

    What two people reviewed waits for nobody. Of what one did it is asked who did what was drawn.
    """
    rows = samples_to_read(session)
    reviews = reviews_of_samples(session, rows)
    for row in rows:
        readers = {one.signature.person.user_id for one in reviews[row.id]}
        try:
            places = [place for place, _ in _list_of(archive, row)]
        except BatchqcError as error:
            yield row, error.message
            continue
        did = who_did(session, places) if readers else {}
        if readers and len(did) < len(places):
            yield row, "an entry of it is missing"
        elif not readers or unread(did, readers):
            yield row, ""


def _list_of(archive: Archive, row: TrailSample) -> list[list[Any]]:
    """Places and hashes of the drawn entries, as they were kept."""
    kept: list[list[Any]] = json.loads(archive.get(row.content_sha))["entries"]
    return kept


def _compared(
    row: TrailSample,
    kept: Sequence[list[Any]],
    entries: Sequence[tuple[AuditLink, AuditEntry]],
    reviews: Sequence[TrailSampleReview],
) -> SampleRead:
    wrong = [found for link, entry in entries if (found := own_break(link.link, entry.text))]
    if wrong or kept != [[link.sequence, link.entry_sha256] for link, _ in entries]:
        raise IntegrityFailure(
            "BQC-ATR-006",
            f"the audit trail is not what it was when {row.natural_key} was drawn",
            reasons=wrong,
            hint="Verify the audit trail: it names the first broken entry.",
        )
    did = {link.sequence: entry.who for link, entry in entries}
    readers = {one.signature.person.user_id for one in reviews}
    return SampleRead(row, entries, reviews, unread(did, readers))


def review_sample(
    tx: Transaction, archive: Archive, *, number: str, sha256: str, credentials: Credentials
) -> TrailSampleReview | Refusal:
    """Sign that the drawn entries which others did are as they should be, or say what is not.

    Args:
        tx: of somebody of QA.
        archive: holds the list, which must still be what its hash says.
        number: of the sample.
        sha256: of its list, by which the signer says which entries were read.
        credentials: of the signer.

    Raises:
        NotFound: there is no such sample.
        InvalidInput: the hash is that of something else.
        Conflict: every entry was read already.
        NotPermitted: what still waits is what the signer did.
        IntegrityFailure: the list or an entry of it was changed or removed.
    """
    require(tx, Permission.REVIEW_AUDIT_TRAIL)
    check_reason(credentials.reason)
    tx.lock(the_sample(tx.session, number).key)
    found = read_sample(tx.session, archive, number)
    row = found.row
    if sha256 != row.content_sha:
        raise InvalidInput(
            "BQC-ATR-007",
            f"this is not the SHA-256 of {row.natural_key}",
            hint="Read the sample that you sign, and send the hash that it carries.",
        )
    if not found.waiting:
        raise Conflict(
            "BQC-ATR-008",
            f"every entry of {row.natural_key} was reviewed already",
            hint="Its page says who read it. Draw the next sample when it is due.",
        )
    if not others_did(found, tx.actor.user_id):
        raise NotPermitted(
            "BQC-ATR-009",
            f"you did all that still waits in {row.natural_key}",
            reasons=[f"entry {place}" for place in found.waiting],
            hint="Ask another QA person.",
        )
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.REVIEWED,
        record=row.key,
        record_sha256=row.content_sha,
    )
    if isinstance(signature, Refusal):
        return signature
    review = TrailSampleReview(trail_sample=row, signature=signature, number=len(found.reviews) + 1)
    tx.add(review)
    tx.audit(
        "audit trail sample reviewed",
        rows=[signature, review],
        about=[row.key],
        reason=credentials.reason,
        after={"sha256": row.content_sha},
    )
    return review


def others_did(found: SampleRead, person: str) -> tuple[int, ...]:
    """The places that wait, and of which somebody else did what stands there."""
    did = {link.sequence: entry.who for link, entry in found.entries}
    return tuple(place for place in found.waiting if did[place] != person)


def the_sample(session: Session, number: str) -> TrailSample:
    """The sample of a number, or NotFound."""
    return found_or_not(
        sample_by(session, number), "BQC-ATR-005", f"there is no sample {number} of the audit trail"
    )
