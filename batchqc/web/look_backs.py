"""Look-backs: the list, and one with every lot and dose concerned, where each is now, and whom."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final, Literal

from fastapi import Query, Request, Response
from pydantic import Field as Limited
from sqlalchemy.orm import Session

from batchqc.actions.genealogy_states import states_of
from batchqc.actions.look_backs import the_look_back
from batchqc.actions.specifications import site_day
from batchqc.actions.whereabouts import told_now
from batchqc.api import look_backs as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.look_backs import LookBackCause
from batchqc.core.permissions import Permission
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.bank_lines import LookBacksWanted, closings_of, look_back_rows
from batchqc.records.genealogy import nodes_by, portions
from batchqc.records.shipments import sites_newest
from batchqc.web.addresses import BLANK_IS_NONE, Address, Recency
from batchqc.web.calls import Visit
from batchqc.web.family_tree import look_of
from batchqc.web.rendering import page
from batchqc.web.source_forms import may, who_may

router = Routes()

_PAGE: Final = 50
_DOSES: Final = 100
_LIST: Final = (
    "look_back", "source", "cause", "reason", "started_by", "started_at", "state", "conclusion",
)  # fmt: skip
_COLUMNS: Final = (
    "container", "of", "status_then", "status_now", "shipment", "site", "shipped_on", "recipient",
    "administered_on",
)  # fmt: skip


class Asked(Address):
    """What the address asks for."""

    path: ClassVar[str] = "/look-backs"

    text: str = Limited("", max_length=100)
    cause: Annotated[LookBackCause | None, BLANK_IS_NONE] = None
    state: Literal["", "open", "closed"] = ""
    order: Recency = "newest"
    after: str = Limited("", max_length=100)

    @property
    def wanted(self) -> LookBacksWanted:
        """As a query takes it."""
        is_open = {"open": True, "closed": False}.get(self.state)
        return LookBacksWanted(
            self.text.strip(), self.cause, is_open, oldest_first=self.order == "oldest"
        )


@router.get("/look-backs")
def look_backs(request: Request, call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """A page of look-backs; the address is the state."""
    with call.reading() as session:
        after = the_look_back(session, asked.after) if asked.after else None
        rows = look_back_rows(session, asked.wanted, after=after, limit=_PAGE + 1)
        shown = rows[:_PAGE]
        closings = closings_of(session, shown)
        return page(
            request,
            "source_look_backs.html",
            asked=asked,
            look_backs=[(one, closings.get(one.id)) for one in shown],
            more=asked.but(after=shown[-1].natural_key) if len(rows) > _PAGE else "",
            causes=list(LookBackCause),
            is_filtered=bool(asked.query(order="")),
            may_start=may(call, Permission.START_LOOK_BACK),
            who=who_may(Permission.START_LOOK_BACK),
        )


@router.get("/look-backs.csv")
def look_backs_csv(call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """Every look-back of the list."""
    rows: list[tuple[str, ...]] = [_LIST]
    after = None
    with call.reading() as session:
        while some := look_back_rows(session, asked.wanted, after=after, limit=500):
            closings = closings_of(session, some)
            rows += [_cells(one, closings.get(one.id)) for one in some]
            after = some[-1]
    return csv_answer(csv_bytes(rows), "look-backs.csv")


@router.get("/look-backs/{number}")
def look_back(
    request: Request, call: Visit, number: str, after: str = "", did: str = ""
) -> Response:
    """One look-back: what was held, and where every dose is now."""
    found = api.one_look_back(call, number)
    listed = api.doses(call, number, after, _DOSES)
    with call.reading() as session:
        frozen = api.doses_of(session, call.door.archive, the_look_back(session, number))
        content = _concerned(session, call, found) | _doses(session, frozen)
    return page(
        request,
        "source_look_back.html",
        found=found,
        listed=listed,
        after=after,
        did=did,
        may_close=found.is_open and may(call, Permission.CLOSE_LOOK_BACK),
        who=who_may(Permission.CLOSE_LOOK_BACK),
        **content,
    )


@router.get("/look-backs/{number}/doses.csv")
def doses_csv(call: Visit, number: str) -> Response:
    """Every dose of the frozen list, with how it stands now."""
    with call.reading() as session:
        frozen = api.doses_of(session, call.door.archive, the_look_back(session, number))
        rows = [
            (
                one["container"], one["of"], one["status"], one["status_now"] or "gone",
                one["shipment"], one["site"], one["shipped_on"], one["recipient"],
                one["administered_on"],
            )
            for one in told_now(session, frozen)
        ]  # fmt: skip
    return csv_answer(csv_bytes([_COLUMNS, *rows]), f"{number}-doses.csv")


def _cells(row: Any, closing: Any) -> tuple[str, ...]:
    return (
        row.natural_key, row.source, row.cause, row.reason, row.started_by,
        row.started_at.isoformat(timespec="seconds"), "closed" if closing else "open",
        closing.conclusion if closing else "",
    )  # fmt: skip


def _concerned(session: Session, call: Call, found: api.LookBackOut) -> dict[str, Any]:
    """Lots and banks as they stand now."""
    keys = [*found.banks, *found.lots]
    nodes = {key: row for some in portions(keys) for key, row in nodes_by(session, some).items()}
    said = states_of(session, nodes, today=site_day(session, call.door.now())).said
    return {"concerned": [(one, said.get(one, ""), look_of(said.get(one, ""))) for one in keys]}


def _doses(session: Session, frozen: Sequence[dict[str, str]]) -> dict[str, Any]:
    """How many doses stand how, and the sites that have or gave some, with whom to call there."""
    told = list(told_now(session, frozen))
    known = {one.code: one for one in sites_newest(session)}
    sites: dict[str, list[dict[str, str]]] = {}
    for one in told:
        if one["site"]:
            sites.setdefault(one["site"], []).append(one)
    return {
        "doses": len(told),
        "counts": Counter(one["status_now"] or "gone" for one in told),
        "sites": [
            (code, known.get(code), len(some), sorted({one["recipient"] for one in some} - {""}))
            for code, some in sorted(sites.items())
        ],
    }
