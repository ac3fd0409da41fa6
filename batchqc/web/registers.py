"""Registers of the laboratory: training, instruments, materials, each by its newest row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from batchqc.actions.specifications import site_day
from batchqc.api import account_reports
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.shapes import LARGEST
from batchqc.api.upload_files import csv_answer
from batchqc.core.permissions import Permission, is_permitted
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.laboratory import Instrument, Material, Training
from batchqc.records.register_lines import newest_kept, newest_trainings
from batchqc.web.addresses import Address
from batchqc.web.administration_tabs import tabs_of
from batchqc.web.calls import Visit
from batchqc.web.rendering import page

router = Routes()

_SHOWN: Final = 100
_EVERYTHING: Final = LARGEST - 1
_SOON: Final = timedelta(days=30)


class Kind(StrEnum):
    """A register."""

    TRAINING = "training"
    INSTRUMENTS = "instruments"
    MATERIALS = "materials"


@dataclass(frozen=True, slots=True)
class Line:
    """A thing of a register: what, its facts, from when until when, and what that is today."""

    name: str
    facts: tuple[str, ...]
    since: str
    until: str
    state: str
    number: int
    by: str


class Asked(Address):
    """What the address asks for."""

    path: ClassVar[str] = ""

    text: str = Field("", max_length=100)
    after: str = Field("", max_length=100)
    did: str = Field("", max_length=20)

    def query(self, **changes: Any) -> str:
        """What was done is told once."""
        return super().query(**{"did": ""} | changes)


@router.get("/administration/{kind}.csv")
def register_csv(call: Visit, kind: Kind) -> Response:
    """The newest row of everything in a register."""
    with call.reading() as session:
        rows = [
            _cells(one) for one in _lines(session, kind, Asked.model_validate({}), call, LARGEST)[0]
        ]
    header = ("id", "kind or method", "lot", "since", "until", "state", "row", "by")
    return csv_answer(csv_bytes([header, *rows]), f"{kind}.csv")


@router.get("/administration/{kind}")
def register(
    request: Request, call: Visit, kind: Kind, asked: Annotated[Asked, Query()]
) -> Response:
    """A register, and for who sees accounts, who is trained for their roles."""
    with call.reading() as session:
        lines, more = _lines(session, kind, asked, call, _SHOWN)
    sees = kind is Kind.TRAINING and is_permitted(call.person.roles, Permission.SEE_ACCOUNTS)
    return page(
        request,
        "administration_register.html",
        tabs=tabs_of(call),
        kind=kind.value,
        asked=asked,
        lines=lines,
        more=f"/administration/{kind}?{asked.query(after=more)}" if more else "",
        report=account_reports.training(call) if sees and not asked.after else None,
        may=is_permitted(call.person.roles, Permission.KEEP_REGISTERS),
        did=asked.did,
    )


def _lines(
    session: Session, kind: Kind, asked: Asked, call: Call, limit: int
) -> tuple[list[Line], str]:
    today = site_day(session, call.door.now())
    rows, show, place = _OF[kind](session, asked, limit + 1)
    found = [show(one, today) for one in rows[:limit]]
    return found, place(rows[limit - 1]) if len(rows) > limit else ""


def _trainings(session: Session, asked: Asked, limit: int) -> Any:
    after = int(asked.after) if asked.after.isdecimal() and len(asked.after) < 10 else 0
    rows = newest_trainings(session, text=asked.text.strip(), after=after, limit=limit)

    def show(one: Training, today: date) -> Line:
        state = _state(one.trained_on, one.expires_on, today, over="expired", soon="expires soon")
        facts = (one.person.name, one.method)
        return _line(one.person.user_id, facts, (one.trained_on, one.expires_on), state, one)

    return rows, show, lambda one: str(one.id)


def _instruments(session: Session, asked: Asked, limit: int) -> Any:
    rows = newest_kept(session, Instrument, text=asked.text.strip(), after=asked.after, limit=limit)

    def show(one: Instrument, today: date) -> Line:
        state = _state(one.calibrated_on, one.due_on, today, over="overdue", soon="due soon")
        return _line(one.instrument, (one.kind,), (one.calibrated_on, one.due_on), state, one)

    return rows, show, lambda one: one.folded


def _materials(session: Session, asked: Asked, limit: int) -> Any:
    rows = newest_kept(session, Material, text=asked.text.strip(), after=asked.after, limit=limit)

    def show(one: Material, today: date) -> Line:
        state = _state("", one.expires_on, today, over="expired", soon="expires soon")
        return _line(one.material, (one.kind, one.lot), ("", one.expires_on), state, one)

    return rows, show, lambda one: one.folded


_OF: Final[dict[Kind, Callable[[Session, Asked, int], Any]]] = {
    Kind.TRAINING: _trainings,
    Kind.INSTRUMENTS: _instruments,
    Kind.MATERIALS: _materials,
}


def _line(
    name: str, facts: tuple[str, ...], days: tuple[str, str], state: str,
    row: Training | Instrument | Material,
) -> Line:  # fmt: skip
    return Line(name, facts, *days, state, row.number, row.registered_by)


def _state(since: str, until: str, today: date, *, over: str, soon: str) -> str:
    """What a span of days is today."""
    last = date.fromisoformat(until)
    if since and date.fromisoformat(since) > today:
        return "not yet"
    if last < today:
        return over
    return soon if last - today <= _SOON else "in date"


def _cells(one: Line) -> Sequence[str]:
    kind, lot = (*one.facts, "")[:2]
    return (one.name, kind, lot, one.since, one.until, one.state, str(one.number), one.by)
