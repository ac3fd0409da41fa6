"""The register of certifications by qualified persons, for inspections."""

from typing import Annotated, ClassVar

from fastapi import Query, Request, Response
from pydantic import Field

from batchqc.api import annex16 as api
from batchqc.api.routes import Routes
from batchqc.api.shapes import Paging
from batchqc.web.addresses import Address
from batchqc.web.calls import Visit
from batchqc.web.rendering import page

router = Routes()


class AskedCertifications(Address):
    """What the address of the register asks for: a page of it."""

    path: ClassVar[str] = "/certifications"

    after: str = Field("", max_length=40)


@router.get("/certifications")
def certifications(
    request: Request, call: Visit, asked: Annotated[AskedCertifications, Query()]
) -> Response:
    """A page of the register, in the order of its numbers."""
    found = api.certifications(call, Paging(after=asked.after, limit=50))
    return page(
        request,
        "certifications.html",
        asked=asked,
        certifications=found.items,
        more=asked.but(after=found.next) if found.next else "",
    )


@router.get("/certifications.csv")
def certifications_csv(call: Visit) -> Response:
    """The whole register."""
    answer = api.certifications_csv(call)
    answer.headers["Content-Disposition"] = 'attachment; filename="certifications.csv"'
    return answer
