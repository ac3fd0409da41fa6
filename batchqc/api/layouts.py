"""Layouts of certificates: imported, submitted, approved by a second person."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, Field
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from batchqc.actions.layouts import (
    approve_layout,
    import_layout,
    layout_content,
    submit_layout,
    the_layout,
    withdraw_layout,
)
from batchqc.actions.states import contested_layout
from batchqc.api.bodies import RAW_TOML, Received
from batchqc.api.doors import Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import After, Limit, Page, id_and_version, page, row_of
from batchqc.api.tags import TAGGED, tagged
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.errors import InvalidInput
from batchqc.records.layouts import (
    LayoutApproval,
    LayoutVersion,
    LayoutWithdrawal,
    approval_of_layout,
    submission_of_layout,
    withdrawal_of_layout,
)

router = Routes(PREFIX, tags=["layouts"], responses=PROBLEMS)

Version = Annotated[int, Path(ge=1, le=1_000_000)]


class LayoutOut(BaseModel):
    """A version of a layout, and how far it is."""

    id: str = Field(examples=["COA-DE-A4"])
    version: int
    title: str
    recipient: str = Field(description="For whom; blank of the site's own certificates.")
    product: str = Field(description="The code of its product; blank is every product.")
    sha256: str = Field(description="Of its bytes, which are the record.")
    imported_by: str
    imported_at: datetime
    submitted_by: str = Field(description="Blank while it is a draft.")
    approved_by: str = Field(description="Blank while it waits for its approval.")
    withdrawn_by: str = Field(description="Blank while it may be taken.")


class LayoutDetail(LayoutOut):
    """A version with what it says."""

    language: str
    paper: str
    address: list[str]
    contact: list[str]
    order: list[str]
    titles: dict[str, str]
    withhold: list[str]
    footnotes: list[str]


@router.get("/layouts", summary="Every version of every layout")
def layouts(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[LayoutOut]:
    """In the order of their import. `after` is `<id>/<version>`."""
    with call.reading() as session:
        return page(
            session,
            select(LayoutVersion),
            LayoutVersion,
            after=row_of(session, _named(after), after) if after else None,
            limit=limit,
            show=lambda one: _shown(session, one),
        )


@router.post(
    "/layouts",
    status_code=201,
    response_model=LayoutOut,
    summary="Import a layout file",
    openapi_extra=RAW_TOML,
)
def add(call: Writing, file: Received) -> Response:
    """Copy a file into the system, as a draft. All problems are told at once."""
    with call.writing(Permission.IMPORT_LAYOUT, file.sha256) as work:
        if work.is_new:
            if file.data is None:
                raise InvalidInput("BQC-API-006", f"a layout of {file.size:,} bytes")
            door = call.door
            row = import_layout(
                work.tx, door.archive, data=file.data, file=file.name, fonts=door.press.fonts
            )
            work.answer(201, _shown(work.tx.session, row))
    return work.response()


@router.get(
    "/layouts/{layout}/{version}",
    response_model=LayoutDetail,
    responses=TAGGED,
    summary="One version",
)
def one(call: SignedIn, layout: str, version: Version) -> Response:
    """A version, with what its file says."""
    with call.reading() as session:
        row = the_layout(session, layout, version)
        said = layout_content(session, call.door.archive, row)
        detail = LayoutDetail(
            **_shown(session, row).model_dump(),
            language=said.language,
            paper=said.paper,
            address=list(said.address),
            contact=list(said.contact),
            order=list(said.order),
            titles=dict(said.titles),
            withhold=list(said.withhold),
            footnotes=list(said.footnotes),
        )
        state = contested_layout(layout, version).state(session)
        return tagged(call.if_none_match, session, state, detail)


@router.get(
    "/layouts/{layout}/{version}/file",
    summary="The bytes as imported",
    response_class=Response,
    responses={200: {"content": {"application/toml": {}}}},
)
def file_of(call: SignedIn, layout: str, version: Version) -> Response:
    """The file, byte for byte as it was imported."""
    with call.reading() as session:
        data = call.door.archive.get(the_layout(session, layout, version).sha256)
    return Response(data, media_type="application/toml")


@router.post(
    "/layouts/{layout}/{version}/submission",
    status_code=201,
    response_model=LayoutOut,
    summary="Give a draft up for review",
)
def submit(call: Writing, layout: str, version: Version) -> Response:
    """From then on it can be approved."""
    of = contested_layout(layout, version)
    with call.writing(Permission.IMPORT_LAYOUT, None, of=of) as work:
        if work.is_new:
            submission = submit_layout(work.tx, layout=layout, version=version)
            work.answer(201, _shown(work.tx.session, submission.layout_version))
    return work.response()


@router.post(
    "/layouts/{layout}/{version}/approval",
    status_code=201,
    response_model=LayoutOut,
    summary="Approve a version (signed)",
)
def approve(call: Writing, layout: str, version: Version, sent: Signature) -> Response:
    """Approve a version; who imported it may not."""
    of = contested_layout(layout, version)
    with call.writing(Permission.APPROVE_LAYOUT, sent, of=of) as work:
        if work.is_new:
            signed = approve_layout(
                work.tx,
                call.door.archive,
                layout=layout,
                version=version,
                credentials=sent.credentials,
            )
            work.answer(201, _signed(work.tx.session, signed))
    return work.response()


@router.post(
    "/layouts/{layout}/{version}/withdrawal",
    status_code=201,
    response_model=LayoutOut,
    summary="Withdraw an approved version (signed)",
)
def withdraw(call: Writing, layout: str, version: Version, sent: Signature) -> Response:
    """No new certificate or rendition takes it; those that were made keep it."""
    of = contested_layout(layout, version)
    with call.writing(Permission.APPROVE_LAYOUT, sent, of=of) as work:
        if work.is_new:
            signed = withdraw_layout(
                work.tx, layout=layout, version=version, credentials=sent.credentials
            )
            work.answer(201, _signed(work.tx.session, signed))
    return work.response()


def _signed(
    session: Session, signed: LayoutApproval | LayoutWithdrawal | Refusal
) -> LayoutOut | Refusal:
    return signed if isinstance(signed, Refusal) else _shown(session, signed.layout_version)


def _named(name: str) -> Select[LayoutVersion]:
    layout, version = id_and_version(name) or ("", 0)
    return select(LayoutVersion).where(
        LayoutVersion.layout == layout, LayoutVersion.version == version
    )


def _shown(session: Session, row: LayoutVersion) -> LayoutOut:
    submission, approval = submission_of_layout(session, row), approval_of_layout(session, row)
    withdrawal = withdrawal_of_layout(session, row)
    return LayoutOut(
        id=row.layout,
        version=row.version,
        title=row.title,
        recipient=row.recipient,
        product=row.product,
        sha256=row.sha256,
        imported_by=row.author,
        imported_at=row.imported_at,
        submitted_by=submission.submitted_by if submission else "",
        approved_by=approval.signature.person.user_id if approval else "",
        withdrawn_by=withdrawal.signature.person.user_id if withdrawal else "",
    )
