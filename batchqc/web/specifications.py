"""Specifications by product and stage: which version judges what when, and where none does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated, ClassVar, Final

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.specifications import site_day
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.effective_spans import Span, spans
from batchqc.core.effectivity import State, in_force, state_of_approved
from batchqc.core.permissions import Permission, is_permitted
from batchqc.core.specifications import Stage
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.registers import Product
from batchqc.records.specification_lines import (
    VersionLine,
    VersionsWanted,
    lots_bound,
    version_lines,
)
from batchqc.web.addresses import BLANK_IS_NONE, Address
from batchqc.web.calls import Visit
from batchqc.web.rendering import day, page
from batchqc.web.wording import _

router = Routes()

_GROUPS: Final = 20
_COLUMNS: Final = (
    "specification", "version", "title", "product", "stage", "market", "state", "effective",
    "withdrawn_from", "lots", "imported_by", "approved_by", "sha256",
)  # fmt: skip
#: How much of the time line lies after the last date, and the least of it.
_AROUND: Final = 0.16
_LEAST: Final = timedelta(days=30)
_BEFORE: Final = {State.DRAFT, State.IN_REVIEW}


class Listed(Address):
    """What the address asks for; ``page`` is from 1 on."""

    path: ClassVar[str] = "/specifications"

    text: str = Field("", max_length=100)
    product: str = Field("", max_length=100)
    stage: Annotated[Stage | None, BLANK_IS_NONE] = None
    state: Annotated[State | None, BLANK_IS_NONE] = None
    order: str = Field("product", pattern="^(product|newest)$")
    page: int = Field(1, ge=1, le=10_000)

    @property
    def wanted(self) -> VersionsWanted:
        """As a query takes it."""
        return VersionsWanted(self.text, self.product, self.stage or "")

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.text or self.product or self.stage or self.state)


@dataclass(frozen=True, slots=True)
class Listing:
    """A version in the list; ``ends`` is the first day that it no longer judges."""

    line: VersionLine
    state: State
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A period on the time line, in hundredths of its width."""

    span: Span[VersionLine]
    left: float
    width: float
    is_now: bool


@dataclass(frozen=True, slots=True)
class Awaited:
    """A version that is not approved, and where it would begin."""

    reference: str
    left: float


@dataclass(frozen=True, slots=True)
class Group:
    """The versions of one product, stage and market, the newest first."""

    product: str
    stage: str
    market: str
    listings: Sequence[Listing]
    bars: Sequence[Bar]
    awaited: Sequence[Awaited]
    today_at: float
    remarks: Sequence[str]
    has_gap_now: bool

    @property
    def newest(self) -> date:
        """The last date on which one of them begins."""
        return max(one.line.effective for one in self.listings)


@router.get("/specifications")
def specifications(request: Request, call: Visit, asked: Annotated[Listed, Query()]) -> Response:
    """A page of groups; the address is the state."""
    with call.reading() as session:
        today = site_day(session, call.door.now())
        found = _groups(session, asked, today)
        begins = (asked.page - 1) * _GROUPS
        shown = found[begins : begins + _GROUPS]
        versions = [one.line.version for group in shown for one in group.listings]
        lots = lots_bound(session, versions)
        products = session.scalars(select(Product.code).order_by(Product.code)).all()
        return page(
            request,
            "specifications.html",
            asked=asked,
            groups=shown,
            lots=lots,
            total=sum(len(one.listings) for one in found),
            more=asked.but(page=asked.page + 1) if len(found) > begins + _GROUPS else "",
            first=asked.but(page=None),
            products=products,
            stages=list(Stage),
            states=list(State),
            may_import=is_permitted(call.person.roles, Permission.IMPORT_SPECIFICATION),
        )


@router.get("/specifications.csv")
def specifications_csv(call: Visit, asked: Annotated[Listed, Query()]) -> Response:
    """Every version of the list, not only one page of it."""
    with call.reading() as session:
        groups = _groups(session, asked, site_day(session, call.door.now()))
        listings = [one for group in groups for one in group.listings]
        lots = lots_bound(session, [one.line.version for one in listings])
        rows = [_cells(one, lots) for one in listings]
    return csv_answer(csv_bytes([_COLUMNS, *rows]), "specifications.csv")


def _cells(one: Listing, lots: Mapping[int, int]) -> tuple[str, ...]:
    row = one.line.version
    return (
        row.specification, str(row.version), row.title, row.product, row.stage, row.market,
        one.state.value, row.effective, one.line.withdrawn or "", str(lots.get(row.id, 0)),
        row.author, one.line.approved_by or "", row.sha256,
    )  # fmt: skip


def _groups(session: Session, asked: Listed, today: date) -> list[Group]:
    """Every group with the versions that fit; its time line and remarks are of all its versions."""
    fitting = {one.version.id for one in version_lines(session, asked.wanted)}
    whole = VersionsWanted(product=asked.product, stage=asked.stage or "")
    lines = version_lines(session, whole) if asked.text else None
    every = lines if lines is not None else version_lines(session, asked.wanted)
    found = []
    for key, own in groupby(every, key=lambda one: one.key):
        group = _group(key, list(own), today)
        listings = [
            one
            for one in group.listings
            if one.line.version.id in fitting and asked.state in {None, one.state}
        ]
        if listings:
            found.append(replace(group, listings=listings))
    if asked.order == "newest":
        found.sort(key=lambda one: one.newest, reverse=True)
    return found


def _group(key: tuple[str, str, str], lines: Sequence[VersionLine], today: date) -> Group:
    approved = [one for one in lines if one.approved_at is not None]
    periods = spans(approved)
    ends = {one.version.version.id: one.ends for one in periods if one.version}
    listings = [
        Listing(one, _state(one, approved, today), ends.get(one.version.id))
        for one in reversed(lines)
    ]
    waiting = [one for one in lines if one.approved_at is None]
    bars, awaited, today_at = _drawn(periods, waiting, today)
    gap = bool(approved) and in_force(approved, today) is None
    remarks = list(_remarks(listings, periods))
    return Group(*key, listings, bars, awaited, today_at, remarks, gap)


def _state(one: VersionLine, approved: Sequence[VersionLine], today: date) -> State:
    if one.approved_at is None:
        return State.DRAFT if one.submitted_by is None else State.IN_REVIEW
    return state_of_approved(one, approved, today)


def _remarks(listings: Sequence[Listing], periods: Sequence[Span[VersionLine]]) -> Iterable[str]:
    """Every gap, and every draft that would begin when another version does."""
    if not periods:
        yield _("No version is approved: no lot can be judged by it.")
    for one in periods:
        if one.version is None:
            begins, ends = day(one.begins), day(one.ends)
            if one.ends is None:
                yield _("Gap: from %(begins)s on no version applies.") % {"begins": begins}
            else:
                words = _("Gap: from %(begins)s until before %(ends)s no version applies.")
                yield words % {"begins": begins, "ends": ends}
    begun = {one.begins: one.version for one in periods if one.version}
    for listing in listings:
        line = listing.line
        other = begun.get(line.effective)
        if listing.state in _BEFORE and other is not None:
            words = _("Overlap: %(one)s would begin on the day of %(other)s; give it another day.")
            yield words % {"one": line.version.reference, "other": other.version.reference}


def _drawn(
    periods: Sequence[Span[VersionLine]], waiting: Sequence[VersionLine], today: date
) -> tuple[list[Bar], list[Awaited], float]:
    """Where each period lies, where those that wait would begin, and where today is."""
    dates = [today, *(one.effective for one in waiting)]
    dates += [day for one in periods for day in (one.begins, one.ends) if day]
    first, last = min(dates).toordinal(), max(dates).toordinal()  # beyond the calendar is no date
    around = max(_LEAST.days, (last - first) * _AROUND)
    first, last = first - int(around / 3), last + int(around)

    def at(when: date | None) -> float:
        day = last if when is None else when.toordinal()
        return round(100 * (day - first) / (last - first), 2)

    bars = [
        Bar(
            one,
            at(one.begins),
            round(at(one.ends) - at(one.begins), 2),
            one.begins <= today and (one.ends is None or today < one.ends),
        )
        for one in periods
    ]
    awaited = [Awaited(one.version.reference, at(one.effective)) for one in waiting]
    return bars, awaited, at(today)
