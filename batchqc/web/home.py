"""The first page: what waits for the person who looks, what is due first at the top."""

from typing import Final

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.attempts import LOOKED_AT
from batchqc.actions.open_work import open_work
from batchqc.actions.people import the_person
from batchqc.api.doors import Call
from batchqc.core.open_work import Filter, Item
from batchqc.records.people import Attempt, newest_attempts
from batchqc.web.calls import Visit
from batchqc.web.lot_list import newest_lots
from batchqc.web.rendering import page

router = APIRouter()

_SHOWN: Final = 50
_FEW: Final = 5


@router.get("/")
def home(request: Request, call: Visit, did: str = "") -> Response:
    """Of every lot that is not decided, what this person may do; else the newest lots."""
    with call.reading() as session:
        today, items = open_work(session, call.door.archive, wanted=Filter(), now=call.door.now())
        mine = [one for one in items if not call.person.roles.isdisjoint(one.roles)]
        lots = newest_lots(session, limit=_FEW, now=call.door.now()) if not mine else ()
        last, failed = _attempts(session, call)
    return page(
        request,
        "home.html",
        did=did,
        today=today,
        items=[(one, _link(one), one.is_overdue(today)) for one in mine[:_SHOWN]],
        more=max(0, len(mine) - _SHOWN),
        others=len(items) - len(mine),
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


def _link(item: Item) -> str:
    """Where it is done: the page of its lot, until there is one of its own."""
    return f"/lots/{item.lot}" if item.lot else ""
