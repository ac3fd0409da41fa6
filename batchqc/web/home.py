"""The first page: what waits for the person who looks, what is due first at the top."""

from typing import Annotated, Final

from fastapi import Query, Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.attempts import LOOKED_AT
from batchqc.actions.people import the_person
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.records.people import Attempt, newest_attempts
from batchqc.web.calls import Visit
from batchqc.web.lot_list import newest_lots
from batchqc.web.rendering import page
from batchqc.web.work import SHOWN, AskedWork, WorkOrder, find_work

router = Routes()

_FEW: Final = 5


@router.get("/")
def home(request: Request, call: Visit, asked: Annotated[AskedWork, Query()]) -> Response:
    """Of every lot that is not decided, what this person may do; else the newest lots."""
    with call.reading() as session:
        found = find_work(session, call, asked)
        is_idle = found.is_whole and not found.mine
        lots = newest_lots(session, limit=_FEW, now=call.door.now()) if is_idle else ()
        last, failed = _attempts(session, call)
    until, more = asked.after + SHOWN, ""
    if len(found.lines) > until:
        more = asked.but(after=until, behind=asked.behind)
    elif found.last:
        more = asked.but(behind=found.last)
    return page(
        request,
        "home.html",
        asked=asked,
        found=found,
        lines=found.lines[asked.after : until],
        more=more,
        orders=list(WorkOrder),
        lots=lots,
        last=last,
        failed=failed,
    )


def _attempts(session: Session, call: Call) -> tuple[Attempt | None, int]:
    """The sign-in before this one, and how many attempts failed since."""
    newest = newest_attempts(session, the_person(session, call.person.user_id), limit=2 * LOOKED_AT)
    before = [one for one in newest if one.purpose == "sign-in"][1:]
    last = next((one for one in before if one.succeeded), None)
    failed = [one for one in before if not one.succeeded and (last is None or one.at > last.at)]
    return last, len(failed)
