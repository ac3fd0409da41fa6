"""Lots that wait for a review, each once: what of it waits, since when, and until when it lasts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, ClassVar, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from batchqc.actions.open_work import open_work
from batchqc.api.doors import Call
from batchqc.api.upload_files import csv_answer
from batchqc.core.identifiers import fold
from batchqc.core.open_work import Filter, Item, Work
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.open_work import products_and_expiries
from batchqc.web.addresses import BLANK_IS_NONE, Address
from batchqc.web.calls import Visit
from batchqc.web.rendering import page

router = APIRouter()

_SHOWN: Final = 50
#: What is reviewed, in the order in which it is.
REVIEWED: Final = (Work.SECOND_ENTRY, Work.REVIEW, Work.QC_REVIEW, Work.AUDIT_REVIEW)
_COLUMNS: Final = ("lot", "product", "expires_on", *REVIEWED, "since")


class AskedReviews(Address):
    """What the address asks for; ``after`` is how many lots stand on the pages before."""

    path: ClassVar[str] = "/reviews"

    step: Annotated[Work | None, BLANK_IS_NONE] = None
    lot: str = Field("", max_length=100)
    after: int = Field(0, ge=0, le=1_000_000)


@dataclass(frozen=True, slots=True)
class LotToReview:
    """A lot, and how many items of each review wait."""

    lot: str
    product: str
    expires_on: date | None
    days_left: int | None
    waits: dict[Work, int]
    since: datetime | None

    @property
    def place(self) -> tuple[str, str, str]:
        """Soonest to expire first, then the oldest."""
        return (str(self.expires_on or "9"), str(self.since or "9"), self.lot)


@router.get("/reviews")
def reviews(request: Request, call: Visit, asked: Annotated[AskedReviews, Query()]) -> Response:
    """A page of lots; the address is the state."""
    found = _find(call, asked)
    until = asked.after + _SHOWN
    return page(
        request,
        "review_list.html",
        asked=asked,
        lots=found[asked.after : until],
        total=len(found),
        more=asked.but(after=until) if len(found) > until else "",
        kinds=REVIEWED,
    )


@router.get("/reviews.csv")
def reviews_csv(call: Visit, asked: Annotated[AskedReviews, Query()]) -> Response:
    """Every lot of the list, not only one page of it."""
    return csv_answer(csv_bytes([_COLUMNS, *map(_cells, _find(call, asked))]), "reviews.csv")


def _find(call: Call, asked: AskedReviews) -> list[LotToReview]:
    with call.reading() as session:
        today, items = open_work(session, call.door.archive, wanted=Filter(), now=call.door.now())
        waiting = [one for one in items if one.kind in REVIEWED]
        lots = products_and_expiries(session, {one.lot for one in waiting})
    by_lot: dict[str, list[Item]] = {}
    for one in waiting:
        by_lot.setdefault(one.lot, []).append(one)
    found = [
        _line(lot, own, lots.get(lot, ("", None)), today)
        for lot, own in by_lot.items()
        if fold(asked.lot) in fold(lot)
    ]
    fitting = [one for one in found if asked.step is None or asked.step in one.waits]
    return sorted(fitting, key=lambda one: one.place)


def _line(
    lot: str, own: Iterable[Item], known: tuple[str, date | None], today: date
) -> LotToReview:
    product, expires_on = known
    waits: dict[Work, int] = {}
    since = None
    for one in own:
        waits[one.kind] = waits.get(one.kind, 0) + 1
        since = min(filter(None, (since, one.since)), default=None)
    days_left = (expires_on - today).days if expires_on else None
    return LotToReview(lot, product, expires_on, days_left, waits, since)


def _cells(one: LotToReview) -> tuple[str, ...]:
    counts = (str(one.waits.get(kind, "")) for kind in REVIEWED)
    since = one.since.isoformat() if one.since else ""
    return (one.lot, one.product, str(one.expires_on or ""), *counts, since)
