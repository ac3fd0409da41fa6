"""Donors: the list, by its address, and one donor with all that a determination rests on.

A donor is a code and never a name.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final
from zoneinfo import ZoneInfo

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from batchqc.actions.donor_evaluation import evaluation_of
from batchqc.actions.donor_panels import approved_panel
from batchqc.actions.donor_records import ApprovedPanel, DonorRecords, records_of
from batchqc.actions.donors_today import donors_today
from batchqc.actions.registers import the_donor
from batchqc.actions.setup import own_site
from batchqc.actions.specifications import site_day
from batchqc.api import donors as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.donors import ELIGIBLE, EXCEPTION, INELIGIBLE, Donor
from batchqc.core.eligibility import Scope, unfavourable
from batchqc.core.permissions import Permission
from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import NotFound
from batchqc.records.cell_banks import bank_statuses
from batchqc.records.donations import Donation, DonorTest
from batchqc.records.donor_lines import (
    NOT_DETERMINED,
    Consenting,
    DonorOrder,
    DonorsSought,
    DonorsWanted,
    banks_from,
    count_donors,
    donor_rows,
    lots_from,
)
from batchqc.records.donor_panels import panel_approvals
from batchqc.records.donors import EligibilityRow, eligibility_of, newest_eligibility
from batchqc.records.investigations import investigations_of
from batchqc.records.lists import LotsWanted
from batchqc.records.look_backs import closing_of, look_backs_from
from batchqc.records.lot_lines import Sought, lot_lines
from batchqc.records.registers import DonorRow
from batchqc.web.addresses import BLANK_IS_NONE, Address
from batchqc.web.calls import Visit
from batchqc.web.lot_list import lines as lot_list
from batchqc.web.rendering import page
from batchqc.web.source_forms import may, who_may

router = Routes()

_COUNTED: Final = 1000
_AT_ONCE: Final = 500
_LOTS: Final = 100
_COLUMNS: Final = (
    "donor", "tissue", "eligibility", "records_came_later", "consent", "donations", "results",
    "speaks_against", "last_specimen", "lots",
)  # fmt: skip


class Asked(Address):
    """What the address asks for."""

    path: ClassVar[str] = "/donors"

    text: str = Field("", max_length=100)
    eligibility: str = Field("", max_length=60)
    consent: Annotated[Consenting | None, BLANK_IS_NONE] = None
    doubtful: str = Field("", max_length=3)
    order: DonorOrder = DonorOrder.CODE
    after: str = Field("", max_length=100)

    def sought(self, session: Session, limit: int) -> DonorsSought:
        """As a query takes it."""
        wanted = DonorsWanted(
            self.text.strip(), self.eligibility, self.consent, doubtful=self.doubtful == "yes"
        )
        after = the_donor(session, self.after) if self.after else None
        return DonorsSought(wanted, after, limit, self.order)


@dataclass(frozen=True, slots=True)
class DonorLine:
    """One donor of a list, as they stand today.

    ``later`` are keys of records that came after the determination, ``against`` the results that
    speak against the donor.
    """

    today: Donor
    records: DonorRecords
    later: tuple[str, ...]
    against: tuple[str, ...]
    lots: int
    registered_at: datetime

    @property
    def last_specimen(self) -> str:
        """When the last specimen was taken, as typed."""
        taken = sorted(self.records.tests, key=lambda one: one.taken_at)
        return taken[-1].taken_text if taken else ""


@router.get("/donors")
def donors(request: Request, call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """A page of donors; the address is the state."""
    with call.reading() as session:
        sought = asked.sought(session, 50)
        found, more = _lines(session, sought)
        total = count_donors(session, sought.wanted, _COUNTED + 1)
        return page(
            request,
            "source_donors.html",
            asked=asked,
            donors=found,
            more=asked.but(after=more.code) if more else "",
            total=total,
            counted=_COUNTED,
            words=(NOT_DETERMINED, ELIGIBLE, INELIGIBLE, EXCEPTION),
            consents=list(Consenting),
            is_filtered=sought.wanted != DonorsWanted(),
            may_register=may(call, Permission.REGISTER_DONOR),
            who=who_may(Permission.REGISTER_DONOR),
        )


@router.get("/donors.csv")
def donors_csv(call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """Every donor of the list, not only one page of it."""
    with call.reading() as session:
        first = asked.model_copy(update={"after": ""}).sought(session, _AT_ONCE)
        found = list(_all(lambda sought: _lines(session, sought), first))
    return csv_answer(csv_bytes([_COLUMNS, *map(_cells, found)]), "donors.csv")


@router.get("/donors/{code}")
def donor(request: Request, call: Visit, code: str, panel: str = "", did: str = "") -> Response:
    """One donor: what was determined, what it rests on, and what was made of the cells."""
    with call.reading() as session:
        row = the_donor(session, code)
        content = _around(session, call, row) | _judged(session, call, row, panel)
        return page(request, "source_donor.html", did=did, **content)


@router.get("/donors/{code}/records.txt")
def records(call: Visit, code: str) -> Response:
    """The records that accompany what comes from the donor, as the API answers them."""
    return api.records_as_text(call, code)


def _lines(session: Session, sought: DonorsSought) -> tuple[list[DonorLine], DonorRow | None]:
    found = donor_rows(session, sought)
    shown = found[: sought.limit]
    read = lines_of(session, shown)
    return read, shown[-1] if len(found) > sought.limit else None


def lines_of(session: Session, rows: Sequence[DonorRow]) -> list[DonorLine]:
    """Some donors as they stand today, by as many queries as for one."""
    records, newest = records_of(session, rows), newest_eligibility(session, rows)
    corrections = [pair for one in records.values() for pair in one.corrections]
    lots = lots_from(session, rows)
    zone = ZoneInfo(own_site(session).time_zone)
    return [
        DonorLine(
            today,
            records[row.id],
            later_than(newest.get(row.id), records[row.id]),
            unfavourable(records[row.id].donated(zone)),
            lots.get(row.id, 0),
            row.registered_at,
        )
        for row, today in zip(rows, donors_today(session, rows, corrections), strict=True)
    ]


def later_than(determined: EligibilityRow | None, records: DonorRecords) -> tuple[str, ...]:
    """The keys of the records that a determination does not rest on: they came after it."""
    return records.since(determined)


def _all(
    look: Callable[[DonorsSought], tuple[list[DonorLine], DonorRow | None]], sought: DonorsSought
) -> Iterator[DonorLine]:
    while True:
        found, more = look(sought)
        yield from found
        if not more:
            return
        sought = replace(sought, after=more)


def _cells(one: DonorLine) -> tuple[str, ...]:
    consent = one.records.consented
    said = "none" if consent is None else ", ".join(sorted(consent.scopes))
    if consent is not None and consent.withdrawn_on is not None:
        said = f"withdrawn {consent.withdrawn_on}"
    elif consent is not None and consent.after and Scope.CLINICAL not in consent.scopes:
        said = f"withdrawn; since then: {said}"
    return (
        one.today.code, one.today.tissue_source, one.today.eligibility or NOT_DETERMINED,
        "; ".join(one.later), said, str(len(one.records.donations)), str(len(one.records.tests)),
        "; ".join(one.against), one.last_specimen, str(one.lots),
    )  # fmt: skip


def _judged(session: Session, call: Call, row: DonorRow, wanted: str) -> dict[str, Any]:
    """The determinations, and the records held against a panel as of today."""
    made = eligibility_of(session, [row])
    newest = made[-1] if made else None
    zone, today = ZoneInfo(own_site(session).time_zone), site_day(session, call.door.now())
    panels = sorted({one.panel_version.panel for one in panel_approvals(session)})
    asked = wanted or (newest.panel.partition("/")[0] if newest else "")
    against, missing = _panel(session, call, asked)
    records = records_of(session, [row])[row.id]
    return {
        "made": list(reversed(made)),
        "newest": newest,
        "later": later_than(newest, records),
        "panels": panels,
        "panel": against.panel if against else None,
        "asked_panel": asked,
        "no_panel": missing,
        "evaluation": evaluation_of(records, against, zone=zone, today=today),
        "donations": [
            (given, today_row, _tests(records, given, today_row))
            for given, today_row in zip(records.donations, records.donated(zone), strict=True)
        ],
        "consents": list(reversed(records.consents)),
        "withdrawn": {one.consent_id: one for one in records.withdrawals},
        "consented": records.consented,
        "corrections": records.corrections,
    }


def _panel(session: Session, call: Call, asked: str) -> tuple[ApprovedPanel | None, str]:
    """The panel in force, or why there is none."""
    if not asked:
        return None, ""
    day = site_day(session, call.door.now())
    try:
        return approved_panel(session, call.door.archive, panel=asked, day=day), ""
    except NotFound as error:
        return None, error.message


def _tests(records: DonorRecords, given: Donation, today: Any) -> list[tuple[DonorTest, Any, int]]:
    """Each result as recorded, as it counts today, and how many days after the donation."""
    own = [one for one in records.tests if one.donation_id == given.id]
    return [
        (test, result, (result.taken_on - today.donated_on).days)
        for test, result in zip(own, today.tests, strict=True)
    ]


def _around(session: Session, call: Call, row: DonorRow) -> dict[str, Any]:
    """What was made of the donor's cells, and what became of that."""
    line = lines_of(session, [row])[0]
    sought = Sought(LotsWanted(donor=row.code), limit=_LOTS)
    lots, more = lot_list(session, sought, now=call.door.now())
    ids = {one.id: one.lot for one in lot_lines(session, sought)}
    failed: dict[str, list[Any]] = {}
    for investigation, _steps in investigations_of(session, ids):
        failed.setdefault(ids[investigation.lot_id], []).append(investigation)
    banks = banks_from(session, line.records.donations)
    looked = look_backs_from(session, [row.key, *(one.key for one in line.records.donations)])
    return {
        "donor": line.today,
        "line": line,
        "lots": lots,
        "more_lots": bool(more),
        "failed": failed,
        "banks": [(one, bank_statuses(session, banks)[one.id]) for one in banks],
        "look_backs": [(one, closing_of(session, one) is None) for one in looked],
        "may": {
            "record": may(call, Permission.KEEP_DONOR_RECORDS),
            "determine": may(call, Permission.DETERMINE_ELIGIBILITY),
            "look_back": may(call, Permission.START_LOOK_BACK),
        },
        "who": {
            "record": who_may(Permission.KEEP_DONOR_RECORDS),
            "look_back": who_may(Permission.START_LOOK_BACK),
        },
    }
