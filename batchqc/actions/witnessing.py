"""Checkpoints leave the house: they are stamped by a service, and dropped at a witness."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.actions.log_against import genuine
from batchqc.actions.log_proofs import the_checkpoint
from batchqc.actions.permission import require
from batchqc.core.merkle import root_of
from batchqc.core.permissions import Permission
from batchqc.documents.archive import Archive
from batchqc.documents.timestamps import Service, stamp
from batchqc.documents.witness import (
    drop_checkpoint,
    drop_leaves,
    drop_timestamp,
    newest_held,
)
from batchqc.errors import IntegrityFailure
from batchqc.records.log import (
    CheckpointTimestamp,
    checkpoints_after,
    hashes_of,
    log_keys,
    newest_checkpoint,
    place_of,
    timestamp_of,
    timestamps,
    tree_of,
)
from batchqc.records.transaction import SYSTEM, Transaction, reading, transaction

_AT_ONCE = 1000


def stamp_newest(
    engine: Engine, archive: Archive, service: Service, *, clock: Callable[[], datetime]
) -> bool:
    """Have the newest checkpoint stamped; whether there was one without a timestamp.

    No transaction is held while the service is asked.

    Raises:
        SigningUnavailable: BQC-LOG-011 the service gave no answer that holds.
    """
    with reading(engine) as session:
        newest = newest_checkpoint(session)
        if newest is None or timestamp_of(session, newest) is not None:
            return False
        size, note = newest.size, newest.note
    got = stamp(service, note.encode())
    with transaction(engine, SYSTEM, clock()) as tx:
        tx.lock(f"checkpoint:{size}")
        row = the_checkpoint(tx.session, size)
        if timestamp_of(tx.session, row) is not None:
            return False  # somebody else was faster
        stamped = CheckpointTimestamp(
            checkpoint=row,
            token_sha=archive.put(got.answer),
            service=service.shown,
            stamped_at=got.at,
            received_at=tx.now,
        )
        tx.add(stamped)
        tx.audit("checkpoint of the log timestamped", rows=[stamped], about=[row.key])
    return True


def export(session: Session, archive: Archive, folder: Path, *, anew: bool = False) -> int:
    """Drop every checkpoint that a witness does not hold yet, with leaves and timestamps.

    Args:
        session: only read.
        archive: where the timestamps are.
        folder: of the witness.
        anew: whether a witness that is known to have held the log may be empty.

    Returns:
        How many entries the newest checkpoint covers that the witness holds now.

    Raises:
        NotFound: BQC-LOG-009 the folder of the witness is not there.
        IntegrityFailure: BQC-LOG-012 the log does not extend what the witness holds,
            BQC-LOG-010 it holds something else, or BQC-LOG-020 it holds nothing any more;
            nothing is exported.
    """
    held = _held(session, folder)
    if not held and not anew and place_of(session, _key(folder)) is not None:
        raise IntegrityFailure(
            "BQC-LOG-020",
            f"the witness {folder} holds nothing, and it held the log before",
            hint="Nothing was exported. See that it is mounted, and find out who emptied it. If it"
            " has to begin again: `batchqc log witness FOLDER --anew`.",
        )
    while rows := checkpoints_after(session, held, limit=_AT_ONCE):
        drop_leaves(
            folder,
            since=held,
            size=rows[-1].size,
            leaves=lambda first, many: list(hashes_of(session, 0, first, many)),
        )
        for row in rows:
            drop_checkpoint(folder, row.size, row.note)
        held = rows[-1].size
    for one in timestamps(session):
        drop_timestamp(folder, one.checkpoint.size, archive.get(one.token_sha))
    return held


def put_witness_on_record(tx: Transaction, folder: Path, size: int, *, anew: bool = False) -> None:
    """Put on record, once, that a witness holds the log; and each time that it began anew."""
    require(tx, Permission.KEEP_LOG)
    tx.lock(_key(folder))
    if anew or place_of(tx.session, _key(folder)) is None:
        what = "witness of the log begun anew" if anew else "witness of the log begun"
        tx.audit(what, about=[_key(folder)], after={"size": size})


def _key(folder: Path) -> str:
    """Under which entries of a witness are filed; a name of other bytes than text is shown so."""
    return f"witness:{os.fsencode(folder.resolve()).decode('utf-8', 'replace')}"


def _held(session: Session, folder: Path) -> int:
    """The size of the newest checkpoint of a witness, which the log must extend."""
    held = newest_held(folder)
    if held is None:
        return 0
    said = genuine(held, [key.note_key for key in log_keys(session)])
    own = newest_checkpoint(session)
    if own is None or own.size < said.size or root_of(said.size, tree_of(session)) != said.root:
        raise IntegrityFailure(
            "BQC-LOG-012",
            f"the log does not extend the checkpoint of {said.size} entries that the witness holds",
            hint="Stop. Nothing was exported. Run `batchqc audit verify --against` its folder.",
        )
    return said.size
