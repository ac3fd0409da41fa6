"""Signed checkpoints of the transparency log: on a schedule, and after every issued certificate.

Whoever makes one waits for nobody but others who make one: it covers the entries that are
committed. Nothing is signed that does not extend the newest checkpoint on record.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.actions.log_proofs import the_place
from batchqc.actions.permission import require
from batchqc.actions.signing import check_reason
from batchqc.core.audit import Link
from batchqc.core.canonical import LARGEST_INTEGER
from batchqc.core.checkpoints import Checkpoint
from batchqc.core.merkle import root_of
from batchqc.core.permissions import Permission
from batchqc.core.stored_tree import not_whole
from batchqc.documents.log_key import LogSigner, unusable
from batchqc.errors import Conflict
from batchqc.records.audit import newest_link
from batchqc.records.log import (
    CheckpointRow,
    LogKeyRow,
    LogSubtree,
    log_keys,
    new_subtrees,
    newest_checkpoint,
    place_of,
    tree_of,
)
from batchqc.records.transaction import SYSTEM, Transaction, transaction

FIRST: Final = "The first key of the log"


def sign_checkpoint(tx: Transaction, signer: LogSigner, *, covering: str = "") -> CheckpointRow:
    """Sign what the log is now, unless a checkpoint covers what is asked for already.

    Args:
        tx: of the system, or of a person who keeps the log.
        signer: with the newest key on record; the first one is put on record.
        covering: the key of a record; a checkpoint that covers its entry is answered as it is.

    Raises:
        NotFound: BQC-LOG-014 no entry is filed under ``covering``.
        SigningUnavailable: BQC-LOG-006 the key is not the newest on record.
        IntegrityFailure: BQC-LOG-007 the log does not extend the newest checkpoint.
    """
    require(tx, Permission.KEEP_LOG)
    tx.lock("transparency log")
    newest = newest_checkpoint(tx.session)
    place = the_place(tx.session, covering) if covering else LARGEST_INTEGER
    if newest is not None and newest.size >= place:
        return newest
    return _signed(tx, signer, newest, _key_on_record(tx, signer))


def checkpoint_after(
    engine: Engine, signer: LogSigner, *, record: str, clock: Callable[[], datetime]
) -> None:
    """See to it that a checkpoint covers the entry of a record that was just committed."""
    with transaction(engine, SYSTEM, clock()) as tx:
        sign_checkpoint(tx, signer, covering=record)


def is_covered(session: Session, record: str) -> bool:
    """Whether a checkpoint covers the entry of a record."""
    newest, place = newest_checkpoint(session), place_of(session, record)
    return newest is not None and place is not None and newest.size >= place


def check_log(session: Session, signer: LogSigner) -> None:
    """Refuse to go on where no checkpoint could be signed afterwards.

    Raises:
        SigningUnavailable: BQC-LOG-006 the key is not the newest on record.
        IntegrityFailure: BQC-LOG-007 the log does not extend the newest checkpoint.
    """
    _check_key(log_keys(session), signer)
    newest = newest_checkpoint(session)
    if newest is not None:
        _check_extends(session, newest, newest_link(session))


def check_log_key(session: Session, signer: LogSigner) -> None:
    """Refuse another key than the newest on record; raises BQC-LOG-006 as ``check_log``."""
    _check_key(log_keys(session), signer)


def change_key(
    tx: Transaction, signer: LogSigner, *, old: LogSigner | None, reason: str
) -> CheckpointRow:
    """Put a new key on record, and sign a checkpoint with it and with the old one.

    Args:
        tx: of a person who keeps the log.
        signer: with the new key.
        old: with the newest key on record; ``None`` where that is lost or must not sign any more.
        reason: why.

    Raises:
        Conflict: BQC-LOG-008 the log has another name.
        SigningUnavailable: BQC-LOG-006 ``old`` is not the newest on record.
    """
    require(tx, Permission.KEEP_LOG)
    check_reason(reason)
    tx.lock("transparency log")
    keys = log_keys(tx.session)
    if keys and keys[-1].note_key.name != signer.key.name:
        raise Conflict(
            "BQC-LOG-008", f"the log is named {keys[-1].note_key.name}, not {signer.key.name}"
        )
    if old is not None:
        _check_key(keys, old)
    row = _record(tx, signer, reason)
    return _signed(tx, signer, newest_checkpoint(tx.session), row, also=old)


def _key_on_record(tx: Transaction, signer: LogSigner) -> LogKeyRow:
    keys = log_keys(tx.session)
    _check_key(keys, signer)
    return keys[-1] if keys else _record(tx, signer, FIRST)


def _check_key(keys: Sequence[LogKeyRow], signer: LogSigner) -> None:
    if keys and keys[-1].vkey != signer.key.text:
        held, wanted = signer.key.key_id.hex(), keys[-1].note_key.key_id.hex()
        raise unusable(f"is {held}, and the newest on record is {wanted}")


def _record(tx: Transaction, signer: LogSigner, reason: str) -> LogKeyRow:
    row = LogKeyRow(
        number=len(log_keys(tx.session)) + 1,
        vkey=signer.key.text,
        reason=reason,
        began_by=tx.actor.user_id,
        began_at=tx.now,
    )
    tx.add(row)
    tx.audit("key of the log put on record", rows=[row], reason=reason, after={"vkey": row.vkey})
    return row


def _signed(
    tx: Transaction,
    signer: LogSigner,
    newest: CheckpointRow | None,
    key: LogKeyRow,
    *,
    also: LogSigner | None = None,
) -> CheckpointRow:
    head = newest_link(tx.session)
    if head is None:
        raise not_whole("the audit trail is empty")
    if newest is not None:
        _check_extends(tx.session, newest, head)
    for _, rows in new_subtrees(tx.session, head.sequence):
        tx.add_in_bulk(LogSubtree, ("level", "place", "sha256"), rows)
    root = root_of(head.sequence, tree_of(tx.session))
    said = Checkpoint(signer.key.name, head.sequence, root, head.sha256, tx.now)
    lines = [one.line(said.text) for one in (signer, also) if one is not None]
    row = CheckpointRow(
        size=said.size,
        note=said.text + "\n" + "".join(lines),
        log_key=key,
        signed_by=tx.actor.user_id,
        signed_at=tx.now,
    )
    tx.add(row)
    tx.audit(
        "checkpoint of the log signed",
        rows=[row],
        after={"size": said.size, "root": root.hex(), "audit head": said.head},
    )
    return row


def _check_extends(session: Session, newest: CheckpointRow, head: Link | None) -> None:
    if head is None or head.sequence < newest.size:
        raise not_whole(f"it covers {newest.size} entries, and there are fewer")
    if root_of(newest.size, tree_of(session)) != newest.checkpoint.root:
        raise not_whole(f"the first {newest.size} entries are not those that it covers")
