"""Profiles: how an instrument's files are read; imported by one person, approved by another."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, Field
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from batchqc.actions.profiles import (
    approve_profile,
    import_profile,
    profile_content,
    the_profile,
)
from batchqc.actions.states import contested_profile
from batchqc.api.bodies import RAW_TOML, Received
from batchqc.api.doors import Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import After, Limit, Page, id_and_version, page, row_of
from batchqc.api.tags import TAGGED, tagged
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.errors import InvalidInput
from batchqc.records.profiles import ProfileVersion, approval_of_profile

router = Routes(PREFIX, tags=["profiles"], responses=PROBLEMS)

Version = Annotated[int, Path(ge=1, le=1_000_000)]


class ProfileOut(BaseModel):
    """A profile version and whether files can be read by it."""

    id: str = Field(examples=["VI-CELL-BLU"])
    version: int
    title: str
    sha256: str
    imported_by: str
    imported_at: datetime
    approved_by: str = Field(description="Blank while it waits for its approval.")


class ProfileDetail(ProfileOut):
    """A profile version with what it asks for."""

    layout: str
    asks: list[str] = Field(description="What has to be stated with each upload.")


@router.get("/profiles", summary="Every version of every profile")
def profiles(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[ProfileOut]:
    """In the order of their import."""
    with call.reading() as session:
        return page(
            session,
            select(ProfileVersion),
            ProfileVersion,
            after=row_of(session, _named(after), after) if after else None,
            limit=limit,
            show=lambda one: _shown(session, one),
        )


@router.post(
    "/profiles",
    status_code=201,
    response_model=ProfileOut,
    summary="Import a profile file",
    openapi_extra=RAW_TOML,
)
def add(call: Writing, file: Received) -> Response:
    """Copy a file into the system, where it waits for approval. All problems are told at once."""
    with call.writing(Permission.IMPORT_PROFILE, file.sha256) as work:
        if work.is_new:
            if file.data is None:
                raise InvalidInput("BQC-API-006", f"a profile of {file.size:,} bytes")
            row = import_profile(work.tx, call.door.archive, data=file.data, file=file.name)
            work.answer(201, _shown(work.tx.session, row))
    return work.response()


@router.get(
    "/profiles/{profile}/{version}",
    response_model=ProfileDetail,
    responses=TAGGED,
    summary="One version",
)
def one(call: SignedIn, profile: str, version: Version) -> Response:
    """A version, and what who uploads has to state."""
    with call.reading() as session:
        row = the_profile(session, profile, version)
        content = profile_content(call.door.archive, row)
        detail = ProfileDetail(
            **_shown(session, row).model_dump(), layout=content.layout, asks=list(content.asked)
        )
        state = contested_profile(profile, version).state(session)
        return tagged(call.if_none_match, session, state, detail)


@router.get(
    "/profiles/{profile}/{version}/file",
    summary="The approved bytes",
    response_class=Response,
    responses={200: {"content": {"application/toml": {}}}},
)
def file_of(call: SignedIn, profile: str, version: Version) -> Response:
    """The file, byte for byte as it was imported."""
    with call.reading() as session:
        data = call.door.archive.get(the_profile(session, profile, version).sha256)
    return Response(data, media_type="application/toml")


@router.post(
    "/profiles/{profile}/{version}/approval",
    status_code=201,
    response_model=ProfileOut,
    summary="Approve a version (signed)",
)
def approve(call: Writing, profile: str, version: Version, sent: Signature) -> Response:
    """Approve a version; who imported it may not."""
    of = contested_profile(profile, version)
    with call.writing(Permission.APPROVE_PROFILE, sent, of=of) as work:
        if work.is_new:
            signed = approve_profile(
                work.tx, profile=profile, version=version, credentials=sent.credentials
            )
            work.answer(
                201,
                signed
                if isinstance(signed, Refusal)
                else _shown(work.tx.session, signed.profile_version),
            )
    return work.response()


def _named(name: str) -> Select[ProfileVersion]:
    profile, version = id_and_version(name) or ("", 0)
    return select(ProfileVersion).where(
        ProfileVersion.profile == profile, ProfileVersion.version == version
    )


def _shown(session: Session, row: ProfileVersion) -> ProfileOut:
    approval = approval_of_profile(session, row)
    return ProfileOut(
        id=row.profile,
        version=row.version,
        title=row.title,
        sha256=row.sha256,
        imported_by=row.author,
        imported_at=row.imported_at,
        approved_by=approval.signature.person.user_id if approval else "",
    )
