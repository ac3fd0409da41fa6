"""Patterns of testing into compliance, as QA looks for them: of one lot, of some, or of all.

Each lot is judged anew for it, so that a page looks at the lots that were investigated last unless
more is asked for, and never at more than ``_MOST``.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from batchqc.actions.compliance_patterns import find_patterns
from batchqc.actions.lots import the_lot
from batchqc.api.upload_files import csv_answer
from batchqc.core.compliance_patterns import Kind, Pattern
from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import InvalidInput
from batchqc.records.investigation_lines import newest_investigated
from batchqc.records.registers import LotRow
from batchqc.web.addresses import Address
from batchqc.web.calls import Visit
from batchqc.web.rendering import page
from batchqc.web.wording import _

router = APIRouter()

_FEW: Final = 20
_MOST: Final = 500
_COLUMNS: Final = ("pattern", "said", "lots", "runs", "people", "times", "uploads")


class Scope(StrEnum):
    """Which lots are looked at where none is named."""

    INVESTIGATED = "investigated"
    ALL = "all"


class Asked(Address):
    """What the address asks for."""

    path: ClassVar[str] = "/investigations/patterns"

    lot: str = Field("", max_length=100)
    scope: Scope = Scope.INVESTIGATED


@router.get("/investigations/patterns")
def patterns(request: Request, call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """What a person should look at, by kind; it decides nothing."""
    with call.reading() as session:
        lots = _lots(session, asked)
        every = _count(session)
        found = find_patterns(session, call.door.archive, lots=lots) if lots else ()
    return page(
        request,
        "investigation_patterns.html",
        asked=asked,
        groups=_by_kind(found),
        total=len(found),
        looked_at=[one.lot for one in lots],
        every=every,
        most=_MOST,
    )


@router.get("/investigations/patterns.csv")
def patterns_csv(call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """The same, a line for each pattern."""
    with call.reading() as session:
        lots = _lots(session, asked)
        found = find_patterns(session, call.door.archive, lots=lots) if lots else ()
    return csv_answer(csv_bytes([_COLUMNS, *map(_cells, found)]), "patterns.csv")


def _lots(session: Session, asked: Asked) -> list[LotRow]:
    if asked.lot:
        return [the_lot(session, asked.lot)]
    if asked.scope is Scope.INVESTIGATED:
        return [*newest_investigated(session, _FEW)]
    if _count(session) > _MOST:
        raise InvalidInput(
            "BQC-WEB-030",
            f"a page looks at {_MOST} lots at the most, and here are more",
            hint=_("Name a lot, or type: batchqc investigation patterns"),
        )
    return [*session.scalars(select(LotRow).order_by(LotRow.id))]


def _count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(LotRow)) or 0


def _by_kind(found: tuple[Pattern, ...]) -> dict[Kind, list[Pattern]]:
    groups = {kind: [one for one in found if one.kind is kind] for kind in Kind}
    return {kind: own for kind, own in groups.items() if own}


def _cells(one: Pattern) -> tuple[str, ...]:
    times = "; ".join(at.isoformat() for at in one.times)
    told = (one.lots, one.runs, one.people)
    return (one.kind, one.said, *map("; ".join, told), times, "; ".join(one.uploads))
