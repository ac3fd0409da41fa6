"""What waits, as a list: filtered, ordered and paged by its address, each item where it is done."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.key_work import key_work
from batchqc.actions.open_work import WorkFound as Found
from batchqc.actions.open_work import all_open_work, open_work
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.identifiers import fold
from batchqc.core.open_work import Filter, Item, Work
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.lots_at_work import PLACE, Among, products_and_expiries
from batchqc.records.registers import Product
from batchqc.web.addresses import BLANK_IS_NONE, Address
from batchqc.web.calls import Visit

router = Routes()

SHOWN: Final = 50
_COLUMNS: Final = ("what", "kind", "lot", "product", "expires_on", "due", "since", "who")
_NEVER: Final = "9999-12-31"

#: Where each kind is done, below the address of its lot.
_OF_LOT: Final[Mapping[Work, str]] = {
    Work.REVIEW: "/review",
    Work.QC_REVIEW: "/review",
    Work.AUDIT_REVIEW: "/audit-review",
    Work.HOLD: "/hold",
    Work.CHECK: "/annex16",
    Work.DECISION: "",
    Work.TRANSFER: "/annex16",
    Work.EXPIRY: "",
}
#: Where what is of no lot alone is done.
_ELSEWHERE: Final[Mapping[Work, str]] = {
    Work.RESULT: "/uploads/new",
    Work.PENDING: "/uploads/new",
    Work.CALIBRATION: "/administration/instruments",
    Work.TRAINING: "/administration/training",
    Work.WEBHOOK: "/administration/webhooks",
    Work.ARCHIVE: "/archive",
    Work.TRAIL_SAMPLE: "/audit-trail/samples",
    Work.KEY: "/administration/keys",
}
#: Whose page has the address that the API has.
_OWN_PAGE: Final = frozenset(
    {
        Work.CORRECTION,
        Work.ELIGIBILITY,
        Work.CONSENT,
        Work.INVESTIGATION,
        Work.CERTIFICATE,
        Work.LOOK_BACK,
        Work.JOB,
    }
)


class WorkOrder(StrEnum):
    """In which order work is listed."""

    DUE = "due"
    EXPIRY = "expiry"
    OLDEST = "oldest"


class AskedWork(Address):
    """What the address asks for.

    ``behind`` is where the lots begin that are looked at, ``after`` how many items of those stand
    on the pages before.
    """

    path: ClassVar[str] = "/"

    of: Literal["me", "all"] = "me"
    kind: Annotated[Work | None, BLANK_IS_NONE] = None
    lot: str = Field("", max_length=100)
    product: str = Field("", max_length=100)
    order: WorkOrder = WorkOrder.DUE
    behind: str = Field("", pattern=PLACE, exclude=True)
    after: int = Field(0, ge=0, le=1_000_000)
    did: str = Field("", max_length=40, exclude=True)

    @property
    def is_filtered(self) -> bool:
        """Whether something is left out."""
        return bool(self.kind or self.lot or self.product)


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One item, ready to be shown."""

    item: Item
    link: str
    is_overdue: bool
    product: str
    expires_on: date | None
    days_left: int | None


@dataclass(frozen=True, slots=True)
class WorkFound:
    """The items that an address asks for, and how many there are without its filter.

    ``is_whole`` says that all lots at work were looked at; ``last`` is where those end that were
    looked at, "" where no others follow.
    """

    lines: tuple[WorkLine, ...]
    mine: int
    others: int
    kinds: tuple[Work, ...]
    products: tuple[str, ...]
    is_whole: bool
    last: str


def find_work(
    session: Session, call: Call, asked: AskedWork, *, of: Callable[..., Found] = open_work
) -> WorkFound:
    """What waits and what the address asks for, in its order; ``of`` some lots, or of all.

    Where the lots are more than one look takes, the lots that the filter names are looked for.
    """

    def look(among: Among) -> Found:
        archive, now = call.door.archive, call.door.now()
        return of(session, archive, wanted=Filter(), now=now, among=among)

    named = Among(asked.behind, part=asked.lot, product=asked.product)
    today, items, last = look(named if asked.behind else Among())
    is_whole = not asked.behind and not last
    if last and not asked.behind and named != Among():
        today, items, last = look(named)
    items = [*items, *([] if asked.behind else key_work(call.door.press, call.door.now()))]
    own = [one for one in items if not call.person.roles.isdisjoint(one.roles)]
    lots = products_and_expiries(session, {one.lot for one in items} - {""})
    products = () if is_whole else session.scalars(select(Product.code))
    scope = own if asked.of == "me" else items
    every = [_line(one, lots, today) for one in scope]
    chosen = [
        one
        for one in every
        if asked.kind in {None, one.item.kind}
        and fold(asked.lot) in fold(one.item.lot)
        and asked.product in {"", one.product}
    ]
    return WorkFound(
        tuple(sorted(chosen, key=lambda one: _place(one, asked.order))),
        len(own),
        len(items) - len(own),
        tuple(kind for kind in Work if any(one.item.kind is kind for one in every)),
        tuple(sorted({*products, *(one.product for one in every)} - {""})),
        is_whole,
        last,
    )


@router.get("/work.csv")
def work_csv(call: Visit, asked: Annotated[AskedWork, Query()]) -> Response:
    """Every item of the list, not only one page of it."""
    with call.reading() as session:
        found = find_work(session, call, asked, of=all_open_work)
    return csv_answer(csv_bytes([_COLUMNS, *map(_cells, found.lines)]), "work.csv")


def page_of(item: Item) -> str:
    """The page where an item is done; "" where there is none."""
    if item.kind in _OWN_PAGE:
        return item.link
    if item.kind in _OF_LOT:
        return f"/lots/{item.lot}{_OF_LOT[item.kind]}"
    if item.kind is Work.SECOND_ENTRY:
        return f"/second-entries/{item.link.rpartition('/')[2]}"
    return _ELSEWHERE.get(item.kind, f"/lots/{item.lot}" if item.lot else "")


def _line(item: Item, lots: Mapping[str, tuple[str, date]], today: date) -> WorkLine:
    product, expires_on = lots.get(item.lot, ("", None))
    days_left = (expires_on - today).days if expires_on else None
    return WorkLine(item, page_of(item), item.is_overdue(today), product, expires_on, days_left)


def _place(line: WorkLine, order: WorkOrder) -> tuple[str, ...]:
    """Its place: what is not known comes last, and no two items have the same."""
    item = line.item
    due = (item.due or _NEVER, line.expires_on or _NEVER, _since(item))
    ordered: Iterable[object] = {
        WorkOrder.DUE: due,
        WorkOrder.EXPIRY: (line.expires_on or _NEVER, item.due or _NEVER, _since(item)),
        WorkOrder.OLDEST: (_since(item), item.due or _NEVER),
    }[order]
    return (*map(str, ordered), item.place)


def _since(item: Item) -> str:
    return item.since.isoformat() if item.since else _NEVER


def _cells(line: WorkLine) -> tuple[str, ...]:
    item = line.item
    return (
        item.what, item.kind, item.lot, line.product,
        str(line.expires_on or ""), str(item.due or ""),
        item.since.isoformat() if item.since else "", "; ".join(item.roles),
    )  # fmt: skip
