"""The page of one lot: how it stands, what stands against it, each result down to its cell."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.certificate_states import state_of, status_of
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.lots import the_lot
from batchqc.actions.states import State, state_of_lot
from batchqc.api import certificates as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.lot_states import UNDECIDED, Progress
from batchqc.core.permissions import Permission, is_permitted
from batchqc.errors import NotFound
from batchqc.records.audit import newest_about
from batchqc.records.cell_banks import parents_of
from batchqc.records.decisions import certificates_of
from batchqc.records.once import each_once
from batchqc.web.calls import Visit
from batchqc.web.charts import chart_of
from batchqc.web.decision_kinds import offered
from batchqc.web.investigation_new import may_be_asked_for
from batchqc.web.lot_links import links_of
from batchqc.web.lot_results import Line, by_category, first_to_look_at, lines_of, sources_of, tally
from batchqc.web.lot_rows import rows, strip
from batchqc.web.numbers import room
from batchqc.web.rendering import asks_for_part, page

router = Routes()

_READ: Final = 60
_TOLD: Final = 10
_DECIDED: Final = "Disposition"  # the gate that a decision closes: of a decided lot it says nothing


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of the audit trail as a timeline tells it."""

    at: datetime
    who: str
    role: str
    what: str
    reason: str
    times: int = 1

    def same(self, other: "Event") -> bool:
        """Whether the same person did the same."""
        return (self.who, self.what, self.reason) == (other.who, other.what, other.reason)


@dataclass(frozen=True, slots=True)
class Listed:
    """A certificate of the lot."""

    number: str
    status: str
    superseded_by: str
    withdrawn: str
    reserved_at: datetime


@router.get("/lots/{lot}")
def show(request: Request, call: Visit, lot: str, show: str = "", did: str = "") -> Response:
    """The whole page, or only the criterion that was asked for."""
    with call.reading() as session:
        is_part = asks_for_part(request)
        content = _content(session, call, lot, show, is_part=is_part)
        if is_part:
            return page(request, "lot_result.html", **content)
        return page(request, "lot.html", did=did, **content)


@router.get("/certificates/{number}/pdf")
def pdf(call: Visit, number: str) -> Response:
    """The sealed document, byte for byte."""
    return api.pdf(call, number)


@each_once
def _content(session: Session, call: Call, lot: str, show: str, *, is_part: bool) -> dict[str, Any]:
    """The criterion that is looked at, and all around it where not only this part is asked for."""
    case = study(session, call.door.archive, lot=the_lot(session, lot), now=call.door.now())
    lines = lines_of(case.verdicts)
    content = _chosen(session, call, case, lines, show)
    if is_part:
        return content
    state = state_of_lot(session, case)
    return content | _around(session, call, case, lines, state)


def _chosen(
    session: Session, call: Call, case: LotCase, lines: list[Line], show: str
) -> dict[str, Any]:
    """The criterion that is looked at, with its cells and its chart."""
    found = next((one for one in lines if one.id == show), None)
    if show and found is None:
        raise NotFound("BQC-WEB-006", f'{case.version.reference} has no criterion "{show}"')
    chosen = found or first_to_look_at(lines)
    content = {"case": case, "lines": lines, "chosen": chosen, "chart": None}
    if chosen is None:
        return content | {"sources": (), "controls": ()}
    content["is_asked"] = may_be_asked_for(case, chosen.verdict) and is_permitted(
        call.person.roles, Permission.INVESTIGATE
    )
    sources, controls = sources_of(case, chosen.verdict)
    chart = chart_of(session, call.door, case, chosen.verdict)
    return content | {"sources": sources, "controls": controls, "chart": chart}


def _around(
    session: Session, call: Call, case: LotCase, lines: list[Line], state: State
) -> dict[str, Any]:
    """What the page says besides: header, gates, history, origin, certificates."""
    is_open = case.disposition in UNDECIDED
    closed = [one for one in case.gates if not one.is_open and (is_open or one.name != _DECIDED)]
    decided = case.dispositions[-1] if case.dispositions else None
    return {
        "tally": tally(lines),
        "groups": by_category(lines),
        "decimals": room(one.result for one in lines),
        "strip": strip,
        "rows": rows,
        "steps": _steps(case),
        "closed": closed,
        "opened": [one for one in case.gates if one.is_open],
        "is_open": is_open,
        "decided": decided,
        "offered": offered(session, call, case),
        "links": links_of(session, call, case),
        "record": state.sha256,
        "events": _events(session, state),
        "certificates": _certificates(session, case),
        "parents": [one.parent for one in parents_of(session, [case.row.key])],
    }


def _steps(case: LotCase) -> list[tuple[Progress, str]]:
    """How far the work is: each step done, now or to come."""
    if case.disposition not in UNDECIDED:
        return [(one, "done") for one in Progress]
    at = list(Progress).index(case.progress)
    return [
        (one, "done" if n < at else "now" if n == at else "next") for n, one in enumerate(Progress)
    ]


def _events(session: Session, state: State) -> list[Event]:
    """What was done last about the lot and what belongs to it, newest first.

    What one person did several times in a row stands once, with the newest time.
    """
    told: list[Event] = []
    for entry in newest_about(session, state.subjects, after=0, limit=_READ):
        body = json.loads(entry.text)
        one = Event(entry.at, body["who"], body["role"], body["what"], body.get("why") or "")
        if told and told[-1].same(one):
            told[-1] = replace(told[-1], times=told[-1].times + 1)
        elif len(told) < _TOLD:
            told.append(one)
    return told


def _certificates(session: Session, case: LotCase) -> list[Listed]:
    found = []
    for one in certificates_of(session, case.row):
        stands = state_of(session, one)
        found.append(
            Listed(
                one.natural_key, status_of(session, one), stands.superseded_by, stands.withdrawn,
                one.reserved_at,
            )
        )  # fmt: skip
    return found
