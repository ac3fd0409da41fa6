"""Donor panels: which tests of a donation are asked for, imported and approved."""

from datetime import date, datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.donor_panels import approve_panel, import_panel, panel_content, the_panel
from batchqc.api.bodies import RAW_TOML, Received
from batchqc.api.doors import Door, Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import LARGEST, After, Limit, Page, id_and_version, page
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.errors import InvalidInput
from batchqc.records.donor_panels import PanelVersion, panel_approval_of

router = Routes(PREFIX, tags=["donors"], responses=PROBLEMS)

Version = Annotated[int, Path(ge=1, le=LARGEST)]


class PanelOut(BaseModel):
    """One version of a panel."""

    id: str
    version: int
    title: str
    jurisdiction: str
    markets: list[str]
    effective: date
    sha256: str = Field(description="Of the bytes, which are the record.")
    imported_by: str
    imported_at: datetime
    approved_by: str = Field(description="Empty while it waits: it decides nothing then.")


class WholePanel(PanelOut):
    """A version with what it asks for."""

    markers: list[str]
    recalled: list[str] = Field(description="Rules whose source nobody has read.")
    sources: list[str]


@router.get("/donor-panels", summary="Every version of every donor panel")
def panels(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[PanelOut]:
    """In the order of their import. `after` is `<id>/<version>`."""
    with call.reading() as session:
        named = id_and_version(after)
        return page(
            session,
            select(PanelVersion),
            PanelVersion,
            after=the_panel(session, *(named or (after, 0))) if after else None,
            limit=limit,
            show=lambda one: _facts(session, one),
        )


@router.post(
    "/donor-panels",
    status_code=201,
    response_model=WholePanel,
    summary="Import a panel file",
    openapi_extra=RAW_TOML,
)
def add(call: Writing, file: Received) -> Response:
    """Copy a file into the system, where it waits for approval. All problems are told at once."""
    with call.writing(Permission.IMPORT_PANEL, file.sha256) as work:
        if work.is_new:
            if file.data is None:
                raise InvalidInput("BQC-API-006", f"a donor panel of {file.size:,} bytes")
            row = import_panel(work.tx, call.door.archive, data=file.data, file=file.name)
            work.answer(201, _whole(work.tx.session, call.door, row))
    return work.response()


@router.get("/donor-panels/{panel}/{version}", summary="One version")
def panel(call: SignedIn, panel: str, version: Version) -> WholePanel:
    """A version with every marker that it asks for."""
    with call.reading() as session:
        return _whole(session, call.door, the_panel(session, panel, version))


@router.post(
    "/donor-panels/{panel}/{version}/approval",
    status_code=201,
    response_model=PanelOut,
    summary="Approve a version (signed)",
)
def approve(call: Writing, panel: str, version: Version, sent: Signature) -> Response:
    """Approve a version; who imported it may not."""
    with call.writing(Permission.APPROVE_PANEL, sent) as work:
        if work.is_new:
            signed = approve_panel(
                work.tx, panel=panel, version=version, credentials=sent.credentials
            )
            work.answer(
                201,
                signed
                if isinstance(signed, Refusal)
                else _facts(work.tx.session, signed.panel_version),
            )
    return work.response()


def _facts(session: Session, row: PanelVersion) -> PanelOut:
    approval = panel_approval_of(session, row)
    return PanelOut(
        id=row.panel,
        version=row.version,
        title=row.title,
        jurisdiction=row.jurisdiction,
        markets=row.markets.splitlines(),
        effective=date.fromisoformat(row.effective),
        sha256=row.sha256,
        imported_by=row.author,
        imported_at=row.imported_at,
        approved_by=approval.signature.name if approval else "",
    )


def _whole(session: Session, door: Door, row: PanelVersion) -> WholePanel:
    found = panel_content(door.archive, row)
    return WholePanel(
        **_facts(session, row).model_dump(),
        markers=[one.marker for one in found.markers],
        recalled=list(found.recalled),
        sources=list(found.sources),
    )
