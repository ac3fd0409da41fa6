"""The archive of certificates: searched, ordered and paged by its address, and the same as CSV."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, ClassVar, Final

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.certificate_index import (
    Standing,
    Wanted,
    count_certificates,
    find_certificates,
)
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.lot_states import Disposition
from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.records.certificate_search import Hit
from batchqc.records.registers import Product
from batchqc.web.addresses import BLANK_IS_NONE, Address, Recency
from batchqc.web.calls import Visit
from batchqc.web.forms import NOTHING_SAID, said
from batchqc.web.rendering import page

router = Routes()

_SHOWN: Final = 50
_COUNTED: Final = 1000
_AT_ONCE: Final = 500
#: Filters that are folded away until they are used.
_FURTHER: Final = ("donor", "disposition", "analyte", "signer", "since", "until")
_COLUMNS: Final = (
    "certificate", "lot", "product", "disposition", "numbered_at", "status", "superseded_by",
    "withdrawn", "supersedes", "content_sha256", "document_sha256",
)  # fmt: skip

_Text = Annotated[str, Field(max_length=200)]


class Asked(Address):
    """What the address asks for."""

    path: ClassVar[str] = "/certificates"

    text: _Text = ""
    lot: _Text = ""
    product: _Text = ""
    status: Standing = ""
    donor: _Text = ""
    disposition: _Text = ""
    analyte: _Text = ""
    signer: _Text = ""
    since: Annotated[date | None, BLANK_IS_NONE] = None
    until: Annotated[date | None, BLANK_IS_NONE] = None
    order: Recency = "newest"
    after: _Text = ""

    @property
    def wanted(self) -> Wanted:
        """As the search takes it, without blanks around what was typed."""
        given: dict[str, Any] = self.model_dump(exclude={"order", "after"})
        trimmed: dict[str, Any] = {
            name: one.strip() if isinstance(one, str) else one for name, one in given.items()
        }
        return Wanted(**trimmed, newest_first=self.order == "newest")

    @property
    def is_filtered(self) -> bool:
        """Whether it asks for some only."""
        return bool(self.model_dump(exclude={"order", "after"}, exclude_defaults=True))

    @property
    def is_further(self) -> bool:
        """Whether it uses what is folded away."""
        return any(getattr(self, name) for name in _FURTHER)


@router.get("/certificates")
def certificates(request: Request, call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """A page of the archive; the address is the state."""
    told, found, total = NOTHING_SAID, list[Hit](), 0
    with call.reading() as session:
        try:
            found = _found(session, asked, after=asked.after, limit=_SHOWN + 1)
            total = count_certificates(session, asked.wanted, most=_COUNTED + 1)
        except (InvalidInput, Conflict, NotFound) as error:
            told = said(error)
        products = session.scalars(select(Product.code).order_by(Product.code)).all()
    more = found[_SHOWN - 1].number if len(found) > _SHOWN else ""
    return page(
        request,
        "certificates.html",
        status=told.status,
        **told.content,
        asked=asked,
        found=found[:_SHOWN],
        more=asked.but(after=more) if more else "",
        total=total,
        counted=_COUNTED,
        products=products,
        dispositions=list(Disposition),
    )


@router.get("/certificates.csv")
def certificates_csv(call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """Every certificate of the search, not only one page of it."""
    with call.reading() as session:
        rows = [_cells(one) for one in _all(session, asked)]
    return csv_answer(csv_bytes([_COLUMNS, *rows]), "certificates.csv")


def _found(session: Session, asked: Asked, *, after: str, limit: int) -> list[Hit]:
    return find_certificates(session, asked.wanted, after=after, limit=limit)


def _all(session: Session, asked: Asked) -> Iterator[Hit]:
    after = ""
    while some := _found(session, asked, after=after, limit=_AT_ONCE):
        yield from some
        after = some[-1].number


def _cells(one: Hit) -> tuple[str, ...]:
    return (
        one.number, one.lot, one.product, one.disposition, one.reserved_at.isoformat(),
        one.status, one.superseded_by, one.withdrawn, one.supersedes, one.content_sha,
        one.document_sha,
    )  # fmt: skip
