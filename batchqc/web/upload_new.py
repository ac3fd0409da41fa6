"""A new upload: choose a file, see what is read of it and what is wrong, then record it.

The preview reads as the upload does and records nothing. The bytes wait on the server for the
person who sent them, and those bytes, with what was stated beside them, are what is recorded.
"""

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from batchqc.actions.annotations import annotated_file
from batchqc.actions.profiles import profile_named
from batchqc.actions.signing import check_reason
from batchqc.actions.uploads import preview_upload
from batchqc.api import upload_files, uploads
from batchqc.api.bodies import StatedBeside
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.permissions import Permission, is_permitted
from batchqc.documents.malware import check_harmless
from batchqc.errors import BatchqcError, InvalidInput
from batchqc.records.profiles import approved_profiles
from batchqc.web.addresses import BLANK_IS_NONE
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, WrongForm, said
from batchqc.web.lot_list import newest_lots
from batchqc.web.rendering import gone_to, page
from batchqc.web.sent_files import FileForm, OwnFile
from batchqc.web.upload_seen import View, preview_content
from batchqc.web.waiting import Beside, WaitingFiles

router = Routes()

_LOTS_OFFERED: Final = 20
_FIELDS: Final = ("profile", "stated", "samples", "supersedes", "retest")


class TemplateAsked(BaseModel):
    """For what a template is made; lots are parted by blanks or commas."""

    model_config = ConfigDict(extra="forbid")

    lots: str = Field(default="", max_length=2000)
    day: Annotated[date | None, BLANK_IS_NONE] = None
    test: str = Field(default="", max_length=100)
    run: str = Field(default="", max_length=100)


@router.get("/uploads/new")
def new(request: Request, call: Visit, lots: str = "", profile: str = "") -> Response:
    """The form, and the template for it; who may not upload is told who may."""
    asked = TemplateAsked(lots=lots[:2000])
    return _form(request, call, asked=asked, typed={"profile": profile})


@router.get("/uploads/template.csv")
def template(request: Request, call: Visit, asked: Annotated[TemplateAsked, Query()]) -> Response:
    """The CSV to fill: what is still to be measured."""
    lots = [one for one in re.split(r"[\s,;]+", asked.lots) if one]
    try:
        return upload_files.template(call, lots, asked.day, asked.run.strip(), asked.test.strip())
    except BatchqcError as error:
        return _form(request, call, asked=asked, told=said(error))


@router.post("/uploads/new")
def send(request: Request, call: Visit, sent: OwnFile) -> Response:
    """Keep the file for its preview; nothing is recorded."""
    try:
        beside = _beside(sent)
        file = sent.chosen()
        beside.received(file)
        check_harmless(call.door.settings.malware_scanner, file.name, [file.data or b""])
    except BatchqcError as error:
        return _form(request, call, typed=_typed(sent.form), told=said(error))
    owner = call.person.user_id
    key = _waiting(request).put(owner, file=file, beside=beside, now=call.door.now())
    return gone_to(request, f"/uploads/preview/{key}")


@router.get("/uploads/preview/{key}")
def preview(request: Request, call: Visit, key: str, view: Annotated[View, Query()]) -> Response:
    """What is read of a file that waits, and everything that is wrong with it."""
    return _preview(request, call, key, view=view)


@router.get("/uploads/preview/{key}/annotated.csv")
def annotated(request: Request, call: Visit, key: str) -> Response:
    """The file that waits, with its problems beside its rows."""
    call.person.acting(Permission.UPLOAD_RESULTS)
    waiting = _waiting(request).get(call.person.user_id, key=key, now=call.door.now())
    file = waiting.beside.received(waiting.file)
    with call.reading() as session:
        archive = call.door.archive
        report = preview_upload(session, archive, file=file, now=call.door.now())
        data = annotated_file(session, archive, file, report)
    return csv_answer(data, "annotated.csv")


@router.post("/uploads/preview/{key}")
def record(request: Request, call: Visit, form: OwnForm, key: str) -> Response:
    """Record the bytes that were previewed, as the API does: whole, or refused and on record."""
    try:
        waiting = _waiting(request).get(call.person.user_id, key=key, now=call.door.now())
        beside = waiting.beside
        claims = (beside.supersedes, beside.retest)
        answer = uploads.add(keyed(call, form), waiting.file, beside.stated, claims)
    except BatchqcError as error:
        return _preview(request, call, key, told=said(error))
    told = json.loads(bytes(answer.body))
    if answer.status_code == 422:
        return gone_to(request, f"/uploads/{told['report']['number']}?did=refused")
    did = "before" if told["answered_before"] else "recorded"
    return gone_to(request, f"/uploads/{told['number']}?did={did}")


def _waiting(request: Request) -> WaitingFiles:
    found: WaitingFiles = request.app.state.waiting
    return found


def _beside(sent: FileForm) -> Beside:
    """What was typed beside the file.

    Raises:
        WrongForm: BQC-WEB-007 a reason or a line is none that can be taken.
    """
    form = sent.form
    why = form["supersedes"]
    if why:
        try:
            check_reason(why)
        except InvalidInput as error:
            raise WrongForm({"supersedes": error.message}) from error
    stated = StatedBeside(form["profile"], _lines(form["stated"]), _lines(form["samples"]))
    return Beside(stated, why or None, form["retest"])


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _form(
    request: Request,
    call: Call,
    *,
    asked: TemplateAsked | None = None,
    typed: Mapping[str, str] | None = None,
    told: Said = NOTHING_SAID,
) -> Response:
    with call.reading() as session:
        lots = newest_lots(session, limit=_LOTS_OFFERED, now=call.door.now())
        profiles = approved_profiles(session)
    return page(
        request,
        "upload_new.html",
        status=told.status,
        asked=asked or TemplateAsked(),
        typed=dict.fromkeys(_FIELDS, "") | dict(typed or {}),
        may_upload=is_permitted(call.person.roles, Permission.UPLOAD_RESULTS),
        limit=call.door.settings.upload_limit,
        lots=[one.lot for one in lots],
        profiles=profiles,
        **told.content,
    )


def _preview(
    request: Request, call: Call, key: str, *, view: View | None = None, told: Said = NOTHING_SAID
) -> Response:
    try:
        call.person.acting(Permission.UPLOAD_RESULTS)
        waiting = _waiting(request).get(call.person.user_id, key=key, now=call.door.now())
        file = waiting.beside.received(waiting.file)
        with call.reading() as session:
            report = preview_upload(session, call.door.archive, file=file, now=call.door.now())
            profile = profile_named(session, call.door.archive, file.profile)
            profiles = approved_profiles(session)
    except BatchqcError as error:
        return _form(request, call, told=said(error))
    return page(
        request,
        "upload_preview.html",
        status=told.status,
        waiting=waiting,
        here=f"/uploads/preview/{key}",
        typed=_told(waiting.beside),
        limit=call.door.settings.upload_limit,
        profiles=profiles,
        **preview_content(file, report, profile, view or View()),
        **told.content,
    )


def _typed(form: Form) -> dict[str, str]:
    return {name: form[name] for name in _FIELDS}


def _told(beside: Beside) -> dict[str, str]:
    stated = beside.stated
    return {
        "profile": stated.profile,
        "stated": "\n".join(stated.stated),
        "samples": "\n".join(stated.samples),
        "supersedes": beside.supersedes or "",
        "retest": beside.retest,
    }
