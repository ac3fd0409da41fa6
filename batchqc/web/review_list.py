"""Lots that wait for a review, each once: what of it waits, since when, and until when it lasts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, ClassVar, Final

from fastapi import Query, Request, Response
from pydantic import Field

from batchqc.actions.open_work import WorkFound, all_open_work, open_work
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.identifiers import fold
from batchqc.core.open_work import Filter, Item, Work
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.lots_at_work import PLACE, Among, products_and_expiries
from batchqc.web.addresses import BLANK_IS_NONE, Address
from batchqc.web.calls import Visit
from batchqc.web.rendering import page

router = Routes()

_SHOWN: Final = 50
#: What is reviewed, in the order in which it is.
REVIEWED: Final = (Work.SECOND_ENTRY, Work.REVIEW, Work.QC_REVIEW, Work.AUDIT_REVIEW)
_COLUMNS: Final = ("lot", "product", "expires_on", *REVIEWED, "since")


class AskedReviews(Address):
    """What the address asks for.

    ``behind`` is where the lots begin that are looked at, ``after`` how many lots of those stand on
    the pages before.
    """

    path: ClassVar[str] = "/reviews"

    step: Annotated[Work | None, BLANK_IS_NONE] = None
    lot: str = Field("", max_length=100)
    behind: str = Field("", pattern=PLACE, exclude=True)
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
    found, last = _find(call, asked)
    until, more = asked.after + _SHOWN, ""
    if len(found) > until:
        more = asked.but(after=until, behind=asked.behind)
    elif last:
        more = asked.but(behind=last)
    return page(
        request,
        "review_list.html",
        asked=asked,
        lots=found[asked.after : until],
        total=len(found),
        is_whole=not last and not asked.behind,
        more=more,
        kinds=REVIEWED,
    )


@router.get("/reviews.csv")
def reviews_csv(call: Visit, asked: Annotated[AskedReviews, Query()]) -> Response:
    """Every lot of the list, not only one page of it."""
    found, _ = _find(call, asked, of=all_open_work)
    return csv_answer(csv_bytes([_COLUMNS, *map(_cells, found)]), "reviews.csv")


def _find(
    call: Call, asked: AskedReviews, *, of: Callable[..., WorkFound] = open_work
) -> tuple[list[LotToReview], str]:
    """Lots, and where those end that were looked at; "" where no others follow."""
    with call.reading() as session:
        archive, now = call.door.archive, call.door.now()
        among = Among(asked.behind, part=asked.lot)
        today, items, last = of(session, archive, wanted=Filter(), now=now, among=among)
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
    return sorted(fitting, key=lambda one: one.place), last


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
