"""Uploads on record: the list, filtered and paged by its address, and the page of each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, ClassVar, Final, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from batchqc.actions.setup import own_site
from batchqc.actions.times import moments
from batchqc.actions.uploads import the_upload
from batchqc.api import entries, upload_files
from batchqc.api import uploads as api
from batchqc.api.routes import Routes
from batchqc.api.shapes import Whole
from batchqc.api.upload_files import csv_answer
from batchqc.core.permissions import Permission, is_permitted
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.lists import UploadsWanted
from batchqc.records.upload_lines import (
    SoughtUploads,
    count_uploads_up_to,
    lots_of_uploads,
    upload_lines,
)
from batchqc.records.uploads import upload_number
from batchqc.web.addresses import BLANK_IS_NONE, Address, Recency
from batchqc.web.calls import Visit
from batchqc.web.rendering import page
from batchqc.web.upload_page import upload_content
from batchqc.web.upload_seen import View

router = Routes()

_COUNTED: Final = 1000
_AT_ONCE: Final = 500
_LOTS_SHOWN: Final = 3
_COLUMNS: Final = (
    "upload", "state", "file", "sha256", "size", "rows", "lots", "uploaded_by", "received_at",
    "read_by",
)  # fmt: skip


class Asked(Address):
    """What the address of the list asks for."""

    path: ClassVar[str] = "/uploads"

    text: str = Field("", max_length=200)
    lot: str = Field("", max_length=100)
    person: str = Field("", max_length=100)
    state: Literal["accepted", "refused", ""] = ""
    since: Annotated[date | None, BLANK_IS_NONE] = None
    until: Annotated[date | None, BLANK_IS_NONE] = None
    order: Recency = "newest"
    after: str = Field("", max_length=40)

    @property
    def is_filtered(self) -> bool:
        """Whether it asks for some only."""
        return bool(self.model_dump(exclude={"order", "after"}, exclude_defaults=True))

    def sought(self, session: Session, limit: int) -> SoughtUploads:
        """As a query takes it; days are those of the site."""
        zone = ZoneInfo(own_site(session).time_zone)
        since, until = moments(self.since, self.until, zone)
        accepted = None if not self.state else self.state == "accepted"
        return SoughtUploads(
            UploadsWanted(self.lot.strip(), accepted, self.person.strip()),
            self.text,
            since=since,
            until=until,
            after=the_upload(session, self.after).id if self.after else None,
            limit=limit,
            oldest_first=self.order == "oldest",
        )


@dataclass(frozen=True, slots=True)
class UploadLine:
    """One upload of the list."""

    number: str
    row: Any
    lots: tuple[str, ...]

    @property
    def read_by(self) -> str:
        """The profile, else the contract, by which it was read."""
        row = self.row
        return str(row.typed or (f"profile {row.profile}" if row.profile else row.contract))

    @property
    def lots_more(self) -> int:
        """How many lots are not named in the list."""
        return max(0, len(self.lots) - _LOTS_SHOWN)


@router.get("/uploads")
def uploads(request: Request, call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """A page of uploads; the address is the state."""
    with call.reading() as session:
        sought = asked.sought(session, 50)
        found, last = _lines(session, sought)
        total = count_uploads_up_to(session, sought, _COUNTED + 1)
    return page(
        request,
        "uploads.html",
        asked=asked,
        uploads=found,
        more=asked.but(after=found[-1].number) if last is not None else "",
        total=total,
        counted=_COUNTED,
        shown=_LOTS_SHOWN,
        may_upload=is_permitted(call.person.roles, Permission.UPLOAD_RESULTS),
    )


@router.get("/uploads.csv")
def uploads_csv(call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """Every upload of the list, not only one page of it."""
    with call.reading() as session:
        first = asked.model_copy(update={"after": ""}).sought(session, _AT_ONCE)
        rows = [_COLUMNS, *map(_cells, _all(session, first))]
    return csv_answer(csv_bytes(rows), "uploads.csv")


@router.get("/uploads/{number}")
def one(request: Request, call: Visit, number: str, view: Annotated[View, Query()]) -> Response:
    """What was read of an upload, by whom, what became of it, and what followed."""
    with call.reading() as session:
        upload = the_upload(session, number)
        content = upload_content(session, call, upload, view)
        return page(request, "upload.html", did=view.did, **content)


@router.get("/uploads/{number}/file")
def file_of(call: Visit, number: str) -> Response:
    """The file, byte for byte as it was received."""
    answer = api.file_of(call, number)
    with call.reading() as session:
        upload = the_upload(session, number)
        name = quote(f"{upload.natural_key}_{upload.file}", safe="")
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return answer


@router.get("/uploads/{number}/annotated.csv")
def annotated(call: Visit, number: str) -> Response:
    """The rows of the file with what was wrong with each."""
    return upload_files.annotated(call, number)


@router.get("/uploads/{number}/documents/{position}")
def document(call: Visit, number: str, position: Whole) -> Response:
    """A document of a typed result."""
    return entries.attachment(call, number, position)


def _lines(session: Session, sought: SoughtUploads) -> tuple[list[UploadLine], int | None]:
    """A page, and the surrogate id of its last line where there are more."""
    found = upload_lines(session, sought)
    rows = found[: sought.limit]
    lots = lots_of_uploads(session, [row.id for row in rows])
    lines = [UploadLine(upload_number(r.year, r.number), r, lots.get(r.id, ())) for r in rows]
    return lines, rows[-1].id if len(found) > sought.limit else None


def _all(session: Session, sought: SoughtUploads) -> Iterator[UploadLine]:
    last: int | None = None
    while True:
        found, last = _lines(session, replace(sought, after=last))
        yield from found
        if last is None:
            return


def _cells(one: UploadLine) -> tuple[str, ...]:
    row = one.row
    return (
        one.number, "accepted" if row.accepted else "refused", row.file, row.sha256, str(row.size),
        str(row.rows), "; ".join(one.lots), row.uploaded_by, row.received_at.isoformat(),
        one.read_by,
    )  # fmt: skip
