"""The list of lots: filtered, ordered and paged by its address, and the same as CSV."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, ClassVar, Final

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.lots import the_lot
from batchqc.actions.specifications import site_day
from batchqc.api.lots import LotFilter
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.lot_states import Disposition, Overlay
from batchqc.core.permissions import Permission, is_permitted
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.lists import LotsWanted
from batchqc.records.lot_lines import Order, Sought, count_up_to, lots_up_to
from batchqc.records.registers import Product
from batchqc.web.addresses import BLANK_IS_NONE, Address
from batchqc.web.calls import Visit
from batchqc.web.lot_list import LotLine, lines
from batchqc.web.rendering import page

router = Routes()

_COUNTED: Final = 1000
_AT_ONCE: Final = 500
_COLUMNS: Final = (
    "lot", "product", "disposition", "overlays", "manufactured_on", "expires_on", "donors",
)  # fmt: skip


class Asked(Address):
    """What the address asks for."""

    path: ClassVar[str] = "/lots"

    text: str = Field("", max_length=100)
    product: str = Field("", max_length=100)
    disposition: Annotated[Disposition | None, BLANK_IS_NONE] = None
    overlay: Annotated[Overlay | None, BLANK_IS_NONE] = None
    order: Order = Order.NEWEST
    after: str = Field("", max_length=100)

    def sought(self, session: Session, call: Visit, limit: int) -> Sought:
        """As a query takes it."""
        fields = self.model_dump(exclude={"order", "after"})
        wanted = LotFilter(**fields).wanted(site_day(session, call.door.now()))
        after = the_lot(session, self.after).lot if self.after else ""
        return Sought(wanted, self.order, after, limit)


@router.get("/lots")
def lots(request: Request, call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """A page of lots; the address is the state."""
    with call.reading() as session:
        sought = asked.sought(session, call, 50)
        is_filtered = sought.wanted != LotsWanted()
        if is_filtered:  # few are looked for once, and not for their number and for the page
            ids = lots_up_to(session, sought.wanted, _COUNTED + 1)
            total = len(ids)
            sought = sought if total > _COUNTED else replace(sought, only=ids)
        else:
            total = count_up_to(session, sought.wanted, _COUNTED + 1)
        found, more = lines(session, sought, now=call.door.now())
        products = session.scalars(select(Product.code).order_by(Product.code)).all()
    return page(
        request,
        "lots.html",
        asked=asked,
        lots=found,
        more=asked.but(after=more) if more else "",
        total=total,
        counted=_COUNTED,
        products=products,
        dispositions=list(Disposition),
        overlays=list(Overlay),
        is_filtered=is_filtered,
        may_register=is_permitted(call.person.roles, Permission.REGISTER_LOT),
    )


@router.get("/lots.csv")
def lots_csv(call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """Every lot of the list, not only one page of it."""
    with call.reading() as session:
        first = asked.model_copy(update={"after": ""}).sought(session, call, _AT_ONCE)
        found = list(_all(lambda sought: lines(session, sought, now=call.door.now()), first))
    return csv_answer(csv_bytes([_COLUMNS, *map(_cells, found)]), "lots.csv")


def _all(look: Callable[[Sought], tuple[list[LotLine], str]], sought: Sought) -> Iterator[LotLine]:
    while True:
        found, more = look(sought)
        yield from found
        if not more:
            return
        sought = Sought(sought.wanted, sought.order, more, sought.limit)


def _cells(one: LotLine) -> tuple[str, ...]:
    return (
        one.lot, one.product, one.disposition, "; ".join(one.overlays), one.made_on.isoformat(),
        one.expires_on.isoformat(), "; ".join(one.donors),
    )  # fmt: skip
