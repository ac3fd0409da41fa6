"""Typed results: the list with their state, one of them, and the documents that belong to it.

A value is hidden from whom the API hides it: while it waits, all but who typed or measured it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, ClassVar, Final

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from batchqc.actions.uploads import the_upload
from batchqc.api import entries as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.entries import SecondEntry
from batchqc.core.permissions import Permission
from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import BatchqcError
from batchqc.records.typed_lines import (
    SoughtEntries,
    TypedLine,
    count_typed_up_to,
    typed_lines,
)
from batchqc.web.addresses import BLANK_IS_NONE, Address, Recency
from batchqc.web.calls import Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, check, said
from batchqc.web.investigation_documents import Sent
from batchqc.web.rendering import gone_to, page
from batchqc.web.second_entries import analytes_of
from batchqc.web.source_forms import may, who_may
from batchqc.web.wording import _

router = Routes()

#: Where documents are sent to: their bodies may be larger than those of other forms.
DOCUMENTS: Final = "/manual/documents"
_COUNTED: Final = 1000
_AT_ONCE: Final = 500
_COLUMNS: Final = (
    "entry", "state", "lot", "samples", "test", "run", "analytes", "analysts", "entered_by",
    "entered_at", "verified_by",
)  # fmt: skip
_STATES: Final = (SecondEntry.WAITS, SecondEntry.VERIFIED, SecondEntry.MISMATCH)


class AskedEntries(Address):
    """What the address of the list asks for."""

    path: ClassVar[str] = "/manual"

    lot: str = Field("", max_length=100)
    state: Annotated[SecondEntry | None, BLANK_IS_NONE] = None
    person: str = Field("", max_length=100)
    order: Recency = "newest"
    after: str = Field("", max_length=40)
    did: str = Field("", max_length=20, exclude=True)

    @property
    def is_filtered(self) -> bool:
        """Whether something is left out."""
        return bool(self.lot or self.state or self.person)

    def sought(self, session: Session, limit: int) -> SoughtEntries:
        """As a query takes it."""
        behind = the_upload(session, self.after) if self.after else None
        return SoughtEntries(
            self.lot.strip(), self.state, self.person.strip(), behind, limit,
            oldest_first=self.order == "oldest",
        )  # fmt: skip


@router.get("/manual")
def entries(request: Request, call: Visit, asked: Annotated[AskedEntries, Query()]) -> Response:
    """A page of typed results; the address is the state."""
    with call.reading() as session:
        sought = asked.sought(session, 50)
        found = typed_lines(session, sought)
        total = count_typed_up_to(session, sought, _COUNTED + 1)
        shown = found[: sought.limit]
        is_more = len(found) > sought.limit
        return page(
            request,
            "typed_list.html",
            asked=asked,
            entries=shown,
            states=_STATES,
            more=asked.but(after=shown[-1].upload.natural_key) if is_more else "",
            total=total,
            counted=_COUNTED,
            may_type=may(call, Permission.UPLOAD_RESULTS),
        )


@router.get("/manual.csv")
def entries_csv(call: Visit, asked: Annotated[AskedEntries, Query()]) -> Response:
    """Every typed result of the list, not only one page of it; no values."""
    with call.reading() as session:
        first = asked.model_copy(update={"after": ""}).sought(session, _AT_ONCE)
        rows = [_COLUMNS, *map(_cells, _all(session, first))]
    return csv_answer(csv_bytes(rows), "typed-results.csv")


@router.get("/manual/{number}")
def one(request: Request, call: Visit, number: str, did: str = "") -> Response:
    """A typed result, its second entry and its documents."""
    entry = _entry(call, number)
    is_own = entry.entered_by == call.person.user_id
    waits = entry.state is SecondEntry.WAITS
    knows = call.person.user_id in {entry.entered_by, entry.analyst}
    return page(
        request,
        "typed_one.html",
        did=did,
        entry=entry,
        analytes=analytes_of(entry),
        waits=waits,
        may_attach=waits and is_own and may(call, Permission.UPLOAD_RESULTS),
        may_verify=waits and not knows and may(call, Permission.REVIEW_RESULTS),
    )


@router.get("/manual/{number}/document")
def ask_document(request: Request, call: Visit, number: str) -> Response:
    """The form to attach a document."""
    return _document_form(request, call, number)


@router.post(DOCUMENTS)
def attach(request: Request, call: Visit, sent: Sent) -> Response:
    """Attach it, as the API does."""
    form, document = sent
    try:
        check({"file": "" if document else _("Choose a file.")})
        if document is not None:
            api.attach(keyed(call, form), document, form["number"])
    except BatchqcError as error:
        return _document_form(request, call, form["number"], said(error))
    return gone_to(request, f"/manual/{form['number']}?did=document")


def _document_form(
    request: Request, call: Call, number: str, told: Said = NOTHING_SAID
) -> Response:
    entry = _entry(call, number)
    why_not = ""
    if entry.state is not SecondEntry.WAITS:
        why_not = _("Its second entry is made: what was typed and its documents stay as they are.")
    elif entry.entered_by != call.person.user_id:
        why_not = _("%(who)s typed it, and attaches its documents.") % {"who": entry.entered_by}
    return page(
        request,
        "typed_document.html",
        status=told.status,
        entry=entry,
        why_not=why_not,
        is_permitted=may(call, Permission.UPLOAD_RESULTS),
        who=who_may(Permission.UPLOAD_RESULTS),
        most=call.door.settings.attachment_limit,
        **told.content,
    )


def _entry(call: Call, number: str) -> api.EntryOut:
    """The entry as this person may see it."""
    return api.EntryOut.model_validate_json(bytes(api.one(call, number).body))


def _all(session: Session, sought: SoughtEntries) -> Iterator[TypedLine]:
    while True:
        found = typed_lines(session, sought)
        yield from found[: sought.limit]
        if len(found) <= sought.limit:
            return
        sought = replace(sought, behind=found[sought.limit - 1].upload)


def _cells(one: TypedLine) -> tuple[str, ...]:
    return (
        one.upload.natural_key, one.state, one.lot, "; ".join(one.samples), one.test, one.run,
        "; ".join(one.analytes), "; ".join(one.analysts), one.upload.uploaded_by,
        one.upload.received_at.isoformat(), one.verified_by,
    )  # fmt: skip
