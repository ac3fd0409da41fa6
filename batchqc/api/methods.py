"""Methods: what must hold in a run, imported and approved, and the runs by each."""

from datetime import date, datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.methods import approve_method, import_method, method_content, the_method
from batchqc.actions.run_validity import count_runs
from batchqc.actions.states import contested_method
from batchqc.api.bodies import RAW_TOML, Received
from batchqc.api.doors import Door, Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import After, Limit, Page, page
from batchqc.api.tags import TAGGED, tagged
from batchqc.core.permissions import Permission
from batchqc.core.runs import Validity
from batchqc.core.signatures import Refusal
from batchqc.errors import InvalidInput
from batchqc.records.methods import MethodVersion, method_approval_of

router = Routes(PREFIX, tags=["methods"], responses=PROBLEMS)

Version = Annotated[str, Path(max_length=20)]


class MethodOut(BaseModel):
    """One version of a method."""

    id: str
    version: str
    title: str
    effective: date
    sha256: str = Field(description="Of the bytes, which are the record.")
    imported_by: str
    imported_at: datetime
    approved_by: str = Field(description="Empty while it waits.")


class ValidityOut(BaseModel):
    """What must hold in a run."""

    id: str
    result_type: str
    analyte: str
    aliquot: str
    acceptance: str
    is_required: bool


class WholeMethod(MethodOut):
    """A version with its validity criteria."""

    validity: list[ValidityOut]


class RunOut(BaseModel):
    """A run that is not valid, and why."""

    upload: str
    test: str
    run: str
    validity: Validity
    methods: list[str]
    reasons: list[str]


class RunsOut(BaseModel):
    """The runs of one method."""

    method: str
    runs: int
    invalid: int
    not_known: int
    not_valid: list[RunOut]


@router.get("/methods", summary="Every version of every method")
def methods(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[MethodOut]:
    """In the order of their import. `after` is `<id>/<version>`."""
    with call.reading() as session:
        code, _, version = after.rpartition("/")
        return page(
            session,
            select(MethodVersion),
            MethodVersion,
            after=the_method(session, code, version) if after else None,
            limit=limit,
            show=lambda one: _facts(session, one),
        )


@router.post(
    "/methods",
    status_code=201,
    response_model=WholeMethod,
    summary="Import a method file",
    openapi_extra=RAW_TOML,
)
def add(call: Writing, file: Received) -> Response:
    """Copy a file into the system, where it waits for approval. All problems are told at once."""
    with call.writing(Permission.IMPORT_METHOD, file.sha256) as work:
        if work.is_new:
            if file.data is None:
                raise InvalidInput("BQC-API-006", f"a method of {file.size:,} bytes")
            row = import_method(work.tx, call.door.archive, data=file.data, file=file.name)
            work.answer(201, _whole(work.tx.session, call.door, row))
    return work.response()


@router.get("/method-runs", summary="Runs by method, and those that are not valid")
def runs(call: SignedIn) -> list[RunsOut]:
    """Every method with an approved version."""
    with call.reading() as session:
        found = count_runs(session, call.door.archive)
    return [
        RunsOut(
            method=one.method,
            runs=one.runs,
            invalid=one.invalid,
            not_known=one.not_known,
            not_valid=[
                RunOut(
                    upload=run.run.upload,
                    test=run.run.test,
                    run=run.run.run,
                    validity=run.validity,
                    methods=[reference for reference, _ in run.methods],
                    reasons=list(run.reasons),
                )
                for run in one.not_valid
            ],
        )
        for one in found
    ]


@router.get(
    "/methods/{method:path}/{version}",
    response_model=WholeMethod,
    responses=TAGGED,
    summary="One version",
)
def method(call: SignedIn, method: str, version: Version) -> Response:
    """A version with every validity criterion in words."""
    with call.reading() as session:
        whole = _whole(session, call.door, the_method(session, method, version))
        state = contested_method(method, version).state(session)
        return tagged(call.if_none_match, session, state, whole)


@router.post(
    "/methods/{method:path}/{version}/approval",
    status_code=201,
    response_model=MethodOut,
    summary="Approve a version (signed)",
)
def approve(call: Writing, method: str, version: Version, sent: Signature) -> Response:
    """Approve a version; who imported it may not."""
    of = contested_method(method, version)
    with call.writing(Permission.APPROVE_METHOD, sent, of=of) as work:
        if work.is_new:
            signed = approve_method(
                work.tx, method=method, version=version, credentials=sent.credentials
            )
            work.answer(
                201,
                signed
                if isinstance(signed, Refusal)
                else _facts(work.tx.session, signed.method_version),
            )
    return work.response()


def _facts(session: Session, row: MethodVersion) -> MethodOut:
    approval = method_approval_of(session, row)
    return MethodOut(
        id=row.method,
        version=row.version,
        title=row.title,
        effective=date.fromisoformat(row.effective),
        sha256=row.sha256,
        imported_by=row.author,
        imported_at=row.imported_at,
        approved_by=approval.signature.name if approval else "",
    )


def _whole(session: Session, door: Door, row: MethodVersion) -> WholeMethod:
    return WholeMethod(
        **_facts(session, row).model_dump(),
        validity=[
            ValidityOut(
                id=one.id,
                result_type=one.result_type,
                analyte=one.analyte,
                aliquot=one.aliquot,
                acceptance=one.acceptance,
                is_required=one.required,
            )
            for one in method_content(door.archive, row).validity
        ],
    )
