"""Random reviews of the audit trail: QA draws entries, and signs what was read."""

import json
from typing import Any, Final

from fastapi import Request, Response

from batchqc.actions.trail_samples import others_did, read_sample
from batchqc.api import trail_samples as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.permissions import Permission, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.web.acts import Act, Ask, show, submitted
from batchqc.web.calls import Form, OwnForm, Visit
from batchqc.web.forms import built, signature
from batchqc.web.record_links import linker
from batchqc.web.rendering import page
from batchqc.web.trail_entries import entry_line, shortened
from batchqc.web.wording import _

router = Routes()

_AT: Final = "/audit-trail/samples"
_MOST: Final = 50


@router.get("/audit-trail/samples")
def trail_samples(request: Request, call: Visit, after: str = "") -> Response:
    """Every sample that was drawn, newest first."""
    found = api.samples(call, after, _MOST)
    return page(
        request,
        "trail_samples.html",
        samples=found.items[::-1],
        more=f"{_AT}?after={found.next}" if found.next else "",
        may=_may(call),
    )


@router.get("/audit-trail/samples/new")
def ask_new(request: Request, call: Visit) -> Response:
    """How many entries to draw."""
    return show(request, call, _drawing())


@router.post("/audit-trail/samples/new")
def draw(request: Request, call: Visit, form: OwnForm) -> Response:
    """Draw them."""

    def do(keyed: Call) -> Any:
        return json.loads(bytes(api.draw(keyed, built(api.NewSample, {"size": form["size"]})).body))

    return submitted(request, call, form, _drawing(), do)


@router.get("/audit-trail/samples/{number}")
def trail_sample(request: Request, call: Visit, number: str) -> Response:
    """The drawn entries, what still waits for a reader, and who read them."""
    with call.reading() as session:
        found = read_sample(session, call.door.archive, number)
        entries = [entry_line(link, entry) for link, entry in found.entries]
        sample = api.detail(found)
    to = linker(request)
    return page(
        request,
        "trail_sample.html",
        sample=sample,
        entries=[(one, [to(key) for key in one.subjects]) for one in entries],
        may=_may(call),
        to_read=others_did(found, call.person.user_id),
        shortened=shortened,
    )


@router.get("/audit-trail/samples/{number}/review")
def ask_review(request: Request, call: Visit, number: str) -> Response:
    """What exactly is signed."""
    return show(request, call, _review(call, number))


@router.post("/audit-trail/samples/{number}/review")
def review(request: Request, call: Visit, form: OwnForm, number: str) -> Response:
    """Sign it, over the hash that the form showed."""

    def sign(keyed: Call) -> Any:
        given = signature(keyed, form) | {"sha256": form["sha256"]}
        return json.loads(bytes(api.review(keyed, number, built(api.SampleSignature, given)).body))

    return submitted(request, call, form, _review(call, number, form), sign)


def _may(call: Call) -> bool:
    return is_permitted(call.person.roles, Permission.REVIEW_AUDIT_TRAIL)


def _drawing() -> Act:
    return Act(
        title=_("Draw entries of the audit trail at random"),
        says=_("They are drawn of all entries since the sample before. Nobody chooses them: they"
               " follow from the hash of the newest entry, and who has the trail draws the same."),
        button=_("Draw"),
        address=f"{_AT}/new",
        back=_AT,
        permission=Permission.REVIEW_AUDIT_TRAIL,
        asks=(Ask("size", _("How many entries"), "number", "25",
                  hint=_("1 to 200, as your procedure has it.")),),
    )  # fmt: skip


def _review(call: Call, number: str, form: Form | None = None) -> Act:
    with call.reading() as session:
        found = read_sample(session, call.door.archive, number)
        row = found.row
        own = others_did(found, call.person.user_id)
        seen = form["sha256"] if form else row.content_sha
        return Act(
            title=_("Review sample %(number)s") % {"number": row.natural_key},
            says=_("You sign that you read the entries which others did, with the records that they"
                   " speak of, and that they are as they should be; or say in the reason what is"
                   " not. What you did yourself is left to somebody else."),
            button=_("Sign the review"),
            address=f"{_AT}/{row.natural_key}/review",
            back=f"{_AT}/{row.natural_key}",
            permission=Permission.REVIEW_AUDIT_TRAIL,
            facts={
                _("Entries that you read"): ", ".join(map(str, own)),
                _("Drawn of"): f"{row.first} – {row.last}",
                _("Record, SHA-256"): row.content_sha,
            },
            asks=(Ask("sha256", "", "hidden", seen),),
            record=row.key,
            meaning=Meaning.REVIEWED,
            why_not=_why_not(found.waiting, own),
        )  # fmt: skip


def _why_not(waiting: tuple[int, ...], own: tuple[int, ...]) -> str:
    if not waiting:
        return _("Every entry of it was reviewed already.")
    return "" if own else _("You did all that still waits: ask another QA person.")
