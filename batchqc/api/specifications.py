"""Specifications: import, approval, and what each criterion says."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.approval import approve_specification
from batchqc.actions.specifications import (
    content_of,
    import_specification,
    site_day,
    state_of,
    submit_specification,
    the_version,
    withdraw_specification,
)
from batchqc.actions.states import contested_version
from batchqc.api.bodies import RAW_TOML, Received
from batchqc.api.doors import Door, Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day
from batchqc.api.shapes import LARGEST, After, Limit, Page, id_and_version, not_next, page
from batchqc.api.tags import TAGGED, tagged
from batchqc.core.effectivity import State
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.core.subjects import Measured
from batchqc.errors import InvalidInput
from batchqc.records.specifications import SpecificationVersion, approval_of

router = Routes(PREFIX, tags=["specifications"], responses=PROBLEMS)

Version = Annotated[int, Path(ge=1, le=LARGEST)]


class VersionOut(BaseModel):
    """One version of a specification."""

    id: str
    version: int
    title: str
    product: str
    stage: str
    effective: date
    sha256: str = Field(description="Of the approved bytes, which are the record.")
    imported_by: str
    imported_at: datetime
    approved_by: str = Field(description="Empty while it waits.")
    market: str = Field(description="Where the lots go; empty for every market.")
    state: State


class CriterionOut(BaseModel):
    """One criterion, in words."""

    id: str
    title: str
    category: str
    test: str
    analyte: str
    method: str
    unit: str
    acceptance: str
    rounding: str
    is_required: bool


class SpecificationOut(VersionOut):
    """A version with its criteria."""

    decision_rule: str
    criteria: list[CriterionOut]


class Approving(Signature):
    """The signature of an approver, who has seen what the version would do to past lots."""

    impact: str = Field(description="SHA-256 of the newest impact report's data.")


class Withdrawing(Signature):
    """The signature of a withdrawal."""

    from_day: Day = Field(description="Lots made from this date on are not judged by it.")


@router.get("/specifications", summary="Every version of every specification")
def specifications(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[VersionOut]:
    """In the order of their import. `after` is `<id>/<version>`."""
    with call.reading() as session:
        return page(
            session,
            select(SpecificationVersion),
            SpecificationVersion,
            after=_named(session, after) if after else None,
            limit=limit,
            show=lambda one: VersionOut(**_facts(session, one, call.door.now())),
        )


@router.post(
    "/specifications",
    status_code=201,
    response_model=SpecificationOut,
    summary="Import a specification file",
    openapi_extra=RAW_TOML,
)
def add(call: Writing, file: Received) -> Response:
    """Copy a file into the system, where it waits for approval. All problems are told at once."""
    with call.writing(Permission.IMPORT_SPECIFICATION, file.sha256) as work:
        if work.is_new:
            if file.data is None:
                raise InvalidInput("BQC-API-006", f"a specification of {file.size:,} bytes")
            version = import_specification(
                work.tx, call.door.archive, data=file.data, file=file.name
            )
            work.answer(201, _whole(work.tx.session, call.door, version))
    return work.response()


@router.get(
    "/specifications/{specification}/{version}",
    response_model=SpecificationOut,
    responses=TAGGED,
    summary="One version",
)
def one(call: SignedIn, specification: str, version: Version) -> Response:
    """A version with every criterion in words."""
    of = contested_version(specification, version, call.door.now())
    with call.reading() as session:
        whole = _whole(session, call.door, the_version(session, specification, version))
        return tagged(call.if_none_match, session, of.state(session), whole)


@router.get(
    "/specifications/{specification}/{version}/file",
    summary="The approved bytes",
    response_class=Response,
    responses={200: {"content": {"application/toml": {}}}},
)
def file_of(call: SignedIn, specification: str, version: Version) -> Response:
    """The file, byte for byte as it was imported."""
    with call.reading() as session:
        data = call.door.archive.get(the_version(session, specification, version).sha256)
    return Response(data, media_type="application/toml")


@router.post(
    "/specifications/{specification}/{version}/approval",
    status_code=201,
    response_model=VersionOut,
    summary="Approve a version (signed)",
)
def approve(call: Writing, specification: str, version: Version, sent: Approving) -> Response:
    """Approve a version; who imported it may not."""
    of = contested_version(specification, version, call.door.now())
    with call.writing(Permission.APPROVE_SPECIFICATION, sent, of=of) as work:
        if work.is_new:
            signed = approve_specification(
                work.tx,
                call.door.archive,
                specification=specification,
                version=version,
                impact=sent.impact,
                credentials=sent.credentials,
            )
            work.answer(
                201,
                signed
                if isinstance(signed, Refusal)
                else VersionOut(
                    **_facts(work.tx.session, signed.specification_version, call.door.now())
                ),
            )
    return work.response()


@router.post(
    "/specifications/{specification}/{version}/submission",
    status_code=201,
    response_model=VersionOut,
    summary="Give a draft up for review",
)
def submit(call: Writing, specification: str, version: Version) -> Response:
    """Nothing doubtful may be left in it without a reason."""
    of = contested_version(specification, version, call.door.now())
    with call.writing(Permission.IMPORT_SPECIFICATION, None, of=of) as work:
        if work.is_new:
            submit_specification(
                work.tx, call.door.archive, specification=specification, version=version
            )
            row = the_version(work.tx.session, specification, version)
            work.answer(201, VersionOut(**_facts(work.tx.session, row, call.door.now())))
    return work.response()


@router.post(
    "/specifications/{specification}/{version}/withdrawal",
    status_code=201,
    response_model=VersionOut,
    summary="Withdraw an approved version (signed)",
)
def withdraw(call: Writing, specification: str, version: Version, sent: Withdrawing) -> Response:
    """Lots made before the day keep it."""
    of = contested_version(specification, version, call.door.now())
    with call.writing(Permission.APPROVE_SPECIFICATION, sent, of=of) as work:
        if work.is_new:
            signed = withdraw_specification(
                work.tx,
                specification=specification,
                version=version,
                from_day=sent.from_day,
                credentials=sent.credentials,
            )
            work.answer(
                201,
                signed
                if isinstance(signed, Refusal)
                else VersionOut(
                    **_facts(work.tx.session, signed.specification_version, call.door.now())
                ),
            )
    return work.response()


def _named(session: Session, name: str) -> SpecificationVersion:
    named = id_and_version(name)
    if named is None:
        raise not_next(name)
    return the_version(session, *named)


def _facts(session: Session, row: SpecificationVersion, now: datetime) -> dict[str, Any]:
    approval = approval_of(session, row)
    return {
        "id": row.specification,
        "version": row.version,
        "title": row.title,
        "product": row.product,
        "stage": row.stage,
        "effective": row.effective,
        "sha256": row.sha256,
        "imported_by": row.author,
        "imported_at": row.imported_at,
        "approved_by": approval.signature.name if approval else "",
        "market": row.market,
        "state": state_of(session, row, site_day(session, now)),
    }


def _whole(session: Session, door: Door, row: SpecificationVersion) -> SpecificationOut:
    specification = content_of(door.archive, row)
    criteria = []
    for criterion in specification.criteria:
        subject = criterion.subject if isinstance(criterion.subject, Measured) else None
        criteria.append(
            CriterionOut(
                id=criterion.id,
                title=criterion.title,
                category=criterion.category,
                test=subject.test if subject else "",
                analyte=subject.analyte if subject else "",
                method=criterion.method,
                unit=criterion.unit,
                acceptance=criterion.acceptance,
                rounding=criterion.rounding,
                is_required=criterion.required,
            )
        )
    return SpecificationOut(
        **_facts(session, row, door.now()),
        decision_rule=specification.decision_rule,
        criteria=criteria,
    )
