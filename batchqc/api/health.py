"""Whether this process lives, and whether it can do its work: asked by proxies, for anybody.

Each part that work needs is tried as it is configured. An answer says which part fails and what to
do, and nothing else; why it fails is in the log. It is tried at most every five seconds.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from fastapi import Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from batchqc.actions.checkpoints import check_log_key
from batchqc.actions.codes import check_component_key
from batchqc.actions.setup import own_site
from batchqc.api.doors import Door, OpenDoor
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import Routes
from batchqc.clock import evidence
from batchqc.core.components import CLOCK_SECONDS
from batchqc.documents.component_key import load_component_key
from batchqc.errors import BatchqcError
from batchqc.records.archive import newest_stored
from batchqc.records.audit import newest_entry_at
from batchqc.records.components import AuthenticatorChange
from batchqc.records.database import lacking_columns
from batchqc.records.database_check import hasty_settings
from batchqc.records.transaction import reading

router = Routes(tags=["operation"], responses=PROBLEMS)

_LOG: Final = logging.getLogger("batchqc.health")
_KEPT: Final = timedelta(seconds=5)


class Alive(BaseModel):
    """That the process answers."""

    status: str = Field(examples=["alive"])


class Part(BaseModel):
    """One part of what work needs."""

    part: str = Field(examples=["database"])
    ready: bool
    to_do: str = Field(description="What the system owner does about it.")


class Readiness(BaseModel):
    """Whether work can be done here, part by part."""

    status: str = Field(
        examples=["ready", "degraded", "not ready"],
        description="Degraded: all work goes on but what a part names that others do without.",
    )
    parts: list[Part]


@router.get("/healthz", summary="Whether the process lives")
async def healthz() -> Alive:
    """Asks nothing else: restart a process that does not answer."""
    return Alive(status="alive")


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Something that work needs is missing"}},
    summary="Whether the process can work",
)
def readyz(request: Request, door: OpenDoor) -> Response:
    """Database, schema, disk, archive, keys and clock: send nobody here while one of them fails.

    A seal that has ended or was revoked stops no other work than sealing, on every server alike:
    it is told as degraded, with 200.
    """
    now, state = door.now(), request.app.state
    kept = getattr(state, "readiness", None)
    if kept is None or kept[0] is not door or abs(now - kept[1]) >= _KEPT:
        kept = state.readiness = (door, now, readiness(door))
    found: Readiness = kept[2]
    status = 503 if found.status == _NOT_READY else 200
    return Response(found.model_dump_json(), status, media_type="application/json")


def readiness(door: Door) -> Readiness:
    """Try every part."""
    parts = [_tried(door, *one) for one in _PARTS]
    failing = {one.part for one in parts if not one.ready}
    status = _NOT_READY if failing - {_DEGRADES} else "degraded" if failing else "ready"
    return Readiness(status=status, parts=parts)


def _tried(door: Door, part: str, attempt: Callable[[Door], str], to_do: str) -> Part:
    try:
        why = attempt(door)
    except SQLAlchemyError as error:
        why, to_do = str(error), _DATABASE
    except (BatchqcError, OSError, ValueError) as error:
        why = str(error)
    if why:
        _LOG.error("not ready, %s: %s", part, why)
    return Part(part=part, ready=not why, to_do=to_do if why else "")


def _database(door: Door) -> str:
    with reading(door.engine) as session:
        own_site(session)
    return ""


def _schema(door: Door) -> str:
    found = lacking_columns(door.engine)
    return f"it lacks {', '.join(found)}" if found else ""


def _disk(door: Door) -> str:
    return ", ".join(hasty_settings(door.engine)) if door.settings.disk_required else ""


def _archive(door: Door) -> str:
    """It takes bytes, and has what came in last."""
    door.archive.try_writing()
    with reading(door.engine) as session:
        newest = newest_stored(session)
    if newest is None or door.archive.stored_at(newest) or door.archive.tombstone(newest):
        return ""
    return f"it does not have {newest}, which came in last"


def _seal(door: Door) -> str:
    door.press.seal_key()
    root = door.press.sealing.root
    missing = [one for one in (root.certificate, root.revocation_list) if not one.is_file()]
    return f"there is no {missing[0]}" if missing else ""


def _sealing(door: Door) -> str:
    """The seal is valid now and not revoked; that it is not there is told as the key."""
    if _seal_is_there(door):
        door.press.sealing.check(door.press.seal_key(), door.now())
    return ""


def _seal_is_there(door: Door) -> bool:
    try:
        return not _seal(door)
    except (BatchqcError, OSError, ValueError):
        return False


def _keys(door: Door) -> str:
    """Each is the one of these records; that of authenticators is missed once somebody has one."""
    signer = door.press.log_key()
    with reading(door.engine) as session:
        check_log_key(session, signer)
        check_component_key(session, door.settings.component_key)
        is_used = session.scalar(select(AuthenticatorChange.id).limit(1)) is not None
    if is_used or door.settings.component_key.exists():
        load_component_key(door.settings.component_key)
    return ""


def _clock(door: Door) -> str:
    """Time does not run backwards: the audit trail knows when something happened last."""
    if door.settings.clock_required and not (found := evidence()).is_synchronised:
        return str(found)
    with reading(door.engine) as session:
        newest = newest_entry_at(session)
    is_to_come = newest and newest > door.now() + timedelta(seconds=CLOCK_SECONDS)
    return f"the newest entry of the audit trail is of {newest}" if is_to_come else ""


_DATABASE: Final = "Start the database, and look at BATCHQC_DATABASE; set up: batchqc init."
_NOT_READY: Final = "not ready"
_DEGRADES: Final = "validity of the seal"
_CLOCK: Final = (
    "Set the clock of this machine by a time service: it is not synchronised, or entries of the"
    " audit trail lie ahead of it."
)
_PARTS: Final = (
    ("database", _database, _DATABASE),
    ("schema", _schema, "Stop the servers, copy database and store, then run batchqc migrate."),
    ("disk of the database", _disk, "The database must wait for its disk: switch that on again."),
    ("archive", _archive, "Look at BATCHQC_STORE: is it mounted, the right one, and writable?"),
    ("seal key", _seal, "Look at BATCHQC_SEAL, its passphrase, and the root's files beside it."),
    (
        _DEGRADES,
        _sealing,
        "Nothing is sealed: see `batchqc pki status` for what ended or is revoked.",
    ),
    ("other keys", _keys, "Look at BATCHQC_LOG_KEY and BATCHQC_COMPONENT_KEY."),
    ("clock", _clock, _CLOCK),
)
