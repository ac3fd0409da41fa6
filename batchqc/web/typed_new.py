"""Typing results that no file holds: choose them, type them, see what is recorded, record it.

The first button reads what was typed as a file is read and records nothing, so that Enter of a
scanner records nothing. Every text travels with the form, and what is recorded is what was shown.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Query, Request, Response

from batchqc.api import entries as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.uses import client_of
from batchqc.core.permissions import Permission
from batchqc.errors import BatchqcError, Conflict, InvalidInput
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, WrongForm, check, said
from batchqc.web.lot_list import newest_lots
from batchqc.web.rendering import gone_to, page
from batchqc.web.source_forms import may, who_may
from batchqc.web.typed_form import Read, TypedRun, read, runs_of, shown
from batchqc.web.typed_plan import Plan, plan_of
from batchqc.web.wording import _

router = Routes()

_LOTS_OFFERED = 8


@router.get("/manual/new")
def ask(
    request: Request, call: Visit, lot: str = "", of: Annotated[list[str] | None, Query()] = None
) -> Response:
    """Which lot, then which of its results, then their fields."""
    keys, lot = of or [], lot.strip()
    if not lot:
        return _lots(request, call)
    try:
        with call.reading() as session:
            plan = plan_of(session, call.door.archive, lot)
        runs = runs_of(plan, keys)
    except BatchqcError as error:
        return _lots(request, call, lot, said(error))
    if not runs:
        return _choice(request, call, plan)
    return _fields(request, call, plan, runs, Form({}))


@router.post("/manual/new")
def send(request: Request, call: Visit, form: OwnForm) -> Response:
    """Read what was typed; record it where it is what was shown."""
    try:
        call.person.acting(Permission.UPLOAD_RESULTS)
        with call.reading() as session:
            plan = plan_of(session, call.door.archive, form["lot"])
        runs = runs_of(plan, chosen(form))
        if not runs:
            raise WrongForm({"of": _("Choose what is typed.")})
    except BatchqcError as error:
        return _lots(request, call, form["lot"], said(error))
    if form["step"] == "change":
        return _fields(request, call, plan, runs, form)
    try:
        found = _read(request, call, plan, runs, form)
        if form["step"] != "record":
            return _preview(request, call, plan, found, form)
        if form["shown"] != shown(found):
            raise Conflict(
                "BQC-WEB-092",
                _("what would be recorded is not what was shown"),
                hint=_("Nothing was recorded. Look at it again, then record it."),
            )
        numbers = _recorded(request, call, form, found)
    except BatchqcError as error:
        return _fields(request, call, plan, runs, form, told=said(error))
    one = f"/manual/{numbers[0]}?did=recorded"
    query = urlencode({"lot": plan.lot.lot, "did": "recorded"})
    return gone_to(request, one if len(numbers) == 1 else f"/manual?{query}")


def chosen(form: Form) -> list[str]:
    """The keys of the results that a form is of, in its order."""
    return [form[name] for name in form.fields if name.startswith("of-")]


def _read(
    request: Request, call: Call, plan: Plan, runs: Sequence[TypedRun], form: Form
) -> list[Read]:
    """Every run, read as it would be recorded.

    Raises:
        WrongForm: BQC-WEB-007 with everything that is wrong in any of them.
    """
    problems: dict[str, str] = {}
    with call.reading() as session:
        found = [
            read(session, call, run, run.entry(plan, form), client_of(request)) for run in runs
        ]
    for one in found:
        problems |= one.problems
    check(problems)
    return found


def _recorded(request: Request, call: Call, form: Form, found: Sequence[Read]) -> list[str]:
    """Record one run after another, as the API does, and answer their numbers.

    Raises:
        BatchqcError: of the first that is refused, with the numbers of those that are recorded.
    """
    numbers: list[str] = []
    for one in found:
        own = keyed(call, form)
        own = replace(own, key=f"{own.key}-{one.run.place}" if own.key else None)
        try:
            answer = api.entered(own, one.entry, request, is_first=True)
            told = json.loads(bytes(answer.body))
            if answer.status_code == 422:
                what = f"{one.run.first.subject.test}, {one.run.first.sample.id}"
                raise InvalidInput(
                    "BQC-WEB-093",
                    _("%(what)s was refused when it was recorded") % {"what": what},
                    hint=_("Look at it again; what is recorded already stays."),
                    reasons=told["reasons"],
                )
        except BatchqcError as error:
            if numbers:
                before = _("recorded before it: %(numbers)s") % {"numbers": ", ".join(numbers)}
                error.reasons = (*error.reasons, before)
            raise
        numbers.append(told["number"])
    return numbers


def _lots(request: Request, call: Call, typed: str = "", told: Said = NOTHING_SAID) -> Response:
    with call.reading() as session:
        lots = newest_lots(session, limit=_LOTS_OFFERED, now=call.door.now())
    content = {"typed": typed, "lots": [one.lot for one in lots]}
    return _page(request, call, "lot", told, content)


def _choice(request: Request, call: Call, plan: Plan) -> Response:
    return _page(request, call, "choice", NOTHING_SAID, {"plan": plan})


def _fields(
    request: Request,
    call: Call,
    plan: Plan,
    runs: Sequence[TypedRun],
    form: Form,
    *,
    told: Said = NOTHING_SAID,
) -> Response:
    zone = ZoneInfo(call.site.time_zone)
    content = {
        "plan": plan,
        "runs": runs,
        "typed": form.fields,
        "now_there": call.door.now().astimezone(zone).isoformat(timespec="minutes"),
    }
    return _page(request, call, "fields", told, content)


def _preview(
    request: Request, call: Call, plan: Plan, found: Sequence[Read], form: Form
) -> Response:
    kept = {
        name: text
        for name, text in form.fields.items()
        if name not in {"token", "key", "step", "shown"}
    }
    content = {"plan": plan, "found": found, "kept": kept, "shown": shown(found)}
    return _page(request, call, "preview", NOTHING_SAID, content)


def _page(
    request: Request, call: Call, step: str, told: Said, content: Mapping[str, object]
) -> Response:
    return page(
        request,
        "typed_new.html",
        status=told.status,
        step=step,
        is_permitted=may(call, Permission.UPLOAD_RESULTS),
        who=who_may(Permission.UPLOAD_RESULTS),
        **content,
        **told.content,
    )
