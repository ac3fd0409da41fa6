"""The only place where an error becomes an HTTP status (RFC 9457, ``application/problem+json``)."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from batchqc.api.lengths import TooLong
from batchqc.api.logs import note_told
from batchqc.api.watching import note_refusal, request_id
from batchqc.errors import (
    BatchqcError,
    ClockDoubtful,
    Conflict,
    Disposed,
    IntegrityFailure,
    InvalidInput,
    NotEstimable,
    NotFound,
    NotPermitted,
    NotSignedIn,
    Outdated,
    ScannerUnavailable,
    SignatureRefused,
    SigningUnavailable,
    StoreUnavailable,
)

MEDIA_TYPE: Final = "application/problem+json"
_LOG: Final = logging.getLogger("batchqc.api")
_STATUS: Final[tuple[tuple[type[BatchqcError], int, str], ...]] = (
    (InvalidInput, 422, "The request is wrong"),
    (NotEstimable, 422, "These data do not allow it"),
    (NotSignedIn, 401, "Nobody is signed in"),
    (NotPermitted, 403, "Not permitted"),
    (SignatureRefused, 403, "The signature was refused"),
    (NotFound, 404, "There is no such record"),
    (Outdated, 412, "The record has changed since"),
    (Conflict, 409, "The record is in a state that forbids it"),
    (SigningUnavailable, 503, "The seal cannot be used now"),
    (StoreUnavailable, 503, "The store cannot be used now"),
    (ScannerUnavailable, 503, "The file cannot be scanned now"),
    (ClockDoubtful, 503, "The clock cannot be believed now"),
    (Disposed, 410, "The file was disposed of"),
    (IntegrityFailure, 500, "Records contradict each other"),
)


class Problem(BaseModel):
    """What went wrong, and what to do about it."""

    type: str = Field(description="Where the code is explained.")
    title: str
    status: int
    code: str = Field(description="Stable; see the guide.", examples=["BQC-REL-001"])
    detail: str
    hint: str = Field(default="", description="What to do about it.")
    reasons: list[str] = Field(default=[], description="Every reason, where there are several.")
    request: str = Field(
        default="",
        description="Of this request, as in X-Request-ID; the system owner's log has it.",
    )


PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": title, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
    for status, title in (
        *((status, title) for _, status, title in _STATUS if status not in {500, 503}),
        (400, "The body cannot be read as text"),
        (408, "The body came too slowly"),
        (413, "The body is too large"),
        (500, "Records contradict each other, or something unforeseen happened"),
        (503, "A key, the seal or the store cannot be used now"),
    )
}


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    hint: str = "",
    reasons: tuple[str, ...] = (),
    **more: Any,
) -> Response:
    """An answer that tells a problem."""
    note_refusal(code)
    body = Problem(
        type=f"/api/v1/docs#{code}",
        title=title,
        status=status,
        code=code,
        detail=detail,
        hint=hint,
        reasons=list(reasons),
        request=request_id(),
    ).model_dump()
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({**body, **more}, status, headers, media_type=MEDIA_TYPE)


def status_of(error: BatchqcError) -> tuple[int, str]:
    """The status of an error, and what it is called."""
    return next((status, title) for kind, status, title in _STATUS if isinstance(error, kind))


def handle_errors(app: FastAPI) -> None:
    """Make every error of ``app`` a problem."""
    app.add_exception_handler(BatchqcError, _deliberate)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(TooLong, _too_long)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


async def _deliberate(_: Request, error: Exception) -> Response:
    if not isinstance(error, BatchqcError):
        raise error
    status, title = status_of(error)
    return problem(status, error.code, title, error.message, hint=error.hint, reasons=error.reasons)


async def _invalid(_: Request, error: Exception) -> Response:
    """Every problem of the request by its place; what was sent is not repeated."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    return _unfit(f"{'.'.join(map(str, one['loc']))}: {_said(one)}" for one in found)


async def _too_long(_: Request, error: Exception) -> Response:
    """The same of texts that are too long."""
    found = error.found if isinstance(error, TooLong) else ()
    return _unfit(f"{'.'.join(map(str, ('body', *one.place)))}: {one}" for one in found)


def _unfit(reasons: Iterable[str]) -> Response:
    return problem(
        422, "BQC-API-001", "The request is wrong", "the request does not fit",
        reasons=tuple(reasons), hint="See /api/v1/docs for what the request holds.",
    )  # fmt: skip


def _said(one: Mapping[str, Any]) -> str:
    """What is wrong; of a body that cannot be read as JSON, why."""
    about = one.get("ctx", {}).get("error") if one["type"] == "json_invalid" else None
    return f"{one['msg']}: {about}" if about else str(one["msg"])


async def _of_http(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    answer = problem(status, "BQC-API-002", "The request cannot be answered", detail)
    if isinstance(error, HTTPException):
        answer.headers.update(error.headers or {})  # such as Allow, which a 405 must carry
    return answer


async def _gone(_: Request, __: Exception) -> Response:
    """Who left before all of it had come hears nothing; it is nothing unforeseen."""
    said = "the connection ended before the body had come"
    return problem(400, "BQC-API-002", "The request cannot be answered", said)


async def _unexpected(_: Request, error: Exception) -> Response:
    """What nobody foresaw: logged here, told without its inside.

    A connection that breaks during a commit leaves open whether it was done: so nothing is claimed.
    """
    _LOG.exception("unexpected", exc_info=error)
    note_told(error)
    return problem(
        500, "BQC-API-003", "Something unforeseen happened", "the request was not answered",
        hint="Look at the record before you send it again, and tell the system owner the request.",
    )  # fmt: skip
