"""Open work: what is expected and not in, across lots, with its due days."""

import re
from datetime import date, datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from batchqc.actions.key_work import key_work
from batchqc.actions.lots import the_lot
from batchqc.actions.open_work import HORIZON, open_work
from batchqc.api.doors import SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import Page, Paging, not_next
from batchqc.core.open_work import Filter, Item, Work, chosen
from batchqc.core.permissions import Role
from batchqc.records.lots_at_work import PLACE, Among

router = Routes(PREFIX, tags=["open work"], responses=PROBLEMS)


class WorkFilter(Paging):
    """Which items."""

    kind: Work | None = None
    lot: str = ""
    role: Role | None = Field(default=None, description="What this role may do.")
    overdue: bool = Field(default=False, description="Only what should be in already.")
    days: int = Field(default=HORIZON, ge=0, le=366, description="How far ahead to tell what ends.")


class ItemOut(BaseModel):
    """One thing that waits."""

    kind: Work
    lot: str = Field(description="Empty where it belongs to none.")
    what: str
    since: datetime | None
    due: date | None = Field(description="The last day in time, at the site; null: nobody knows.")
    overdue: bool
    roles: list[Role] = Field(description="Who can do it.")
    link: str = Field(description="Where to look.", examples=["/api/v1/lots/UCM-P1-T2/results"])


@router.get("/open-work", summary="What is expected and not in")
def work(call: SignedIn, wanted: Annotated[WorkFilter, Query()]) -> Page[ItemOut]:
    """Of lots that are not decided, what is due first at the top; then what is left on others.

    Where many lots are open, those that expire soonest are looked at first: a page ends with them,
    and the next one tells of the following. Decided lots on which something is left come last,
    oldest first. A page with `next` may hold few items, or none.
    """
    behind, _, place = wanted.after.partition("~")
    if not re.match(PLACE, behind):
        raise not_next(wanted.after)
    now = call.door.now()
    with call.reading() as session:
        lot = the_lot(session, wanted.lot).lot if wanted.lot else ""
        asked = Filter(wanted.kind, lot, wanted.role, wanted.overdue)
        today, items, last = open_work(
            session,
            call.door.archive,
            wanted=asked,
            now=now,
            days=wanted.days,
            among=Among(behind, lot=lot),
        )
    if not behind:
        items = chosen([*items, *key_work(call.door.press, now)], asked, today)
    rest = [item for item in items if item.place > place]
    shown = rest[: wanted.limit]
    more = f"{last}~" if last else None
    if len(rest) > wanted.limit:
        more = f"{behind}~{shown[-1].place}"
    return Page(items=[_shown(item, today) for item in shown], next=more)


def _shown(item: Item, today: date) -> ItemOut:
    return ItemOut(
        kind=item.kind,
        lot=item.lot,
        what=item.what,
        since=item.since,
        due=item.due,
        overdue=item.is_overdue(today),
        roles=list(item.roles),
        link=f"/api/v1{item.link}",
    )
