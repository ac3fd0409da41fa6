"""The transparency log: checkpoints, its keys, and proofs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.actions.log_proofs import (
    prove_consistency,
    prove_entry,
    prove_record,
    the_checkpoint,
)
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.api.shapes import LARGEST, Page
from batchqc.core.permissions import Permission
from batchqc.errors import InvalidInput
from batchqc.records.log import CheckpointRow, checkpoints_after, log_keys, lost_keys, timestamps_of

router = Routes(PREFIX, tags=["transparency log"], responses=PROBLEMS)

_SIZE = "Of how many entries; 0 is the newest."


class KeyOut(BaseModel):
    """A key of the log, as verifiers keep it."""

    number: int
    vkey: str = Field(examples=["lakeside/batchqc+1752153f+AUcI…"])
    began_at: datetime
    reason: str
    lost_at: datetime | None = Field(
        description="Since when somebody else may have it: it was lost, or signs no more."
    )


class CheckpointOut(BaseModel):
    """A checkpoint; the note is signed, everything else stands in it, too."""

    size: int = Field(description="How many entries of the audit trail it covers.")
    root: str = Field(description="SHA-256, RFC 9162, in hexadecimal digits.")
    audit_head: str = Field(description="The link of the audit chain there.")
    signed_at: datetime
    note: str = Field(description="C2SP signed note; verify it with the keys that you hold.")
    stamped_at: datetime | None = Field(description="By a timestamp service, where there is one.")


class CheckpointWanted(Sent):
    """What the checkpoint is to cover; where one does already, it is answered."""

    covering: str = Field("", description="The key of a record.", examples=["lot:UCM-P1-T1"])


class CheckpointPage(BaseModel):
    """Which checkpoints."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(default=0, ge=0, le=LARGEST, description="`next` of the page before.")
    limit: int = Field(default=50, ge=1, le=200, description="How many at the most.")


class InclusionOut(BaseModel):
    """That an entry is in the log: its canonical bytes, and the proof as a file."""

    sequence: int
    index: int = Field(description="Of the leaf, from 0.")
    size: int
    entry: str = Field(description="Its bytes as text; the leaf is their SHA-256.")
    hashes: list[str] = Field(description="Upwards, in hexadecimal digits.")
    proof: str = Field(description="C2SP tlog-proof, with the checkpoint.")


class ConsistencyOut(BaseModel):
    """That the log of a later checkpoint begins with that of an earlier one."""

    first: int
    second: int
    hashes: list[str] = Field(description="In hexadecimal digits.")
    proof: str = Field(description="As `batchqc log extends` reads it.")


@router.get("/log/keys", summary="Keys of the transparency log")
def keys(call: SignedIn) -> Page[KeyOut]:
    """Every key, oldest first; the newest one signs. Compare them with those that you hold."""
    with call.reading() as session:
        lost = lost_keys(session)
        items = [
            KeyOut(
                number=one.number,
                vkey=one.vkey,
                began_at=one.began_at,
                reason=one.reason,
                lost_at=lost[one.id].began_at if one.id in lost else None,
            )
            for one in log_keys(session)
        ]
    return Page(items=items, next=None)


@router.get("/log/checkpoints", summary="Checkpoints of the transparency log")
def checkpoints(call: SignedIn, wanted: Annotated[CheckpointPage, Query()]) -> Page[CheckpointOut]:
    """Checkpoints, oldest first."""
    with call.reading() as session:
        found = checkpoints_after(session, wanted.after, limit=wanted.limit + 1)
        items = _each_out(session, found[: wanted.limit])
    return Page(items=items, next=str(items[-1].size) if len(found) > wanted.limit else None)


@router.post("/log/checkpoints", status_code=201, summary="Sign a checkpoint now")
def sign(call: Writing, sent: CheckpointWanted) -> Response:
    """Sign what the log is now; a checkpoint is also signed after every issued certificate."""
    with call.writing(Permission.KEEP_LOG, sent) as work:
        if work.is_new:
            row = sign_checkpoint(work.tx, call.door.press.log_key(), covering=sent.covering)
            work.answer(201, _out(work.tx.session, row))
    return work.response()


@router.get("/log/checkpoints/{size}", summary="One checkpoint")
def one_checkpoint(
    call: SignedIn, size: Annotated[int, Path(ge=0, le=LARGEST, description=_SIZE)]
) -> CheckpointOut:
    """The checkpoint of so many entries; 0 is the newest."""
    with call.reading() as session:
        return _out(session, the_checkpoint(session, size))


@router.get("/log/inclusion", summary="Prove that an entry is in the log")
def inclusion(
    call: SignedIn,
    sequence: Annotated[int, Query(ge=0, le=LARGEST, description="Of the entry.")] = 0,
    record: Annotated[
        str, Query(description="Or the first entry of a record.", examples=["lot:UCM-P1-T1"])
    ] = "",
    size: Annotated[int, Query(ge=0, le=LARGEST, description=_SIZE)] = 0,
) -> InclusionOut:
    """The entry and its proof against a checkpoint. Name it by sequence or by record."""
    if bool(sequence) == bool(record):
        raise InvalidInput("BQC-LOG-019", "name an entry by its sequence or by a record")
    with call.reading() as session:
        found = (
            prove_record(session, record, size=size)
            if record
            else prove_entry(session, sequence, size=size)
        )
        covered = the_checkpoint(session, size).size
    return InclusionOut(
        sequence=found.sequence,
        index=found.proof.index,
        size=covered,
        entry=found.entry,
        hashes=[one.hex() for one in found.proof.hashes],
        proof=found.proof.text,
    )


@router.get("/log/consistency", summary="Prove that nothing was changed between two checkpoints")
def consistency(
    call: SignedIn,
    first: Annotated[int, Query(ge=1, le=LARGEST, description="Entries of the earlier one.")],
    second: Annotated[int, Query(ge=0, le=LARGEST, description=_SIZE)] = 0,
) -> ConsistencyOut:
    """That the log of the second checkpoint begins with that of the first."""
    with call.reading() as session:
        found = prove_consistency(session, first, second)
    return ConsistencyOut(
        first=found.first,
        second=found.second,
        hashes=[one.hex() for one in found.hashes],
        proof=found.text,
    )


def _out(session: Session, row: CheckpointRow) -> CheckpointOut:
    return _each_out(session, [row])[0]


def _each_out(session: Session, rows: Sequence[CheckpointRow]) -> list[CheckpointOut]:
    stamps = timestamps_of(session, rows)
    return [
        CheckpointOut(
            size=row.size,
            root=said.root.hex(),
            audit_head=said.head,
            signed_at=said.at,
            note=row.note,
            stamped_at=stamps[row.id].stamped_at if row.id in stamps else None,
        )
        for row, said in ((row, row.checkpoint) for row in rows)
    ]
