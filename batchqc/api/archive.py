"""The archive: scrubs, damage, the rule of retention, legal holds, disposals."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy import select

from batchqc.actions.disposals import (
    approve_disposal,
    due_of_lot,
    request_disposal,
    the_disposal,
)
from batchqc.actions.lots import the_lot
from batchqc.actions.raw_objects import hold_in_store, today_at_site
from batchqc.actions.removals import finish_disposals
from batchqc.actions.retention import hold_legally, release_legally, set_retention, the_legal_hold
from batchqc.actions.scrubs import open_damage
from batchqc.api.archive_shapes import (
    DamageOut,
    DisposalOut,
    DueOut,
    LegalHoldOut,
    RetentionRuleOut,
    ScrubOut,
    disposal_out,
    hold_out,
    rule_out,
    scrub_out,
)
from batchqc.api.doors import Signature, SignedIn, Work, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import COUNTED
from batchqc.api.shapes import After, Limit, Page, number_of, page, row_of
from batchqc.core.permissions import Permission
from batchqc.core.retention import RetentionRule
from batchqc.core.signatures import Refusal
from batchqc.records.archive import ArchiveScrub
from batchqc.records.retention import Disposal, LegalHold, retention_rules

router = Routes(PREFIX, tags=["archive"], responses=PROBLEMS)


class NewRetentionRule(Signature):
    """For how long raw data is kept from now on."""

    after_expiry: Annotated[
        int, Field(ge=0, le=1000, description="Whole years after the last usable day."), COUNTED
    ]
    after_manufacture: Annotated[
        int, Field(ge=0, le=1000, description="Whole years after manufacture."), COUNTED
    ]


class OfLot(Signature):
    """A signature on what is done with all raw data of a lot."""

    lot: str


@router.get("/archive/scrubs", summary="What was read again, part by part")
def scrubs(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[ScrubOut]:
    """Oldest first."""
    with call.reading() as session:
        number, _, part = after.partition("/")
        found = select(ArchiveScrub).where(
            ArchiveScrub.number == _whole(number), ArchiveScrub.part == _whole(part)
        )
        return page(
            session,
            select(ArchiveScrub),
            ArchiveScrub,
            after=row_of(session, found, after) if after else None,
            limit=limit,
            show=scrub_out,
        )


@router.get("/archive/damage", summary="What is missing or damaged and not mended")
def damage(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[DamageOut]:
    """With the lots concerned."""
    with call.reading() as session:
        every = [
            DamageOut(
                sha256=one.sha256,
                problem=one.problem,
                found_at=one.archive_scrub.scrubbed_at,
                lots=list(lots),
            )
            for one, lots in open_damage(session)
        ]
    every = sorted((one for one in every if one.sha256 > after), key=lambda one: one.sha256)
    return Page(items=every[:limit], next=every[limit - 1].sha256 if len(every) > limit else None)


@router.get("/archive/retention-rules", summary="For how long raw data is kept; the newest counts")
def rules(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[RetentionRuleOut]:
    """Oldest first."""
    with call.reading() as session:
        behind = number_of(after)
        every = [rule_out(one) for one in retention_rules(session) if one.number > behind]
    more = len(every) > limit
    return Page(items=every[:limit], next=str(every[limit - 1].number) if more else None)


@router.post(
    "/archive/retention-rules",
    status_code=201,
    response_model=RetentionRuleOut,
    summary="Set for how long raw data is kept",
)
def set_rule(call: Writing, sent: NewRetentionRule) -> Response:
    """By QA, signed."""
    with call.writing(Permission.SET_RETENTION, sent) as work:
        if work.is_new:
            rule = RetentionRule(sent.after_expiry, sent.after_manufacture)
            row = set_retention(work.tx, rule=rule, credentials=sent.credentials)
            work.answer(201, row if isinstance(row, Refusal) else rule_out(row))
    return work.response()


@router.get("/archive/due", summary="The raw data of a lot: until when it is kept, and why")
def due(call: SignedIn, lot: Annotated[str, Query(description="Which lot.")]) -> list[DueOut]:
    """What was not disposed of; without reasons, it is due."""
    with call.reading() as session:
        today = today_at_site(session, call.door.now())
        return [
            DueOut(
                sha256=one.raw.sha256,
                named_by=list(one.raw.named_by),
                lots=[own.lot for own in one.raw.lots],
                kept_until=one.until,
                reasons=list(one.reasons),
            )
            for one in due_of_lot(session, the_lot(session, lot), today=today)
        ]


@router.get("/archive/holds", summary="Legal holds")
def holds(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[LegalHoldOut]:
    """Oldest first, each with its release where it has one."""
    with call.reading() as session:
        return page(
            session,
            select(LegalHold),
            LegalHold,
            after=the_legal_hold(session, after) if after else None,
            limit=limit,
            show=lambda one: hold_out(session, one),
        )


@router.post(
    "/archive/holds", status_code=201, response_model=LegalHoldOut, summary="Lay a legal hold"
)
def hold(call: Writing, sent: OfLot) -> Response:
    """By QA, signed: nothing that concerns the lot is disposed of until it is released."""
    with call.writing(Permission.HOLD_LEGALLY, sent) as work:
        if work.is_new:
            row = hold_legally(work.tx, lot=sent.lot, credentials=sent.credentials)
            shown = row if isinstance(row, Refusal) else hold_out(work.tx.session, row)
            work.answer(201, shown)
    _hold_in_store(call, work, "")
    return work.response()


@router.post(
    "/archive/holds/{number}/release",
    status_code=201,
    response_model=LegalHoldOut,
    summary="Release a legal hold",
)
def release(call: Writing, number: str, sent: Signature) -> Response:
    """By QA, signed."""
    with call.writing(Permission.HOLD_LEGALLY, sent) as work:
        if work.is_new:
            row = release_legally(work.tx, number=number, credentials=sent.credentials)
            if isinstance(row, Refusal):
                work.answer(403, row)
            else:
                work.answer(201, hold_out(work.tx.session, row.legal_hold))
    _hold_in_store(call, work, "the release of ")
    return work.response()


@router.get("/archive/disposals", summary="Disposals of raw data")
def disposals(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[DisposalOut]:
    """Oldest first: who asked for it, who approved it, which files are gone."""
    with call.reading() as session:
        return page(
            session,
            select(Disposal),
            Disposal,
            after=the_disposal(session, after) if after else None,
            limit=limit,
            show=lambda one: disposal_out(session, one),
        )


@router.post(
    "/archive/disposals",
    status_code=201,
    response_model=DisposalOut,
    summary="Ask for the raw data of a lot to be disposed of",
)
def ask(call: Writing, sent: OfLot) -> Response:
    """By QA, signed; nothing is removed before another person approves."""
    with call.writing(Permission.DISPOSE, sent) as work:
        if work.is_new:
            row = request_disposal(
                work.tx, call.door.archive, lot=sent.lot, credentials=sent.credentials
            )
            shown = row if isinstance(row, Refusal) else disposal_out(work.tx.session, row)
            work.answer(201, shown)
    return work.response()


@router.post(
    "/archive/disposals/{number}/approval",
    status_code=201,
    response_model=DisposalOut,
    summary="Approve a disposal as the second person",
)
def approve(call: Writing, number: str, sent: Signature) -> Response:
    """By QA, signed: the files are gone from then on, and their tombstones stay."""
    with call.writing(Permission.DISPOSE, sent) as work:
        if work.is_new:
            row = approve_disposal(
                work.tx, call.door.archive, number=number, credentials=sent.credentials
            )
            if isinstance(row, Refusal):
                work.answer(403, row)
            else:
                work.answer(201, disposal_out(work.tx.session, row.disposal))
    gone, door = work.body()["objects"], call.door
    finish_disposals(door.engine, door.archive, now=door.now(), hashes=gone)
    return work.response()


def _hold_in_store(call: Writing, work: Work, what: str) -> None:
    done = work.body()
    recorded = f"{what}{done['number']}"
    hold_in_store(call.door.engine, call.door.archive, done["lot"], recorded=recorded)


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
