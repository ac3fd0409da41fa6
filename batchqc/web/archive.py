"""How the archive is: what was read again and found, how long raw data is kept, holds, disposals.

The acts are signed; each form says exactly what is signed.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.disposals import due_of_lot
from batchqc.actions.lots import the_lot
from batchqc.actions.raw_objects import today_at_site
from batchqc.actions.scrubs import open_damage
from batchqc.api.archive_shapes import disposal_out, hold_out, rule_out
from batchqc.api.routes import Routes
from batchqc.core.permissions import Permission, is_permitted
from batchqc.errors import NotFound
from batchqc.records.archive import ArchiveScrub
from batchqc.records.retention import Disposal, LegalHold, retention_rules
from batchqc.web.calls import Visit
from batchqc.web.forms import NOTHING_SAID, Said, said
from batchqc.web.rendering import page

router = Routes()

_FEW: Final = 20


@dataclass(frozen=True, slots=True)
class Scrub:
    """All parts of one scrub together."""

    number: int
    scope: str
    since: str
    checked: int
    found: int
    finished: bool
    by: str
    at: Any


@router.get("/archive")
def archive(
    request: Request,
    call: Visit,
    lot: Annotated[str, Query(max_length=100)] = "",
    did: str = "",
) -> Response:
    """Damage first; then what keeps raw data, and of one lot until when."""
    with call.reading() as session:
        today = today_at_site(session, call.door.now())
        due, told = _due(session, lot.strip(), today)
        holds = [hold_out(session, one) for one in _newest(session, LegalHold)]
        rules = retention_rules(session)
        content = {
            "damage": [
                (one.sha256, one.problem, one.archive_scrub.scrubbed_at, lots)
                for one, lots in open_damage(session)
            ],
            "scrubs": _scrubs(session),
            "rule": rule_out(rules[-1]) if rules else None,
            "rule_at": rules[-1].signature.at if rules else None,
            "holds": sorted(holds, key=lambda one: bool(one.released_by)),
            "disposals": [disposal_out(session, one) for one in _newest(session, Disposal)],
            "due": due,
        }
    roles = call.person.roles
    return page(
        request,
        "certificate_archive.html",
        status=told.status,
        **told.content,
        **content,
        lot=lot.strip(),
        did=did,
        may_hold=is_permitted(roles, Permission.HOLD_LEGALLY),
        may_dispose=is_permitted(roles, Permission.DISPOSE),
        may_rule=is_permitted(roles, Permission.SET_RETENTION),
    )


def _due(session: Session, lot: str, today: date) -> tuple[Any, Said]:
    if not lot:
        return None, NOTHING_SAID
    try:
        return due_of_lot(session, the_lot(session, lot), today=today), NOTHING_SAID
    except NotFound as error:
        return None, said(error)


def _newest(session: Session, kind: type[Any]) -> list[Any]:
    return list(session.scalars(select(kind).order_by(kind.id.desc()).limit(_FEW)))


def _scrubs(session: Session) -> list[Scrub]:
    """The last scrubs, each with all its parts, newest first."""
    newest = select(ArchiveScrub.number).distinct().order_by(ArchiveScrub.number.desc()).limit(5)
    numbers = session.scalars(newest).all()
    query = select(ArchiveScrub).where(ArchiveScrub.number.in_(numbers)).order_by(ArchiveScrub.id)
    parts: dict[int, list[ArchiveScrub]] = {}
    for row in session.scalars(query):
        parts.setdefault(row.number, []).append(row)
    return [_together(parts[number]) for number in numbers]


def _together(rows: list[ArchiveScrub]) -> Scrub:
    last = rows[-1]
    return Scrub(
        last.number, last.scope, last.since, sum(one.checked for one in rows),
        sum(one.found for one in rows), bool(last.finished), last.scrubbed_by, last.scrubbed_at,
    )  # fmt: skip
