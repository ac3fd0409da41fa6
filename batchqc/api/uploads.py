"""Assay CSVs: one file in, whole or not at all, and its report."""

import json
from dataclasses import asdict, replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from batchqc.actions.annotations import annotated_file, chunks_of
from batchqc.actions.entries import is_shown
from batchqc.actions.uploads import (
    UploadReport,
    preview_upload,
    the_upload,
    upload_results,
)
from batchqc.api.bodies import RAW_CSV, Received, Stated
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS, problem
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import Page, Paging, page
from batchqc.api.upload_files import CSV_ANSWER, csv_answer
from batchqc.api.upload_seen import SeenOut, seen
from batchqc.core.entries import HIDDEN
from batchqc.core.permissions import Permission
from batchqc.errors import InvalidInput, NotPermitted
from batchqc.records.lists import UploadsWanted, uploads_wanted
from batchqc.records.uploads import Upload, runs_in

router = Routes(PREFIX, tags=["uploads"], responses=PROBLEMS)


class ProblemOut(BaseModel):
    """One problem of a file, with its place."""

    code: str = Field(examples=["E205"])
    severity: str = Field(description="`error` refuses the file, `warning` is shown.")
    row: int
    line: int
    column: str
    text: str
    message: str
    hint: str


class ReportOut(SeenOut):
    """What was read and what is wrong."""

    number: str = Field(examples=["U-2026-000123"])
    accepted: bool
    answered_before: bool = Field(description="The same bytes were accepted before: nothing new.")
    sha256: str
    rows_read: int
    results: int
    columns_used: list[str]
    columns_unused: list[str]
    assumed: list[str] = Field(description="What the file does not say and the plan does.")
    supersedes: list[str] = Field(description="Runs on record of which it has the next version.")
    problems: list[ProblemOut]


class UploadOut(BaseModel):
    """An upload on record."""

    number: str
    file: str
    sha256: str
    size: int
    accepted: bool
    rows: int
    uploaded_by: str
    received_at: datetime
    client: str
    contract: str
    profile: str = Field(description="By which it was read; blank is by a contract.")
    supersedes: str = Field(
        description="Why it supersedes runs on record; empty where it does not."
    )
    retest: str = Field(description="The investigation whose retests it holds, or empty.")
    typed: str = Field(description="`by hand` where a person typed it: see /results/manual.")


class UploadFilter(Paging):
    """Which uploads."""

    lot: str = Field(default="", description="With a run of this lot; a refused one has none.")
    state: Literal["accepted", "refused", ""] = ""
    person: str = Field(default="", description="The user id of who uploaded it.")


class UploadDetail(UploadOut):
    """An upload with its problems and the assay runs that came with it."""

    problems: list[ProblemOut]
    runs: list[str]


Retest = Annotated[
    str,
    Query(
        max_length=40,
        description="The investigation whose authorised retests this file holds.",
        examples=["OOS-2026-000001"],
    ),
]
Supersedes = Annotated[
    str | None,
    Query(
        max_length=500,
        description="Why this file supersedes runs that are on record; both versions are kept.",
    ),
]


_NAMES: Final = frozenset(
    {"file", "profile", "stated", "sample", "supersedes", "retest", "dry_run"}
)


def _claims(
    request: Request, supersedes: Supersedes = None, retest: Retest = ""
) -> tuple[str | None, str]:
    """What is claimed of a file; of a name that there is not, nobody knows what was meant by it."""
    if unknown := sorted(set(request.query_params) - _NAMES):
        raise InvalidInput(
            "BQC-API-001",
            "the request does not fit",
            hint="See /api/v1/docs for what the request holds.",
            reasons=[f"query.{name}: there is no such parameter" for name in unknown],
        )
    return supersedes, retest.strip()


Claims = Annotated[tuple[str | None, str], Depends(_claims)]


@router.post(
    "/uploads",
    status_code=201,
    response_model=ReportOut,
    summary="Upload an assay CSV, or preview it",
    openapi_extra=RAW_CSV,
    responses={
        200: {"model": ReportOut, "description": "A preview, or accepted before"} | CSV_ANSWER
    },
)
def add(
    call: Writing,
    file: Received,
    stated: Stated,
    claims: Claims,
    dry_run: Annotated[bool, Query(description="Only say what would be read.")] = False,  # noqa: FBT002 - it stands in the address by its name
    accept: Annotated[
        str, Header(description="`text/csv` answers a preview with the annotated file.")
    ] = "",
) -> Response:
    """201 accepted; 200 for a preview or for bytes that came before; 422 refused, with the report.

    A refused file leaves its bytes, its record and its audit entry, and nothing else.
    """
    door = call.door
    file = replace(stated.beside(file), supersedes=claims[0], retest=claims[1])
    if dry_run:
        call.person.acting(Permission.UPLOAD_RESULTS)
        with call.reading() as session:
            report = preview_upload(session, door.archive, file=file, now=door.now())
            if accept.partition(";")[0].strip().lower() == "text/csv":
                data = annotated_file(session, door.archive, file, report)
                return csv_answer(data, "annotated.csv")
        return Response(report_out(report).model_dump_json(), media_type="application/json")
    refused = None
    request = [file.sha256 or str(file.size), file.profile, *stated.stated, *stated.samples]
    with call.writing(Permission.UPLOAD_RESULTS, "\n".join(request)) as work:
        if work.is_new:
            report = upload_results(work.tx, door.archive, file=file)
            refused = None if report.accepted else report_out(report)
            work.answer(200 if report.answered_before else 201, report_out(report))
            work.keep = report.accepted
    return work.response() if refused is None else refused_upload(file.name, refused)


@router.get("/uploads", summary="Uploads")
def uploads(call: SignedIn, wanted: Annotated[UploadFilter, Query()]) -> Page[UploadOut]:
    """Those that every given filter lets through, in the order in which they came."""
    accepted = None if not wanted.state else wanted.state == "accepted"
    query = uploads_wanted(UploadsWanted(wanted.lot, accepted, wanted.person))
    with call.reading() as session:
        start = the_upload(session, wanted.after) if wanted.after else None
        return page(
            session, query, Upload, after=start, limit=wanted.limit,
            show=lambda one: UploadOut(**_facts(one)),
        )  # fmt: skip


@router.get("/uploads/{number}", summary="One upload with its problems and runs")
def one(call: SignedIn, number: str) -> UploadDetail:
    """What was said of the file when it came; of a typed result, once it may be seen."""
    with call.reading() as session:
        upload = the_upload(session, number)
        return UploadDetail(
            **_facts(upload),
            problems=[ProblemOut(**one) for one in json.loads(upload.problems)]
            if is_shown(session, upload, call.person.user_id)
            else [],
            runs=_runs(session, upload),
        )


@router.get(
    "/uploads/{number}/file",
    summary="The file, byte for byte",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def file_of(call: SignedIn, number: str) -> Response:
    """The bytes as they came, checked against their hash."""
    with call.reading() as session:
        upload = the_upload(session, number)
        if not is_shown(session, upload, call.person.user_id):
            raise NotPermitted("BQC-ENT-011", f"{upload.natural_key} is {HIDDEN}")
        chunks = chunks_of(call.door.archive, upload)
    headers = {"X-Content-Type-Options": "nosniff"}
    return StreamingResponse(chunks, media_type="application/octet-stream", headers=headers)


def refused_upload(name: str, report: ReportOut) -> Response:
    """The answer where a file is refused: a problem with every problem of the file."""
    return problem(
        422,
        "BQC-UPL-001",
        "The file is refused",
        f"{name} is refused; nothing of it is used",
        hint="Mend every cell that is named and upload the file again.",
        reasons=tuple(
            f"row {one.row}, {one.column or 'the file'}: {one.code} {one.message}"
            for one in report.problems
            if one.severity == "error"
        ),
        report=report.model_dump(mode="json"),
    )


def report_out(report: UploadReport) -> ReportOut:
    """What became of a file, as it is answered."""
    read = report.reading
    return ReportOut(
        number=report.number,
        accepted=report.accepted,
        answered_before=report.answered_before,
        sha256=report.sha256,
        rows_read=read.rows_read,
        results=len(read.measurements),
        columns_used=list(read.columns_used),
        columns_unused=list(read.columns_unused),
        assumed=list(read.assumed),
        supersedes=list(read.supersedes),
        problems=[ProblemOut(**asdict(one)) for one in read.problems],
        **dict(seen(read, report.outlook)),
    )


def _facts(row: Upload) -> dict[str, Any]:
    return {
        "number": row.natural_key,
        "file": row.file,
        "sha256": row.sha256,
        "size": row.size,
        "accepted": bool(row.accepted),
        "rows": row.rows,
        "uploaded_by": row.uploaded_by,
        "received_at": row.received_at,
        "client": row.client,
        "contract": row.contract,
        "profile": row.profile,
        "supersedes": row.supersedes,
        "retest": row.retest,
        "typed": row.typed,
    }


def _runs(session: Session, upload: Upload) -> list[str]:
    return [f"{run.run_key} for lot {run.lot.lot}" for run in runs_in(session, upload)]
