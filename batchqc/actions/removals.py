"""What two people disposed of leaves the store: as they signed it, and once nothing keeps it.

The tombstones are on record before; whatever stops a removal, it is done again.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.actions.attachments import hold_bytes
from batchqc.actions.lots import lock_lots, the_lot
from batchqc.actions.stored_names import lots_concerned, rows_naming
from batchqc.actions.uploads import hold_uploads
from batchqc.actions.witnessed import unlike_trail
from batchqc.core.canonical import utc_text
from batchqc.documents.archive import Archive
from batchqc.documents.stored import Tombstone
from batchqc.errors import Conflict, IntegrityFailure, StoreUnavailable
from batchqc.records.retention import DisposedObject, disposed_objects, open_legal_holds
from batchqc.records.transaction import SYSTEM, Transaction, reading, transaction


def finish_disposals(
    engine: Engine, archive: Archive, *, now: datetime, hashes: Sequence[str] | None = None
) -> list[str]:
    """Remove what two people signed for and is still in the store; it may be done again and again.

    Raises:
        Conflict: BQC-ARC-008: the store keeps it by its own lock; BQC-RET-020: since they signed,
            a legal hold was laid, something else names the same bytes, or the store did not answer.
            All else is removed.
        IntegrityFailure: BQC-RET-011: not two people signed for it, by the audit trail.
    """
    removed, kept = list[str](), list[str]()
    with reading(engine) as session:
        named = [row.sha256 for row in disposed_objects(session, hashes)]
    for sha256 in named:
        try:
            if archive.stored_at(sha256) is None and archive.tombstone(sha256) is not None:
                continue
            with transaction(engine, SYSTEM, now) as tx:  # it writes nothing, and holds locks
                since = _remove(tx, archive, sha256)
        except StoreUnavailable as error:  # two people signed for it all the same
            since = [f"{sha256}: {error.message}"]
        kept += since
        removed += [] if since else [sha256]
    if kept:
        raise Conflict(
            "BQC-RET-020",
            "not all that was disposed of may be removed from the store now",
            reasons=kept,
            hint="Once nothing keeps it: `batchqc archive finish-disposals`.",
        )
    return removed


def _remove(tx: Transaction, archive: Archive, sha256: str) -> list[str]:
    """Remove an object, unless something keeps it; nobody holds its lots or names it meanwhile."""
    hold_uploads(tx)  # a file is stored before it is read, and its lots are known
    lock_lots(tx, [the_lot(tx.session, lot) for lot in lots_concerned(tx.session, sha256)])
    hold_bytes(tx, sha256)
    (row,) = disposed_objects(tx.session, [sha256])
    if problems := list(_unsigned(tx.session, archive, row)):
        raise IntegrityFailure(
            "BQC-RET-011",
            f"{row.key} is not what two people signed for; nothing of it is removed",
            reasons=problems,
            hint="Run `batchqc audit verify`, and call the system owner.",
        )
    since = list(_kept_since(tx.session, archive, row))
    if not since:
        archive.hold(sha256, is_held=False)
        archive.dispose(tombstone_of(row))
    return since


def tombstone_of(row: DisposedObject) -> Tombstone:
    """What readers of the hash are told."""
    approval = row.disposal_approval
    disposal = approval.disposal
    by = f"{disposal.signature.person.user_id} and {approval.signature.person.user_id}"
    at = utc_text(approval.approved_at)
    return Tombstone(row.sha256, row.what, disposal.natural_key, disposal.reason, by, at)


def _unsigned(session: Session, archive: Archive, row: DisposedObject) -> Iterator[str]:
    """Why a tombstone is not what two people signed for."""
    approval = row.disposal_approval
    disposal = approval.disposal
    signatures = (disposal.signature, approval.signature)
    yield from unlike_trail(
        session, [disposal.key, disposal.lot.key], [row, approval, disposal, *signatures]
    )
    people = {one.person.user_id for one in signatures}
    bound = {(one.record, one.record_sha256) for one in signatures}
    if len(people) < len(signatures) or bound != {(disposal.key, disposal.content_sha)}:
        yield f"{disposal.key} does not bear the signatures of two people"
    listed = {one["sha256"] for one in json.loads(archive.get(disposal.content_sha))["objects"]}
    if row.sha256 not in listed:
        yield f"{row.sha256} is not on the list that they signed"


def _kept_since(session: Session, archive: Archive, row: DisposedObject) -> Iterator[str]:
    """What keeps an object since two people signed for its disposal."""
    content = json.loads(archive.get(row.disposal_approval.disposal.content_sha))
    signed = {key for one in content["objects"] for key in one["named_by"]}
    for one in rows_naming(session, row.sha256):
        if one.key not in signed:
            yield f"{row.sha256}: {one.key} names the same bytes"
    lots = [the_lot(session, one).id for one in lots_concerned(session, row.sha256)]
    for hold in open_legal_holds(session, lots):
        yield f"{row.sha256}: legal hold {hold.natural_key} lies on lot {hold.lot.lot}"
