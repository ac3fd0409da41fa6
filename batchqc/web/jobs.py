"""Jobs: what somebody asked for that takes long, how far it is, and what came of it.

The page of a job asks for its own middle again while the job is not over, and without a script it
loads itself anew. Its address stays, so that who closes it misses nothing.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from fastapi import Query, Request, Response
from pydantic import Field

from batchqc.actions.jobs import keeps_jobs, the_job
from batchqc.api import jobs as api
from batchqc.api.routes import Routes
from batchqc.core.jobs import ENDED, State
from batchqc.core.permissions import Permission, is_permitted
from batchqc.errors import BatchqcError
from batchqc.records.jobs import JobsWanted, job_lines, newest_step, steps_of
from batchqc.web.addresses import BLANK_IS_NONE, Address, Recency
from batchqc.web.calls import OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, said
from batchqc.web.rendering import gone_to, page

router = Routes()

_AT_ONCE: Final = 50
#: Of what the API answers with, the page on which people read it.
_PAGES: Final = {"/archive/damage": "/archive"}


class Show(StrEnum):
    """Which jobs an address asks for."""

    GOING_ON = "going-on"
    DONE = "done"
    FAILED = "failed"
    CLOSED = "closed"


_STATES: Final[Mapping[Show, tuple[State, ...]]] = {
    Show.GOING_ON: (State.QUEUED, State.RUNNING, State.WAITING),
    Show.DONE: (State.DONE,),
    Show.FAILED: (State.FAILED,),
    Show.CLOSED: (State.CLOSED,),
}


class Listed(Address):
    """Which of the jobs, and which page of them."""

    path: ClassVar[str] = "/jobs"

    show: Annotated[Show | None, BLANK_IS_NONE] = None
    order: Recency = "newest"
    after: str = Field("", max_length=100)


@router.get("/jobs")
def jobs(request: Request, call: Visit, asked: Annotated[Listed, Query()]) -> Response:
    """One's own jobs; for QA and administrators those of all."""
    is_keeper = keeps_jobs(call.person)
    with call.reading() as session:
        found = job_lines(
            session,
            JobsWanted(
                asked_by="" if is_keeper else call.person.user_id,
                states=_STATES[asked.show] if asked.show else (),
                oldest_first=asked.order == "oldest",
            ),
            behind=the_job(session, asked.after, person=call.person) if asked.after else None,
            limit=_AT_ONCE + 1,
        )
        more = found[_AT_ONCE - 1].job.natural_key if len(found) > _AT_ONCE else ""
        return page(
            request,
            "jobs.html",
            asked=asked,
            found=[api.shown_job(session, one) for one in found[:_AT_ONCE]],
            more=asked.but(after=more) if more else "",
            is_keeper=is_keeper,
        )


@router.get("/jobs/{number}")
def job(request: Request, call: Visit, number: str) -> Response:
    """Where a job is, how far, and what came of it."""
    return _page(request, call, number)


@router.get("/jobs/{number}/result")
def result(call: Visit, number: str) -> Response:
    """The file that it made."""
    return api.result(call, number)


@router.post("/jobs/{number}/retry")
def retry(request: Request, call: Visit, form: OwnForm, number: str) -> Response:
    """Have it tried again."""
    call.person.acting(Permission.KEEP_JOBS)
    try:
        api.retry(keyed(call, form), number, built(api.Because, {"reason": form["reason"]}))
    except BatchqcError as error:
        return _page(request, call, number, said(error))
    return gone_to(request, f"/jobs/{number}")


@router.post("/jobs/{number}/closing")
def close(request: Request, call: Visit, form: OwnForm, number: str) -> Response:
    """Close it: nothing more comes of it."""
    call.person.acting(Permission.KEEP_JOBS)
    try:
        api.close(keyed(call, form), number, built(api.Because, {"reason": form["reason"]}))
    except BatchqcError as error:
        return _page(request, call, number, said(error))
    return gone_to(request, f"/jobs/{number}")


def led_to(request: Request, accepted: Response) -> Response:
    """Lead on to the job that was asked for."""
    return gone_to(request, accepted.headers["Location"].removeprefix("/api/v1"))


def _page(request: Request, call: Visit, number: str, told: Said = NOTHING_SAID) -> Response:
    with call.reading() as session:
        row = the_job(session, number, person=call.person)
        found = api.shown_job(session, newest_step(session, row))
        is_file = found.result.endswith("/result")
        may_see = not is_file or is_permitted(call.person.roles, Permission.EXPORT_RECORDS)
        return page(
            request,
            "job.html",
            status=told.status,
            job=found,
            due=datetime.fromisoformat(found.due) if found.due else None,
            wanted=_wanted(found.wanted),
            steps=steps_of(session, row),
            is_over=found.state in ENDED,
            has_failed=found.state == State.FAILED,
            leads_to=_PAGES.get(found.result, found.result) if may_see else "",
            is_file=is_file,
            may=keeps_jobs(call.person),
            **told.content,
        )


def _wanted(text: str) -> list[tuple[str, str]]:
    """What is wanted, name by name; what is left open is not told."""
    found = json.loads(text).items()
    return [
        (name, ", ".join(map(str, one)) if isinstance(one, list) else str(one))
        for name, one in found
        if one not in ("", [])
    ]
