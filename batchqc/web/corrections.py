"""Corrections of registration data: the list, one of them, and the form that asks for one.

What was registered stays; the page shows it struck through beside what it should say. A result is
no registration data: it is superseded by another upload, or stands.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from batchqc.actions.corrected_records import Correctable, correctable
from batchqc.actions.corrections import the_correction
from batchqc.actions.donor_corrections import WORDS
from batchqc.api import corrections as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.permissions import Permission, is_permitted
from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import BatchqcError
from batchqc.records.corrections import (
    Correction,
    CorrectionDecision,
    CorrectionState,
    CorrectionsWanted,
    corrections_wanted,
    decision_on,
)
from batchqc.records.registers import lot_by, samples_of
from batchqc.web.addresses import BLANK_IS_NONE, Address, Recency
from batchqc.web.calls import OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, check, said
from batchqc.web.rendering import gone_to, page
from batchqc.web.wording import _

router = Routes()

_SHOWN: Final = 50
_ALL: Final = 100_000
_COLUMNS: Final = (
    "number", "record", "field", "before", "after", "reason", "requested_by", "requested_at",
    "state", "decided_by",
)  # fmt: skip


class AskedCorrections(Address):
    """What the address asks for; ``after`` is the last number of the page before."""

    path: ClassVar[str] = "/corrections"

    state: Annotated[CorrectionState | None, BLANK_IS_NONE] = None
    text: str = Field("", max_length=100)
    order: Recency = "newest"
    after: str = Field("", max_length=30)

    @property
    def wanted(self) -> CorrectionsWanted:
        """As a query takes it."""
        return CorrectionsWanted(self.state, self.text.strip(), oldest_first=self.order == "oldest")


class AskedNew(BaseModel):
    """Which field of which record."""

    subject: str = Field("", max_length=200)
    field: str = Field("", max_length=40)


@dataclass(frozen=True, slots=True)
class CorrectionLine:
    """A correction, how it stands, and who decided."""

    row: Correction
    state: CorrectionState
    decision: CorrectionDecision | None

    @property
    def lot(self) -> str:
        """Whose page it leads to, where the record is a lot."""
        kind, _colon, name = self.row.subject.partition(":")
        return name if kind == "lot" else ""


@router.get("/corrections")
def corrections(
    request: Request, call: Visit, asked: Annotated[AskedCorrections, Query()]
) -> Response:
    """A page of corrections; the address is the state."""
    with call.reading() as session:
        found = _find(session, asked, _SHOWN)
        return page(
            request,
            "correction_list.html",
            asked=asked,
            lines=found[:_SHOWN],
            more=asked.but(after=found[_SHOWN - 1].row.natural_key) if len(found) > _SHOWN else "",
            states=list(CorrectionState),
            may_ask=_may(call, Permission.REQUEST_CORRECTION),
        )


@router.get("/corrections.csv")
def corrections_csv(call: Visit, asked: Annotated[AskedCorrections, Query()]) -> Response:
    """Every correction of the list, not only one page of it."""
    with call.reading() as session:
        every = _find(session, asked.model_copy(update={"after": ""}), _ALL)
        rows = [_cells(one) for one in every]
    return csv_answer(csv_bytes([_COLUMNS, *rows]), "corrections.csv")


@router.get("/corrections/new")
def ask(request: Request, call: Visit, asked: Annotated[AskedNew, Query()]) -> Response:
    """The record's fields as they are now, and the form for one of them."""
    return _form(request, call, asked.subject.strip(), asked.field, {})


@router.post("/corrections/new")
def add(request: Request, call: Visit, form: OwnForm) -> Response:
    """Ask for it, as the API does; a refusal keeps what was typed."""
    typed = {"after": form["after"], "reason": form["reason"]}
    try:
        check(
            {
                "after": "" if typed["after"] else _("Type what it should say."),
                "reason": "" if typed["reason"] else _("Write why it was wrong."),
            }
        )
        names = {"subject": form["subject"], "field": form["field"]}
        sent = built(api.NewCorrection, names | typed)
        made = json.loads(bytes(api.add(keyed(call, form), sent).body))
    except BatchqcError as error:
        return _form(request, call, form["subject"], form["field"], typed, said(error))
    return gone_to(request, f"/corrections/{made['number']}?did=asked")


@router.get("/corrections/{number}")
def one(request: Request, call: Visit, number: str, did: str = "") -> Response:
    """Old and new, why, who asked, who decides."""
    with call.reading() as session:
        row = the_correction(session, number)
        line = line_of(session, row)
        return page(
            request,
            "correction.html",
            did=did,
            line=line,
            may_decide=_may(call, Permission.APPROVE_CORRECTION),
            is_own=row.requested_by == call.person.user_id,
        )


def line_of(session: Session, row: Correction) -> CorrectionLine:
    """A correction as its page shows it."""
    decision = decision_on(session, row)
    return CorrectionLine(row, _state(decision), decision)


def _find(session: Session, asked: AskedCorrections, limit: int) -> Sequence[CorrectionLine]:
    behind = the_correction(session, asked.after) if asked.after else None
    found = corrections_wanted(session, asked.wanted, behind=behind, limit=limit)
    return [CorrectionLine(row, _state(decision), decision) for row, decision in found]


def _state(decision: CorrectionDecision | None) -> CorrectionState:
    if decision is None:
        return CorrectionState.WAITS
    return CorrectionState.APPROVED if decision.approved else CorrectionState.REFUSED


def _form(
    request: Request,
    call: Call,
    subject: str,
    field: str,
    typed: dict[str, str],
    told: Said = NOTHING_SAID,
) -> Response:
    record, siblings = None, list[str]()
    if subject:
        with call.reading() as session:
            record = correctable(session, subject)
            siblings = _records_of(session, record)
    is_known = record is not None and field in record.fields
    return page(
        request,
        "correction_new.html",
        status=told.status,
        record=record,
        siblings=siblings,
        subject=subject,
        chosen_field=field if is_known else "",
        words=WORDS.get(field, ()),
        typed=typed,
        may_ask=_may(call, Permission.REQUEST_CORRECTION),
        **told.content,
    )


def _records_of(session: Session, record: Correctable) -> list[str]:
    """The lot of a record and its samples, to choose among."""
    row = lot_by(session, record.lot) if record.lot else None
    if row is None:
        return [record.subject]
    return [row.key, *(one.key for one in samples_of(session, [row]))]


def _may(call: Call, permission: Permission) -> bool:
    return is_permitted(call.person.roles, permission)


def _cells(line: CorrectionLine) -> tuple[str, ...]:
    row = line.row
    decided_by = line.decision.signature.person.user_id if line.decision else ""
    return (
        row.natural_key, row.subject, row.field, row.before, row.after, row.reason,
        row.requested_by, row.requested_at.isoformat(), line.state, decided_by,
    )  # fmt: skip
