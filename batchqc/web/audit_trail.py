"""The audit trail: who did what when and why, filtered and paged by its address, and as CSV."""

import json
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final
from zoneinfo import ZoneInfo

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field
from sqlalchemy.orm import Session

from batchqc.actions.setup import own_site
from batchqc.actions.times import moments
from batchqc.actions.views import VIEWED
from batchqc.api.routes import Routes
from batchqc.api.shapes import LARGEST
from batchqc.core.components import Component
from batchqc.core.identifiers import fold
from batchqc.documents.csv_file import MEDIA_TYPE, csv_bytes
from batchqc.records.audit import AuditEntry, newest_link
from batchqc.records.audit_lines import TrailWanted, known_subjects, trail_lines, used_values
from batchqc.records.people import UNKNOWN, person_by
from batchqc.records.registers import lot_by
from batchqc.records.schema import WITNESSED
from batchqc.web.addresses import BLANK_IS_NONE, Address, Recency
from batchqc.web.calls import Visit
from batchqc.web.record_links import linker
from batchqc.web.rendering import page
from batchqc.web.trail_entries import EntryLine, entry_line, shortened
from batchqc.web.trail_state import state_of_trail

router = Routes()

_SHOWN: Final = 50
_AT_ONCE: Final = 500
_COLUMNS: Final = (
    "sequence", "at", "who", "role", "what", "why", "about", "before", "after", "sha256",
)  # fmt: skip


#: How people came in and proved who they are; what was done then has entries of its own.
_ACCESS: Final = (
    "signed in", "signed out", "signed out everywhere", "session ended", "other sessions ended",
    "sent to single sign-on", "returned from single sign-on", "ended at single sign-on",
    "step-up used", UNKNOWN, "answer kept for its idempotency key",
    *(f"{tried.word} {outcome}"
      for tried in Component
      for outcome in ("accepted", "refused", "refused, locked")),
)  # fmt: skip


class Shown(StrEnum):
    """Which entries: what was done, who came in and proved it, what auditors viewed, or all."""

    CHANGES = "changes"
    ACCESS = "access"
    VIEWS = "views"
    ALL = "all"


_ONLY: Final = {Shown.ACCESS: _ACCESS, Shown.VIEWS: (VIEWED,)}


class Asked(Address):
    """What the address asks for; days are days of the site, the last one included."""

    path: ClassVar[str] = "/audit-trail"

    record: str = Field("", max_length=200)
    who: str = Field("", max_length=40)
    what: str = Field("", max_length=100)
    since: Annotated[date | None, BLANK_IS_NONE] = None
    until: Annotated[date | None, BLANK_IS_NONE] = None
    word: str = Field("", max_length=100)
    show: Shown = Shown.CHANGES
    order: Recency = "newest"
    after: int = Field(0, ge=0, le=LARGEST)

    @property
    def is_filtered(self) -> bool:
        """Whether it asks for less than every change."""
        return bool(self.model_dump(exclude={"order", "after"}, exclude_defaults=True))

    def wanted(self, session: Session) -> TrailWanted | None:
        """As a query takes it; ``None`` where nothing can fit."""
        subjects = subjects_like(session, self.record.strip()) if self.record.strip() else ()
        if self.record.strip() and not subjects:
            return None
        person = person_by(session, self.who) if self.who.strip() else None
        what = (self.what,) if self.what else _ONLY.get(self.show, ())
        is_rest = self.show is Shown.CHANGES and not self.what
        zone = ZoneInfo(own_site(session).time_zone)
        since, until = moments(self.since, self.until, zone)
        return TrailWanted(
            subjects=subjects,
            who=person.user_id if person else self.who.strip(),
            what=what,
            but=(VIEWED, *_ACCESS) if is_rest else (),
            since=since,
            until=until,
            word=self.word.strip(),
            oldest_first=self.order == "oldest",
        )


def subjects_like(session: Session, record: str) -> tuple[str, ...]:
    """The keys of the records that somebody names: by key, or by id alone, of whichever kind."""
    if ":" in record and (exact := known_subjects(session, [record])):
        return exact
    lot = lot_by(session, record)
    names = {record, fold(record), record.upper()}
    candidates = {f"{one.__tablename__}:{name}" for one in WITNESSED for name in names}
    return known_subjects(session, candidates | ({lot.key} if lot else set()) | {record})


@router.get("/audit-trail")
def audit_trail(request: Request, call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """A page of entries under how the chain stands."""
    with call.reading() as session:
        entries, more = _some(session, asked, _SHOWN)
        content: dict[str, Any] = {
            "state": state_of_trail(session),
            "actions": used_values(session, AuditEntry.what),
            "people": used_values(session, AuditEntry.who),
        }
    link = linker(request)
    return page(
        request,
        "audit_trail.html",
        asked=asked,
        entries=[(one, [link(key) for key in one.subjects]) for one in entries],
        broken=min(
            (one for one in entries if one.broken), key=lambda one: one.sequence, default=None
        ),
        more=asked.but(after=more) if more else "",
        looked_to=more if asked.word and len(entries) < _SHOWN else 0,
        shown=list(Shown),
        shortened=shortened,
        **content,
    )


@router.get("/audit-trail.csv")
def audit_trail_csv(call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """Every entry of the filter, written while it is read."""
    with call.reading() as session:
        asked.wanted(session)  # refused before anything is answered
    name = {"Content-Disposition": 'attachment; filename="audit-trail.csv"'}
    return StreamingResponse(_rows(call, asked), media_type=MEDIA_TYPE, headers=name)


def _rows(call: Visit, asked: Asked) -> Iterator[bytes]:
    yield csv_bytes([_COLUMNS])
    more = asked.model_copy(update={"after": 0})
    while True:
        with call.reading() as session:
            entries, after = _some(session, more, _AT_ONCE)
        yield csv_bytes(map(_cells, entries)).removeprefix(b"\xef\xbb\xbf")
        if not after:
            return
        more = more.model_copy(update={"after": after})


def _some(session: Session, asked: Asked, limit: int) -> tuple[list[EntryLine], int]:
    wanted = asked.wanted(session)
    if wanted is None or newest_link(session) is None:
        return [], 0
    found = trail_lines(session, wanted, after=asked.after, limit=limit)
    return [entry_line(link, entry) for link, entry in found.lines], found.more


def _cells(one: EntryLine) -> tuple[str, ...]:
    before, after = ({each.name: getattr(each, side) for each in one.changes if getattr(each, side)}
                     for side in ("before", "after"))  # fmt: skip
    return (
        str(one.sequence), one.at.isoformat().replace("+00:00", "Z"), one.who, one.role, one.what,
        one.why, "; ".join(one.subjects), _pairs(before), _pairs(after), one.sha256,
    )  # fmt: skip


def _pairs(found: dict[str, str]) -> str:
    return json.dumps(found, ensure_ascii=False) if found else ""
