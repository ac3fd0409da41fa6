"""The audit trail: its entries, and whether the records are what it says."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from batchqc.actions.recheck import recheck
from batchqc.actions.trail_checks import note_verification
from batchqc.actions.verification import TrailCheck, verify_audit_trail
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Moment
from batchqc.api.shapes import LARGEST, Page
from batchqc.core.permissions import Permission
from batchqc.records.audit import AuditEntry, AuditLink
from batchqc.records.audit_lines import TrailWanted, trail_lines
from batchqc.records.audit_search import Filed, some_after, subject_of, user_of

router = Routes(PREFIX, tags=["audit trail"], responses=PROBLEMS)


class EntryOut(BaseModel):
    """One entry: who, in which role, when, what, why, before, after; and its link in the chain."""

    sequence: int
    sha256: str = Field(description="Of the entry's canonical bytes.")
    link: str = Field(description="The link: over sequence, entry and the link before.")
    entry: dict[str, Any]


class EntryFilter(BaseModel):
    """Which entries; a filter that there is not is refused."""

    model_config = ConfigDict(extra="forbid")

    subject: str = Field(default="", examples=["lot:UCM-P1-T1"])
    who: str = Field(default="", description="Only of this person.")
    what: str = Field(default="", examples=["lot released"])
    since: Moment | None = Field(default=None, description="RFC 3339; the first moment.")
    until: Moment | None = Field(default=None, description="RFC 3339; before it.")
    after: int = Field(default=0, ge=0, le=LARGEST, description="`next` of the page before.")
    limit: int = Field(default=50, ge=1, le=200, description="How many at the most.")


class Verification(BaseModel):
    """What a comparison of all records with the audit trail found."""

    entries: int
    sequence: int
    head: str = Field(description="Compare with certificates: a chain shows no cut tail.")
    problems: list[str] = Field(description="The first one is the first broken entry.")


class DifferenceOut(BaseModel):
    """A recorded verdict that is not what its raw data give."""

    record: str = Field(examples=["disposition:UCM-P1-T1/1"])
    lot: str
    criterion: str = Field(description="Empty where nothing of the record could be computed.")
    difference: str


class RecheckOut(BaseModel):
    """How many verdicts were computed anew, and what differs."""

    decisions: int
    verdicts: int
    differences: list[DifferenceOut]


@router.get("/audit", summary="Audit trail entries")
def entries(call: SignedIn, wanted: Annotated[EntryFilter, Query()]) -> Page[EntryOut]:
    """The entries that every given filter lets through, oldest first.

    Of somebody or of an action a page may have fewer than there are: go on while `next` is given.
    Where moments are asked for, entries stand in the order of their times: who follows the trail as
    it grows asks for none, since what took longer is recorded behind what it stands before.
    """
    with call.reading() as session:
        found, more = _found(session, wanted)
        items = [
            EntryOut(
                sequence=link.sequence,
                sha256=entry.sha256,
                link=link.sha256,
                entry=json.loads(entry.text),
            )
            for link, entry in found
        ]
    return Page(items=items, next=str(more) if more else None)


def _found(
    session: Session, wanted: EntryFilter
) -> tuple[Sequence[tuple[AuditLink, AuditEntry]], int]:
    subject, who = subject_of(session, wanted.subject), user_of(session, wanted.who)
    if wanted.since is None and wanted.until is None:
        filed = Filed(subject, who, wanted.what)
        return some_after(session, wanted.after, filed, limit=wanted.limit)
    by_time = TrailWanted(
        subjects=tuple(filter(None, [subject])),
        who=who,
        what=tuple(filter(None, [wanted.what])),
        since=wanted.since,
        until=wanted.until,
        oldest_first=True,
    )
    page = trail_lines(session, by_time, after=wanted.after, limit=wanted.limit)
    return page.lines, page.more


@router.get("/audit/verification", summary="Verify the audit trail")
def verification(call: SignedIn) -> Verification:
    """Compare every record with its entry, the chain with itself, the store with its hashes."""
    with call.reading() as session:
        return _verified(verify_audit_trail(session, call.door.archive))


@router.post(
    "/audit/verification",
    status_code=201,
    response_model=Verification,
    summary="Verify the audit trail, and put on record what was found",
)
def verify_on_record(call: Writing) -> Response:
    """The same; who verified it when, and what was found, is its newest entry then."""
    with call.reading() as session:  # before the transaction: others go on writing meanwhile
        found = verify_audit_trail(session, call.door.archive)
    with call.writing(Permission.READ) as work:
        if work.is_new:
            note_verification(work.tx, found)
            work.answer(201, _verified(found))
    return work.response()


@router.get("/audit/recheck", summary="Compute every recorded verdict anew")
def verdicts_again(call: SignedIn) -> RecheckOut:
    """From raw bytes, under the version that each decision names. None may differ."""
    with call.reading() as session:
        found = recheck(session, call.door.archive)
    return RecheckOut(
        decisions=found.decisions,
        verdicts=found.verdicts,
        differences=[
            DifferenceOut(
                record=one.record, lot=one.lot, criterion=one.criterion, difference=one.said
            )
            for one in found.differences
        ],
    )


def _verified(found: TrailCheck) -> Verification:
    return Verification(
        entries=found.entries,
        sequence=found.head.sequence if found.head else 0,
        head=found.head.sha256 if found.head else "",
        problems=list(found.problems),
    )
