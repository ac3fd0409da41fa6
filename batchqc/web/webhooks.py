"""Webhooks: who is told of events, how far they were told, and every attempt."""

import json
from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response

from batchqc.actions.webhooks import the_webhook
from batchqc.api import events as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.permissions import Permission, is_permitted
from batchqc.records.events import deliveries_before, newest_event
from batchqc.web.acts import Act, Ask, once, reason_field, show, submitted
from batchqc.web.administration_tabs import tabs_of
from batchqc.web.calls import Form, OwnForm, Visit
from batchqc.web.forms import built
from batchqc.web.rendering import page
from batchqc.web.wording import _

router = Routes()

_AT: Final = "/administration/webhooks"
_MOST: Final = 200
_SHOWN: Final = 50


@router.get("/administration/webhooks")
def webhooks(request: Request, call: Visit, after: str = "", did: str = "") -> Response:
    """Every webhook, ended or not."""
    found = api.webhooks(call, after, _MOST)
    with call.reading() as session:
        newest = newest_event(session)
    return page(
        request,
        "administration_webhooks.html",
        tabs=tabs_of(call),
        webhooks=found.items,
        more=f"{_AT}?after={found.next}" if found.next else "",
        newest=newest,
        may=is_permitted(call.person.roles, Permission.MANAGE_WEBHOOKS),
        did=did,
    )


@router.get("/administration/new-webhook")
def ask_new(request: Request, call: Visit) -> Response:
    """The form for a new one."""
    return show(request, call, _new())


@router.post("/administration/new-webhook")
def add(request: Request, call: Visit, form: OwnForm) -> Response:
    """Register it; its secret is shown once."""
    return once(request, call, form, _new(), lambda keyed: _register(keyed, form))


@router.get("/administration/webhooks/{name}")
def webhook(request: Request, call: Visit, name: str, before: str = "") -> Response:
    """One webhook with the attempts to tell it, the newest first."""
    place = api.place_of(before)
    with call.reading() as session:
        row = the_webhook(session, name)
        found = deliveries_before(session, row, *place, limit=_SHOWN + 1)
        shown = api.shown(session, row)
    last = found[_SHOWN - 1] if len(found) > _SHOWN else None
    return page(
        request,
        "administration_webhook.html",
        tabs=tabs_of(call),
        webhook=shown,
        deliveries=found[:_SHOWN],
        before=before,
        more=f"{_AT}/{row.name}?before={last.event_number}/{last.number}" if last else "",
        may=is_permitted(call.person.roles, Permission.MANAGE_WEBHOOKS),
    )


@router.get("/administration/webhooks/{name}/end")
def ask_end(request: Request, call: Visit, name: str) -> Response:
    """What ends."""
    return show(request, call, _end(call, name))


@router.post("/administration/webhooks/{name}/end")
def end(request: Request, call: Visit, form: OwnForm, name: str) -> Response:
    """Tell it no more."""
    return submitted(
        request, call, form, _end(call, name),
        lambda keyed: api.end(keyed, name, built(api.EndRequest, {"reason": form["reason"]})),
    )  # fmt: skip


def _register(call: Call, form: Form) -> Mapping[str, Any]:
    kinds = form["kinds"].replace(",", " ").split()
    given = {"name": form["name"], "url": form["url"], "kinds": kinds}
    made = json.loads(bytes(api.add(call, built(api.WebhookRequest, given)).body))
    return {
        "title": _("The secret of %(name)s") % {"name": made["name"]},
        "secret": made["secret"],
        "says": _("The receiver checks with it that what it is told comes from here. It is told of"
                  " what happens from now on."),
        "facts": {_("Address"): made["url"]},
    }  # fmt: skip


def _new() -> Act:
    return Act(
        title=_("New webhook"),
        says=_("Another system is told of what happens from now on, signed with a secret that is"
               " shown once."),
        button=_("Register the webhook"),
        address="/administration/new-webhook",
        back=_AT,
        permission=Permission.MANAGE_WEBHOOKS,
        asks=(
            Ask("name", _("Name"), hint=_("Never given again.")),
            Ask("url", _("Address"), hint=_("https, and not of a private network unless it is"
                                            " allowed.")),
            Ask("kinds", _("Kinds of events"), required=False,
                hint=_("Such as lot.* certificate.issued; blank is every kind.")),
        ),
    )  # fmt: skip


def _end(call: Call, name: str) -> Act:
    with call.reading() as session:
        row = the_webhook(session, name)
        facts = {_("Webhook"): row.name, _("Address"): row.url}
    return Act(
        title=_("End %(name)s") % {"name": facts[_("Webhook")]},
        says=_("It is told no more from now on. Its name is not given again."),
        button=_("End the webhook"),
        address=f"{_AT}/{name}/end",
        back=f"{_AT}/{name}",
        permission=Permission.MANAGE_WEBHOOKS,
        facts=facts,
        asks=(reason_field(),),
        is_grave=True,
    )
