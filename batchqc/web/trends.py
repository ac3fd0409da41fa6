"""Trends at a glance: the latest lots of a product against its criteria, alerts first.

Trends describe. No verdict and no gate hangs on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.registers import the_product
from batchqc.actions.trend_overview import Listed, trends_at
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.specifications import Stage
from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import NotFound
from batchqc.records.registers import Product
from batchqc.records.specifications import approved_by_stage, markets_of
from batchqc.records.trends import newest_product
from batchqc.statistics.lot_series import Judged, Trend, cell_of
from batchqc.web.addresses import Address
from batchqc.web.calls import Visit
from batchqc.web.rendering import page
from batchqc.web.sparklines import Sparkline, sparkline_of

router = Routes()

LASTS = ("15", "30", "60", "100")
_FAR = 2.0  # robust sigma from which a value that conforms is told to be high or low


class Look(StrEnum):
    """What a cell looks like: always a shape and words beside its colour."""

    BAD = "bad"
    OPEN = "open"
    TREND = "trend"
    HIGH = "high"
    LOW = "low"
    OK = "ok"
    NONE = "none"


class Asked(Address):
    """What the address asks for; a product that is blank is that of the newest lot."""

    path: ClassVar[str] = "/trends"

    product: str = Field("", max_length=100)
    stage: Stage = Stage.RELEASE
    market: str = Field("", max_length=100)
    last: Literal["15", "30", "60", "100"] = "30"


@dataclass(frozen=True, slots=True)
class Square:
    """One lot of one criterion on the heat map."""

    lot: str
    look: Look
    value: str
    distance: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """One criterion with the lots that are looked at, in their order."""

    listed: Listed
    squares: tuple[Square, ...]
    alerts: int
    fails: int
    open: int
    newest: Square | None
    newest_is_alert: bool
    spark: Sparkline | None

    @property
    def urgency(self) -> tuple[bool, int, int]:
        """What is to be looked at first: an alert of the newest lot, then more of them."""
        return self.newest_is_alert, self.alerts + self.fails, self.open


@dataclass(frozen=True, slots=True)
class Across:
    """Lots, oldest first, each with its day and disposition, against criteria."""

    product: str
    lots: tuple[tuple[str, str, str], ...] = ()
    series: tuple[Series, ...] = ()

    @property
    def alerts_first(self) -> list[Series]:
        """What is to be looked at first at the top; else in the order of the specification."""
        return sorted(self.series, key=lambda one: one.urgency, reverse=True)


@router.get("/trends")
def show(request: Request, call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """The heat map and a small chart of each criterion; the address is the state."""
    with call.reading() as session:
        found, why_not = _found(session, call, asked)
        products = session.scalars(select(Product.code).order_by(Product.code)).all()
        places = _places(session, found.product) if found.product else []
    return page(
        request,
        "trends.html",
        asked=asked,
        found=found,
        why_not=why_not,
        products=products,
        stages=sorted({stage for stage, _ in places} | {asked.stage.value}),
        markets=sorted({market for _, market in places} | {asked.market, ""}),
        lasts=LASTS,
        alerts=sum(one.alerts for one in found.series),
        fails=sum(one.fails for one in found.series),
        open=sum(one.open for one in found.series),
    )


@router.get("/trends.csv")
def show_csv(call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """The same lots: each criterion with its value, and what is to be looked at."""
    with call.reading() as session:
        found, why_not = _found(session, call, asked)
    if why_not is not None:
        raise why_not
    names = [one.listed.criterion.id for one in found.series]
    head = ["lot", "manufactured_on", "disposition", *(n for name in names for n in _columns(name))]
    rows = []
    for place, lot in enumerate(found.lots):
        cells = (one.squares[place] for one in found.series)
        rows.append([*lot, *(text for one in cells for text in (one.value, _flag(one.look)))])
    return csv_answer(csv_bytes([head, *rows]), f"trends_{found.product}.csv")


def _found(session: Session, call: Call, asked: Asked) -> tuple[Across, NotFound | None]:
    product = newest_product(session)
    if asked.product:
        product = the_product(session, asked.product).code  # as registered
    if not product:
        return Across(""), None
    try:
        trends = trends_at(
            session, call.door.archive, product=product, stage=asked.stage.value,
            market=asked.market, trends=call.door.trends,
        )  # fmt: skip
    except NotFound as error:
        if error.code != "BQC-TRD-001":
            raise
        return Across(product), error
    return across(product, trends, last=int(asked.last)), None


def across(product: str, trends: Sequence[tuple[Listed, Trend]], *, last: int) -> Across:
    """The latest lots of all series together."""
    newest = {
        one.lot.place: one.lot.disposition for _, trend in trends for one in trend.lots[-last:]
    }
    places = sorted(newest)[-last:]
    series = tuple(_series(listed, trend, [lot for _, lot in places]) for listed, trend in trends)
    return Across(product, tuple((lot, day, newest[day, lot]) for day, lot in places), series)


def _series(listed: Listed, trend: Trend, lots: Sequence[str]) -> Series:
    squares = tuple(_square(lot, trend.by_lot.get(lot)) for lot in lots)
    seen = [one for one in squares if one.value]
    judged = [trend.by_lot[lot] for lot in lots if lot in trend.by_lot]
    return Series(
        listed,
        squares,
        alerts=sum(bool(one.signals) for one in judged),
        fails=sum(one.look is Look.BAD for one in squares),
        open=sum(one.look is Look.OPEN for one in squares),
        newest=seen[-1] if seen else None,
        newest_is_alert=bool(seen and trend.by_lot[seen[-1].lot].signals),
        spark=sparkline_of(trend, judged),
    )


def _square(lot: str, one: Judged | None) -> Square:
    if one is None:
        return Square(lot, Look.NONE, "", None)
    cell = cell_of(one)
    return Square(lot, _look(cell.flag, cell.robust), cell.value, cell.robust)


def _look(flag: str, robust: float | None) -> Look:
    flagged = {"FAIL": Look.BAD, "CANNOT_JUDGE": Look.OPEN, "out of trend": Look.TREND}
    if flag:
        return flagged[flag]
    if robust is None or abs(robust) < _FAR:
        return Look.OK
    return Look.HIGH if robust > 0 else Look.LOW


def _flag(look: Look) -> str:
    return {Look.BAD: "FAIL", Look.OPEN: "CANNOT_JUDGE", Look.TREND: "out of trend"}.get(look, "")


def _columns(name: str) -> tuple[str, str]:
    return name, f"{name}_flag"


def _places(session: Session, product: str) -> list[tuple[str, str]]:
    """The stages and markets at which something judges a product."""
    markets = {"", *markets_of(session, product)}
    found = approved_by_stage(session, product=product, markets=markets)
    return [(stage, market) for stage, by_market in found.items() for market in by_market]
