"""The list of OOS investigations: what is open and due first at the top; the same as CSV."""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from batchqc.actions.specifications import site_day
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.investigations import State
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.investigation_lines import (
    InvestigationLine,
    InvestigationsWanted,
    Order,
    count_concluded,
    count_open,
    investigated_criteria,
    investigation_lines,
)
from batchqc.web.addresses import BLANK_IS_NONE, Address
from batchqc.web.calls import Visit
from batchqc.web.rendering import page

router = Routes()

_AT_ONCE: Final = 500
_COLUMNS: Final = (
    "investigation", "lot", "stage", "criterion", "failed", "state", "finding", "cause",
    "opened_at", "due_on",
)  # fmt: skip


class Show(StrEnum):
    """What of the investigations an address asks for."""

    OPEN = "open"
    OVERDUE = "overdue"
    PHASE_I = "phase-one"
    REVIEW = "review"
    CONCLUSION = "conclusion"
    RETESTS = "retests"
    CONCLUDED = "concluded"


_STATES: Final = {
    Show.PHASE_I: State.PHASE_I,
    Show.REVIEW: State.REVIEW,
    Show.CONCLUSION: State.CONCLUSION,
    Show.RETESTS: State.RETESTS,
    Show.CONCLUDED: State.CONCLUDED,
}


class Asked(Address):
    """What the address asks for."""

    path: ClassVar[str] = "/investigations"

    lot: str = Field("", max_length=100)
    criterion: str = Field("", max_length=100)
    person: str = Field("", max_length=100)
    show: Annotated[Show | None, BLANK_IS_NONE] = None
    order: Order = Order.DUE
    after: str = Field("", max_length=100)

    def wanted(self, today: date) -> InvestigationsWanted:
        """As a query takes it."""
        return InvestigationsWanted(
            lot=self.lot,
            criterion=self.criterion,
            person=self.person,
            state=_STATES.get(self.show) if self.show else None,
            is_open=self.show is Show.OPEN,
            overdue_on=today if self.show is Show.OVERDUE else None,
            order=self.order,
        )


@router.get("/investigations")
def investigations(request: Request, call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """A page of investigations; the address is the state."""
    with call.reading() as session:
        today = site_day(session, call.door.now())
        wanted = asked.wanted(today)
        found, more = investigation_lines(session, wanted, after=asked.after)
        still_open, overdue = count_open(session, wanted, today)
        concluded = count_concluded(session, wanted)
        criteria = investigated_criteria(session)
    return page(
        request,
        "investigations.html",
        asked=asked,
        found=found,
        more=asked.but(after=more) if more else "",
        today=today,
        still_open=still_open,
        overdue=overdue,
        concluded=concluded,
        criteria=criteria,
        shows=list(Show),
        states=State,
        is_filtered=bool(asked.query(order="")),
    )


@router.get("/investigations.csv")
def investigations_csv(call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """Every investigation of the list, not only one page of it."""
    with call.reading() as session:
        wanted = asked.wanted(site_day(session, call.door.now()))
        rows = [_cells(one) for one in _all(session, wanted)]
    return csv_answer(csv_bytes([_COLUMNS, *rows]), "investigations.csv")


def _all(session: Session, wanted: InvestigationsWanted) -> Iterator[InvestigationLine]:
    after = ""
    while True:
        found, after = investigation_lines(session, wanted, after=after, limit=_AT_ONCE)
        yield from found
        if not after:
            return


def _cells(one: InvestigationLine) -> tuple[str, ...]:
    row, ended = one.row, one.now.conclusion
    return (
        row.natural_key, one.lot, row.stage, row.criterion, row.sentence, one.now.state,
        ended.finding if ended else "", ended.cause if ended else "",
        row.opened_at.isoformat(), one.now.due_on.isoformat(),
    )  # fmt: skip
