"""Keys of the site, to be read: until when the seal can be used, the log's keys and checkpoints."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Request, Response

from batchqc.api import log
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.shapes import LARGEST
from batchqc.core.permissions import Permission, is_permitted
from batchqc.errors import BatchqcError
from batchqc.records.log import checkpoints_before, log_keys, lost_keys, timestamp_of
from batchqc.web.acts import Act, show, submitted
from batchqc.web.administration_tabs import tabs_of
from batchqc.web.calls import OwnForm, Visit
from batchqc.web.forms import built
from batchqc.web.rendering import page
from batchqc.web.wording import _

router = Routes()

_AT = "/administration/keys"
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Lasts:
    """A key, certificate or list: until when it can be used, and what is wrong with it."""

    what: str
    until: datetime | None
    days: int
    wrong: str
    is_due: bool


@router.get("/administration/keys")
def keys(
    request: Request,
    call: Visit,
    before: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
    did: str = "",
) -> Response:
    """What ``batchqc pki status`` tells, and the transparency log."""
    with call.reading() as session:
        found = checkpoints_before(session, before, limit=_SHOWN + 1)
        content: dict[str, Any] = {
            "log_keys": log_keys(session)[::-1],
            "lost": lost_keys(session),
            "checkpoints": [(one, timestamp_of(session, one)) for one in found[:_SHOWN]],
        }
    states, why_not = _states(call)
    more = f"{_AT}?before={found[_SHOWN - 1].size}" if len(found) > _SHOWN else ""
    return page(
        request,
        "administration_keys.html",
        tabs=tabs_of(call),
        states=states,
        why_not=why_not,
        more=more,
        before=before,
        did=did,
        may=is_permitted(call.person.roles, Permission.KEEP_LOG),
        **content,
    )


@router.get("/administration/keys/checkpoint")
def ask(request: Request, call: Visit) -> Response:
    """What a checkpoint is."""
    return show(request, call, _act())


@router.post("/administration/keys/checkpoint")
def sign(request: Request, call: Visit, form: OwnForm) -> Response:
    """Sign what the log is now, with the log's key."""
    return submitted(
        request, call, form, _act(),
        lambda keyed: log.sign(keyed, built(log.CheckpointWanted, {})), to=f"{_AT}?did=signed",
    )  # fmt: skip


def _act() -> Act:
    return Act(
        title=_("Sign a checkpoint"),
        says=_("The log's key signs how many entries there are and their root, so that nobody can"
               " change or cut them unseen. One is signed after every issued certificate besides."),
        button=_("Sign a checkpoint"),
        address=f"{_AT}/checkpoint",
        back=_AT,
        permission=Permission.KEEP_LOG,
    )  # fmt: skip


def _states(call: Call) -> tuple[list[Lasts], BatchqcError | None]:
    """Until when keys and certificates last, or why that cannot be told."""
    from batchqc.documents.key_states import key_states  # noqa: PLC0415 - a second, once

    press, now = call.door.press, call.door.now()
    try:
        states = list(key_states(press.sealing, press.seal_key(), at=now))
    except BatchqcError as error:
        return [], error
    return [
        Lasts(one.what, one.until, one.days(now), one.wrong, one.is_due(now)) for one in states
    ], None
