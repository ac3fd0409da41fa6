"""Deviations: which are open and what they bear on; each change a row of its own, signed by QA."""

import re
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from batchqc.actions.states import deviation_state
from batchqc.api import deviations as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.tags import tag_of
from batchqc.api.upload_files import csv_answer
from batchqc.core.deviations import State
from batchqc.core.identifiers import fold
from batchqc.core.permissions import WHO_MAY, Permission, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import BatchqcError, NotFound
from batchqc.records.deviations import (
    DeviationLine,
    DeviationsWanted,
    Order,
    count_open_deviations,
    deviation_lines,
    deviation_lots,
    deviation_rows,
    newest_deviation,
)
from batchqc.web.addresses import BLANK_IS_NONE, Address
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, said, signer_of
from batchqc.web.rendering import gone_to, page
from batchqc.web.signed_forms import signed
from batchqc.web.wording import _

router = Routes()

_LIMIT: Final = 50
_ALL: Final = 100_000
_SEPARATED: Final = re.compile(r"[\s,;]+")
_COLUMNS: Final = ("deviation", "title", "link", "state", "blocking", "lots", "by", "at", "reason")


class Show(StrEnum):
    """Which deviations an address asks for."""

    OPEN = "open"
    CLOSED = "closed"


class Asked(Address):
    """What the address asks for; ``after`` is the place with which the page before ended."""

    path: ClassVar[str] = "/deviations"

    lot: str = Field("", max_length=100)
    show: Annotated[Show | None, BLANK_IS_NONE] = None
    order: Order = Order.NEWEST
    after: Annotated[int, Field(ge=0, lt=2**31)] = 0

    def lines(self, session: Session, limit: int) -> list[DeviationLine]:
        """What it asks for."""
        state = State(self.show).value if self.show else ""
        wanted = DeviationsWanted(state, self.lot, self.order)
        return deviation_lines(session, wanted, after=self.after, limit=limit)


@router.get("/deviations")
def deviations(
    request: Request, call: Visit, asked: Annotated[Asked, Query()], did: str = ""
) -> Response:
    """A page of deviations as they stand."""
    with call.reading() as session:
        found = asked.lines(session, _LIMIT + 1)
        still_open, blocking = count_open_deviations(session)
    shown = found[:_LIMIT]
    return page(
        request,
        "deviations.html",
        asked=asked,
        found=shown,
        more=asked.but(after=shown[-1].row.id) if len(found) > _LIMIT else "",
        still_open=still_open,
        blocking=blocking,
        shows=list(Show),
        is_filtered=bool(asked.query(order="")),
        may_record=is_permitted(call.person.roles, Permission.KEEP_DEVIATIONS),
        did=did,
    )


@router.get("/deviations.csv")
def deviations_csv(call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """Every deviation of the list, not only one page of it."""
    with call.reading() as session:
        found = asked.model_copy(update={"after": 0}).lines(session, _ALL)
        rows = [_cells(one) for one in found]
    return csv_answer(csv_bytes([_COLUMNS, *rows]), "deviations.csv")


@router.get("/deviations/new")
def new(request: Request, call: Visit, lot: str = "") -> Response:
    """The form of a deviation that is not on record yet."""
    return _form(request, call, Form({"lots": lot, "blocking": "yes", "state": State.OPEN.value}))


@router.get("/deviations/{deviation}")
def show(request: Request, call: Visit, deviation: str, did: str = "") -> Response:
    """How a deviation stands and stood, and the form to record how it stands now."""
    with call.reading() as session:
        row = newest_deviation(session, deviation)
    if row is None:
        raise NotFound(
            "BQC-WEB-032", f"there is no deviation {deviation}",
            hint=_("Look at how it is written, or choose it from the list of deviations."),
        )  # fmt: skip
    typed = {
        "id": row.deviation,
        "title": row.title,
        "link": row.link,
        "state": row.state,
        "blocking": "yes" if row.blocking else "",
        "known": "yes",
    }
    return _form(request, call, Form(typed), did=did)


@router.post("/deviations")
def record(request: Request, call: Visit, form: OwnForm) -> Response:
    """Sign how it stands, as the API does."""
    try:
        api.record(keyed(call, form), _sent(call, form))
    except BatchqcError as error:
        return _form(request, call, form, said(error))
    return gone_to(request, f"/deviations/{fold(form['id'])}?did=deviation")


def _sent(call: Call, form: Form) -> api.DeviationShape:
    """The request of the API, or everything that is missing at once."""
    asked = {
        "id": _("Write the id that it has in your quality system."),
        "title": _("Write what happened, in one line."),
        "link": _("Write where it stands in your quality system."),
    }
    problems = {name: text for name, text in asked.items() if not form[name]}
    if form["state"] not in set(State):
        problems["state"] = _("Choose how it stands.")
    if not form["known"] and form["id"] and _is_known(call, form["id"]):
        problems["id"] = _("It is on record already: open it from the list, and record it there.")
    signature = signed(call, form, problems)
    given = {name: form[name] for name in ("id", "title", "link", "state")}
    lots = [one for one in _SEPARATED.split(form["lots"]) if one]
    return built(
        api.DeviationShape,
        signature | given | {"blocking": form["blocking"] == "yes", "lots": lots},
    )


def _is_known(call: Call, deviation: str) -> bool:
    with call.reading() as session:
        return newest_deviation(session, deviation) is not None


def _form(
    request: Request, call: Call, form: Form, told: Said = NOTHING_SAID, *, did: str = ""
) -> Response:
    with call.reading() as session:
        folded = fold(form["id"])
        rows = list(reversed(deviation_rows(session, [folded]))) if form["known"] else []
        state = deviation_state(session, form["id"])
        record = f"deviation:{folded}/{len(rows) + 1}" if folded else ""
        return page(
            request,
            "deviation.html",
            status=told.status,
            typed=form,
            did=did,
            rows=rows,
            signatures=[row.signature for row in rows],
            lots=[one.lot.lot for one in deviation_lots(session, folded)] if rows else [],
            record=rows[0].signed_sha256 if rows else "",
            seen=form["seen"] or (tag_of(session, state) if form["known"] else ""),
            signer=signer_of(session, call, record=record, meaning=Meaning.APPROVED),
            meaning=Meaning.APPROVED.value,
            may_record=is_permitted(call.person.roles, Permission.KEEP_DEVIATIONS),
            roles=sorted(WHO_MAY[Permission.KEEP_DEVIATIONS]),
            **told.content,
        )


def _cells(one: DeviationLine) -> tuple[str, ...]:
    row = one.row
    return (
        row.deviation, row.title, row.link, row.state, "yes" if row.blocking else "no",
        "; ".join(one.lots), row.kept_by, row.kept_at.isoformat(), row.reason,
    )  # fmt: skip
