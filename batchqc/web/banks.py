"""Cell banks: the list, and one bank with what it is made of, its passages and what came of it."""

from typing import Annotated, Any, ClassVar, Final

from fastapi import Query, Request, Response
from pydantic import Field as Limited
from sqlalchemy.orm import Session

from batchqc.actions.cell_banks import permission_to, the_bank
from batchqc.actions.specifications import site_day
from batchqc.api import genealogy as api
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.cell_banks import BankKind, BankStatus
from batchqc.core.genealogy import NodeKind, kind_of
from batchqc.core.permissions import Permission
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.bank_lines import BankOrder, BanksWanted, bank_rows
from batchqc.records.cell_banks import (
    CellBank,
    bank_events_of,
    bank_statuses,
    children_of,
    parents_of,
    passages_of,
)
from batchqc.records.containers import Container, newest_events, status_of
from batchqc.records.look_backs import closing_of, look_backs_from
from batchqc.records.rows_by import rows_by
from batchqc.web.addresses import BLANK_IS_NONE, Address
from batchqc.web.calls import Visit
from batchqc.web.rendering import page
from batchqc.web.source_forms import (
    may,
    who_may,
)

router = Routes()

_PAGE: Final = 50
_COLUMNS: Final = (
    "bank", "kind", "status", "made_of", "made_on", "expires_on", "passage", "containers", "place",
)  # fmt: skip


class Asked(Address):
    """What the address asks for."""

    path: ClassVar[str] = "/banks"

    text: str = Limited("", max_length=100)
    kind: Annotated[BankKind | None, BLANK_IS_NONE] = None
    status: Annotated[BankStatus | None, BLANK_IS_NONE] = None
    order: BankOrder = BankOrder.NEWEST
    after: str = Limited("", max_length=100)

    @property
    def wanted(self) -> BanksWanted:
        """As a query takes it."""
        return BanksWanted(self.text.strip(), self.kind, self.status, self.order)


@router.get("/banks")
def banks(request: Request, call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """A page of banks; the address is the state."""
    with call.reading() as session:
        after = the_bank(session, asked.after) if asked.after else None
        rows = bank_rows(session, asked.wanted, after=after, limit=_PAGE + 1)
        found = _listed(session, rows[:_PAGE])
        today = site_day(session, call.door.now())
        return page(
            request,
            "source_banks.html",
            asked=asked,
            banks=found,
            today=today.isoformat(),
            more=asked.but(after=rows[_PAGE - 1].bank) if len(rows) > _PAGE else "",
            kinds=list(BankKind),
            statuses=list(BankStatus),
            is_filtered=bool(asked.query(order="")),
            may_register=may(call, Permission.KEEP_BANKS),
            who=who_may(Permission.KEEP_BANKS),
        )


@router.get("/banks.csv")
def banks_csv(call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """Every bank of the list."""
    rows: list[tuple[str, ...]] = [_COLUMNS]
    after = None
    with call.reading() as session:
        while some := bank_rows(session, asked.wanted, after=after, limit=500):
            rows += [_cells(*one) for one in _listed(session, some)]
            after = some[-1]
    return csv_answer(csv_bytes(rows), "banks.csv")


@router.get("/banks/{bank}")
def one_bank(request: Request, call: Visit, bank: str, did: str = "") -> Response:
    """One bank: how it stands, what it is made of, its passages and what came of it."""
    with call.reading() as session:
        row = the_bank(session, bank)
        content = _around(session, row) | {"bank": api.one_bank(call, row.bank)}
        today = site_day(session, call.door.now())
        return page(
            request,
            "source_bank.html",
            did=did,
            is_expired=today.isoformat() > row.expires_on,
            may_keep=may(call, Permission.KEEP_BANKS),
            may_look_back=may(call, Permission.START_LOOK_BACK),
            steps=[one for one in _steps(content["stands"]) if may(call, permission_to(one))],
            who=who_may(Permission.END_QUARANTINE),
            **content,
        )


def _listed(
    session: Session, rows: list[CellBank] | Any
) -> list[tuple[CellBank, BankStatus, list[str]]]:
    statuses = bank_statuses(session, rows)
    of: dict[str, list[str]] = {}
    for one in parents_of(session, [row.key for row in rows]):
        of.setdefault(one.child, []).append(one.parent)
    return [(row, statuses[row.id], of.get(row.key, [])) for row in rows]


def _cells(row: CellBank, status: BankStatus, made_of: list[str]) -> tuple[str, ...]:
    return (
        row.bank, row.kind, status.value, "; ".join(made_of), row.made_on, row.expires_on,
        str(row.passage), str(row.containers), row.place,
    )  # fmt: skip


def _around(session: Session, row: CellBank) -> dict[str, Any]:
    children = [one.child for one in children_of(session, [row.key])]
    vials = rows_by(session, Container, Container.cell_bank_id, [row.id])
    newest = newest_events(session, [one.id for one in vials])
    counts: dict[str, int] = {}
    for one in vials:
        status = status_of(newest.get(one.id)).value
        counts[status] = counts.get(status, 0) + 1
    return {
        "row": row,
        "stands": bank_statuses(session, [row])[row.id],
        "events": list(reversed(bank_events_of(session, [row]))),
        "passages": passages_of(session, [row.key]),
        "made_lots": [one for one in children if kind_of(one) is NodeKind.LOT],
        "made_banks": [one for one in children if kind_of(one) is NodeKind.CELL_BANK],
        "registered_vials": counts,
        "look_backs": [
            (one, closing_of(session, one) is None) for one in look_backs_from(session, [row.key])
        ],
    }


def _steps(status: BankStatus) -> list[BankStatus]:
    """Where a bank may go from a status."""
    if status is BankStatus.DESTROYED:
        return []
    return [one for one in BankStatus if one is not status]
