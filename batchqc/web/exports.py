"""The auditor's bundle: what it would hold, the bundle itself, and every one that was ever made.

It is made as a job, of the checkpoint that was counted, and is on record before its first byte.
What was asked for stands in the address.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar, Final

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.export_plan import Asked as Wanted
from batchqc.actions.export_plan import wanted_by
from batchqc.actions.exports import EXPORTED
from batchqc.actions.log_proofs import the_checkpoint
from batchqc.api import jobs as api
from batchqc.api.doors import Call
from batchqc.api.exports import ExportAsked
from batchqc.api.routes import Routes
from batchqc.api.shapes import LARGEST
from batchqc.api.upload_files import csv_answer
from batchqc.core.permissions import Permission, is_permitted
from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import BatchqcError
from batchqc.records.audit import the_head
from batchqc.records.exports import counts_wanted, exports_behind
from batchqc.records.log import CheckpointRow
from batchqc.records.registers import Product
from batchqc.web.addresses import BLANK_IS_NONE, Address, Recency
from batchqc.web.calls import OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, said
from batchqc.web.jobs import led_to
from batchqc.web.rendering import page

router = Routes()

_SHOWN: Final = 50
_AT_ONCE: Final = 1000
_COLUMNS: Final = (
    "at", "who", "role", "product", "lots", "since", "until", "entries", "lots_in_it",
    "certificates", "issued", "uploads", "listing_sha256",
)  # fmt: skip


class Asked(Address):
    """What the address asks for: lots stand side by side, with blanks or commas between them."""

    path: ClassVar[str] = "/exports/new"

    product: Annotated[str, Field(max_length=200)] = ""
    lots: Annotated[str, Field(max_length=20_000)] = ""
    since: Annotated[date | None, BLANK_IS_NONE] = None
    until: Annotated[date | None, BLANK_IS_NONE] = None

    @property
    def ids(self) -> tuple[str, ...]:
        """The lots, each once."""
        return tuple(dict.fromkeys(self.lots.replace(",", " ").split()))

    @property
    def wanted(self) -> Wanted:
        """As a bundle takes it."""
        return Wanted(self.product.strip(), self.ids, self.since, self.until)


class Listed(Address):
    """In which order, and which page of the list of exports."""

    path: ClassVar[str] = "/exports"

    order: Recency = "newest"
    after: int = Field(0, ge=0, le=LARGEST)


@dataclass(frozen=True, slots=True)
class Exported:
    """An export on record: who, when, what was asked for, how much was in it."""

    sequence: int
    at: Any
    who: str
    role: str
    asked: Mapping[str, Any]
    counts: Mapping[str, int]
    entries: int
    listing: str


@dataclass(frozen=True, slots=True)
class Weighed:
    """How many lots and certificates, as of which checkpoint, and how many entries came since."""

    lots: int
    certificates: int
    checkpoint: CheckpointRow
    since: int


@router.get("/exports")
def exports(request: Request, call: Visit, asked: Annotated[Listed, Query()]) -> Response:
    """Every bundle, from the audit trail; the address is the state."""
    with call.reading() as session:
        found = _exports(session, asked, _SHOWN + 1)
    more = found[_SHOWN - 1].sequence if len(found) > _SHOWN else 0
    return page(
        request,
        "certificate_exports.html",
        asked=asked,
        found=found[:_SHOWN],
        more=asked.but(after=more) if more else "",
        may=is_permitted(call.person.roles, Permission.EXPORT_RECORDS),
    )


@router.get("/exports.csv")
def exports_csv(call: Visit, asked: Annotated[Listed, Query()]) -> Response:
    """The same as CSV, all of them."""
    rows, place = list[tuple[str, ...]](), Listed(order=asked.order, after=0)
    with call.reading() as session:
        while some := _exports(session, place, _AT_ONCE):
            rows += [_cells(one) for one in some]
            place = place.model_copy(update={"after": some[-1].sequence})
    return csv_answer(csv_bytes([_COLUMNS, *rows]), "exports.csv")


@router.get("/exports/new")
def ask(request: Request, call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """What the bundle would hold, before it is made."""
    return _form(request, call, asked)


@router.post("/exports/new")
def export(request: Request, call: Visit, form: OwnForm) -> Response:
    """Ask for it: the job tells how far it is, and keeps it."""
    given = {name: form[name] for name in ("product", "lots", "since", "until")}
    asked = Asked()
    try:
        asked = built(Asked, given)
        sent = built(
            ExportAsked,
            {
                "product": asked.wanted.product,
                "lots": asked.ids,
                "since": asked.since.isoformat() if asked.since else None,
                "until": asked.until.isoformat() if asked.until else None,
                "checkpoint": form["checkpoint"] or 0,
            },
        )
        accepted = api.ask_bundle(keyed(call, form), sent)
    except BatchqcError as error:
        return _form(request, call, asked, said(error))
    return led_to(request, accepted)


def _form(request: Request, call: Call, asked: Asked, told: Said = NOTHING_SAID) -> Response:
    weighed = None
    with call.reading() as session:
        products = session.scalars(select(Product.code).order_by(Product.code)).all()
        try:
            weighed = _weighed(session, asked.wanted)
        except BatchqcError as error:
            told = said(error) if told is NOTHING_SAID else told
    return page(
        request,
        "certificate_export.html",
        status=told.status,
        **told.content,
        asked=asked,
        products=products,
        weighed=weighed,
        may=is_permitted(call.person.roles, Permission.EXPORT_RECORDS),
    )


def _weighed(session: Session, wanted: Wanted) -> Weighed:
    lots, certificates = counts_wanted(session, wanted_by(session, wanted))
    checkpoint = the_checkpoint(session)
    since = the_head(session).sequence - checkpoint.size
    return Weighed(lots, certificates, checkpoint, since)


def _exports(session: Session, asked: Listed, limit: int) -> list[Exported]:
    found, oldest = [], asked.order == "oldest"
    for link, entry in exports_behind(
        session, EXPORTED, asked.after, limit=limit, oldest_first=oldest
    ):
        body = json.loads(entry.text)
        told = body["after"]
        found.append(
            Exported(
                link.sequence, entry.at, body["who"], body["role"], told["asked"], told["counts"],
                told["entries"], told["lots.jsonl sha256"],
            )
        )  # fmt: skip
    return found


def _cells(one: Exported) -> tuple[str, ...]:
    asked, counts = one.asked, one.counts
    return (
        one.at.isoformat(), one.who, one.role, asked["product"], "; ".join(asked["lots"]),
        asked["since"], asked["until"], str(one.entries), str(counts["lots"]),
        str(counts["certificates"]), str(counts["issued"]), str(counts["uploads"]), one.listing,
    )  # fmt: skip
