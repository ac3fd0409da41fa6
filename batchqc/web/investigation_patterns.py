"""Patterns of testing into compliance, as QA looks for them: of one lot, of some, or of some days.

Each lot is judged anew for it, so that a page looks at the lots that were investigated last unless
others are asked for, and never at more than ``MOST_LOTS``.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from batchqc.actions.compliance_patterns import find_patterns
from batchqc.actions.lots import the_lot
from batchqc.actions.lots_of_days import Tested, lots_of_days
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.compliance_patterns import Kind, Pattern
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.investigation_lines import newest_investigated
from batchqc.records.registers import LotRow
from batchqc.web.addresses import BLANK_IS_NONE, Address
from batchqc.web.calls import Visit
from batchqc.web.rendering import page

router = Routes()

_FEW: Final = 20
_COLUMNS: Final = ("pattern", "said", "lots", "runs", "people", "times", "uploads")


class Scope(StrEnum):
    """Which lots are looked at where none is named."""

    INVESTIGATED = "investigated"
    TESTED = "tested"


class Asked(Address):
    """What the address asks for; days are days of the site, the last one included."""

    path: ClassVar[str] = "/investigations/patterns"

    lot: str = Field("", max_length=100)
    scope: Scope = Scope.INVESTIGATED
    since: Annotated[date | None, BLANK_IS_NONE] = None
    until: Annotated[date | None, BLANK_IS_NONE] = None


@router.get("/investigations/patterns")
def patterns(request: Request, call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """What a person should look at, by kind; it decides nothing."""
    with call.reading() as session:
        lots, tested = _lots(session, call, asked)
        found = find_patterns(session, call.door.archive, lots=lots)
    return page(
        request,
        "investigation_patterns.html",
        asked=asked,
        groups=_by_kind(found),
        total=len(found),
        looked_at=[one.lot for one in lots],
        tested=tested,
    )


@router.get("/investigations/patterns.csv")
def patterns_csv(call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """The same, a line for each pattern."""
    with call.reading() as session:
        lots, _tested = _lots(session, call, asked)
        found = find_patterns(session, call.door.archive, lots=lots)
    return csv_answer(csv_bytes([_COLUMNS, *map(_cells, found)]), "patterns.csv")


def _lots(session: Session, call: Call, asked: Asked) -> tuple[Sequence[LotRow], Tested | None]:
    if asked.lot:
        return [the_lot(session, asked.lot)], None
    if asked.scope is Scope.INVESTIGATED:
        return newest_investigated(session, _FEW), None
    tested = lots_of_days(session, now=call.door.now(), since=asked.since, until=asked.until)
    return tested.lots, tested


def _by_kind(found: tuple[Pattern, ...]) -> dict[Kind, list[Pattern]]:
    groups = {kind: [one for one in found if one.kind is kind] for kind in Kind}
    return {kind: own for kind, own in groups.items() if own}


def _cells(one: Pattern) -> tuple[str, ...]:
    times = "; ".join(at.isoformat() for at in one.times)
    told = (one.lots, one.runs, one.people)
    return (one.kind, one.said, *map("; ".join, told), times, "; ".join(one.uploads))
