"""Results that people type because no file holds them: entry, second entry, and documents.

While an entry waits, nobody sees its value but who typed or measured it: the second person types
from the source. The documents are a source, and are shown.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from batchqc.actions.entries import (
    Entry,
    attach_document,
    enter_result,
    the_attachment,
    the_entry,
    verify_entry,
)
from batchqc.actions.first_entries import enter_first_result
from batchqc.actions.states import contested_entry
from batchqc.actions.uploads import the_upload
from batchqc.api.bodies import RAW_DOCUMENT, ReceivedDocument
from batchqc.api.doors import Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.api.shapes import After, Limit, Page, Whole, page
from batchqc.api.tags import TAGGED, tagged
from batchqc.api.uploads import ReportOut, refused_upload, report_out
from batchqc.api.uses import client_of
from batchqc.core.entries import SecondEntry, Typed, TypedAnalyte
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.intake.typed import TypedResult
from batchqc.records.entries import Attachment
from batchqc.records.typed_lines import IS_TYPED
from batchqc.records.uploads import Upload

router = Routes(f"{PREFIX}/results", tags=["typed results"], responses=PROBLEMS)

Values = Annotated[
    list[str],
    Field(min_length=1, max_length=100, description="As on the source, a text each replicate."),
]


class AnalyteShape(Sent):
    """A further analyte of the same run, of which everything else is alike."""

    analyte: str
    values: Values
    unit: str = ""

    @property
    def typed(self) -> TypedAnalyte:
        """It as core knows it."""
        return TypedAnalyte(self.analyte, tuple(self.values), self.unit)


Also = Annotated[
    list[AnalyteShape],
    Field(default_factory=list, max_length=100, description="Further analytes of the same run."),
]


class NewEntry(Sent):
    """A result that no file holds; each text as it would stand in a file of the long contract."""

    lot: str
    sample: str
    test: str
    analyte: str
    values: Values
    unit: str = ""
    measured_at: str = Field(examples=["2026-03-21T16:56:00-05:00"])
    analyst: str = Field(description="User id of a person or a contract laboratory.")
    aliquot: str = ""
    started_at: str = ""
    instrument: str = ""
    run: str = ""
    method: str = ""
    comment: str = ""
    also: Also


class SecondEntryRequest(Signature):
    """Value and unit as the second person reads them on the source, signed."""

    values: Values
    unit: str = ""
    also: Also


class DocumentOut(BaseModel):
    """A document of an entry."""

    number: int
    name: str = Field(description="As its sender named it.")
    kind: str = Field(description="By its content.", examples=["PDF document"])
    size: int
    sha256: str


class AnalyteOut(BaseModel):
    """A further analyte of an entry; what is hidden is null, as in the entry."""

    analyte: str
    replicates: int
    values: list[str] | None
    unit: str | None
    second_values: list[str] | None
    second_unit: str | None


class EntryOut(BaseModel):
    """A typed result; ``values`` is null where they are hidden from who asks."""

    number: str = Field(examples=["U-2026-000123"])
    lot: str
    sample: str
    test: str
    analyte: str
    run: str
    replicates: int
    measured_at: datetime
    analyst: str
    entered_by: str
    entered_at: datetime
    state: SecondEntry
    verified_by: str
    values: list[str] | None
    unit: str | None
    comment: str | None
    second_values: list[str] | None = Field(description="As the second person typed them.")
    second_unit: str | None
    also: list[AnalyteOut] = Field(description="Further analytes of the same run.")
    documents: list[DocumentOut]


@router.post(
    "/manual", status_code=201, response_model=ReportOut, summary="Type a result that has no file"
)
def enter(call: Writing, sent: NewEntry, request: Request) -> Response:
    """Checked like an upload; it counts once a second person has typed the same."""
    return entered(call, sent, request)


def entered(call: Writing, sent: NewEntry, request: Request, *, is_first: bool = False) -> Response:
    """The same; ``is_first`` refuses it where another result came meanwhile."""
    refused = None
    with call.writing(Permission.UPLOAD_RESULTS, sent) as work:
        if work.is_new:
            several = {"values": tuple(sent.values), "also": tuple(one.typed for one in sent.also)}
            receive = enter_first_result if is_first else enter_result
            result, client = TypedResult(**sent.model_dump() | several), client_of(request)
            report = receive(work.tx, call.door.archive, result=result, client=client)
            refused = None if report.accepted else report_out(report)
            work.answer(200 if report.answered_before else 201, report_out(report))
            work.keep = report.accepted
    return work.response() if refused is None else refused_upload("what was typed", refused)


@router.get("/manual", summary="Typed results")
def entries(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[EntryOut]:
    """Every typed result, in the order in which they came."""
    with call.reading() as session:
        return page(
            session,
            select(Upload).where(IS_TYPED, Upload.accepted == 1),
            Upload,
            after=the_upload(session, after) if after else None,
            limit=limit,
            show=lambda one: _shown(the_entry(session, one.natural_key), call.person.user_id),
        )


@router.get(
    "/manual/{number}", response_model=EntryOut, responses=TAGGED, summary="One typed result"
)
def one(call: SignedIn, number: str) -> Response:
    """While it waits, its value is shown only to who typed or measured it."""
    with call.reading() as session:
        shown = _shown(the_entry(session, number), call.person.user_id)
        state = contested_entry(number).state(session)
        return tagged(call.if_none_match, session, state, shown)


@router.post(
    "/manual/{number}/verification",
    status_code=201,
    response_model=EntryOut,
    summary="Type a result as the second person (signed)",
)
def verify(call: Writing, number: str, sent: SecondEntryRequest) -> Response:
    """Who typed or measured it may not. A match counts; a mismatch is on record for good."""
    of = contested_entry(number)
    with call.writing(Permission.REVIEW_RESULTS, sent, of=of) as work:
        if work.is_new:
            signed = verify_entry(
                work.tx,
                call.door.archive,
                number=number,
                typed=[Typed(value, sent.unit) for value in sent.values],
                credentials=sent.credentials,
                also=[one.typed for one in sent.also],
            )
            if isinstance(signed, Refusal):
                work.answer(403, signed)
            else:
                entry = the_entry(work.tx.session, number)
                work.answer(201, _shown(entry, call.person.user_id))
    return work.response()


@router.post(
    "/attachments",
    status_code=201,
    response_model=DocumentOut,
    summary="Attach a document to a typed result",
    openapi_extra=RAW_DOCUMENT,
)
def attach(
    call: Writing,
    document: ReceivedDocument,
    entry: Annotated[str, Query(description="The number of the typed result.")],
) -> Response:
    """By who typed it, while it waits. Its kind is told by its content; archives are refused."""
    sent = f"{document.sha256} {document.size}"
    with call.writing(Permission.UPLOAD_RESULTS, sent) as work:
        if work.is_new:
            row = attach_document(work.tx, call.door.archive, number=entry, document=document)
            work.answer(201, _document(row))
    return work.response()


@router.get(
    "/manual/{number}/attachments/{position}",
    summary="A document of a typed result, to keep and never to show in place",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def attachment(call: SignedIn, number: str, position: Whole) -> Response:
    """Byte for byte as it came, checked against its hash."""
    with call.reading() as session:
        row = the_attachment(session, number, position)
        data = call.door.archive.get(row.sha256)
        name = quote(row.name, safe="")
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(data, media_type="application/octet-stream", headers=headers)


def _shown(entry: Entry, viewer: str) -> EntryOut:
    first, upload, is_shown = entry.measurements[0], entry.upload, entry.is_shown_to(viewer)
    verification, (own, *also) = entry.verification, _analytes(entry, is_shown=is_shown)
    return EntryOut(
        number=upload.natural_key,
        lot=entry.lot.lot,
        sample=first.sample,
        test=first.run.test,
        run=first.run.run,
        measured_at=first.measured_at,
        analyst=first.analyst,
        entered_by=upload.uploaded_by,
        entered_at=upload.received_at,
        state=entry.state,
        verified_by=verification.signature.person.user_id if verification else "",
        comment=first.comment if is_shown else None,
        **own.model_dump(),
        also=also,
        documents=[_document(one) for one in entry.attachments],
    )


def _analytes(entry: Entry, *, is_shown: bool) -> Iterator[AnalyteOut]:
    again = {one.analyte: one for one in entry.by_analyte(entry.typed_again)}
    for one in entry.by_analyte(entry.typed):
        second = again.get(one.analyte)
        yield AnalyteOut(
            analyte=one.analyte,
            replicates=len(one.values),
            values=list(one.values) if is_shown else None,
            unit=one.unit if is_shown else None,
            second_values=list(second.values) if second else None,
            second_unit=second.unit if second else None,
        )


def _document(row: Attachment) -> DocumentOut:
    return DocumentOut(
        number=row.number, name=row.name, kind=row.kind, size=row.size, sha256=row.sha256
    )
