"""The signature under a review: what exactly is signed with its hash, and who signs.

What the person saw travels with the form; the review is refused where it is not so any more.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from batchqc.actions.audit_review import trail_content, trail_to_read
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.lot_review import lot_review_content, seen_runs
from batchqc.actions.lots import the_lot
from batchqc.actions.reviews import ToReview, runs_to_review
from batchqc.actions.states import state_of_lot
from batchqc.api import reviews as api
from batchqc.api.doors import Call
from batchqc.api.review_bodies import ShownSignature, TrailSignature
from batchqc.api.routes import Routes
from batchqc.api.shapes import LARGEST
from batchqc.api.tags import tag_of
from batchqc.core.canonical import sha256_of
from batchqc.core.signatures import Meaning
from batchqc.errors import BatchqcError
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, check, said, signature, signer_of
from batchqc.web.rendering import asks_for_part, gone_to, page
from batchqc.web.reviews import Step, lot_step, runs_step, trail_step
from batchqc.web.wording import _

router = Routes()

Act = Literal["runs", "lot", "trail"]


class Read(BaseModel):
    """Up to where the audit trail was read, as its page said; empty: up to now."""

    last: str = ""
    head: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which review is asked for, and what was typed and seen already."""

    lot: str
    act: Act
    reason: str = ""
    seen: str = ""
    last: str = ""
    head: str = ""


@router.get("/lots/{lot}/review/{act}")
def ask(
    request: Request, call: Visit, lot: str, act: Act, read: Annotated[Read, Query()]
) -> Response:
    """What is signed, and the fields of the signature."""
    return _form(request, call, Asked(lot, act, last=read.last, head=read.head))


@router.post("/lots/{lot}/review/{act}")
def sign(request: Request, call: Visit, form: OwnForm, lot: str, act: Act) -> Response:
    """Sign the review, as the API does; a refusal keeps what was typed, but the password."""
    asked = Asked(lot, act, form["reason"], form["seen"], form["last"], form["head"])
    try:
        if not form["seen"]:
            check({"seen": _("This form does not say what you saw. Open it again.")})
        _sign(keyed(call, form), asked, form)
    except BatchqcError as error:
        return _form(request, call, asked, said(error))
    place = "audit-review" if act == "trail" else "review"
    return gone_to(request, f"/lots/{lot}/{place}?did={act}")


def _sign(call: Call, asked: Asked, form: Form) -> None:
    given, shown = signature(call, form), {"content_sha256": form["record"]}
    match asked.act:
        case "runs":
            api.review(call, asked.lot, built(ShownSignature, given | shown))
        case "lot":
            api.review_whole(call, asked.lot, built(ShownSignature, given | shown))
        case "trail":
            read = {"last": asked.last, "head": asked.head}
            api.review_trail(call, asked.lot, built(TrailSignature, given | read))


def _form(request: Request, call: Call, asked: Asked, told: Said = NOTHING_SAID) -> Response:
    with call.reading() as session:
        row = the_lot(session, asked.lot)
        case = study(session, call.door.archive, lot=row, now=call.door.now())
        content = _content(session, call, case, asked)
        content |= {
            "case": case,
            "act": asked.act,
            "reason": asked.reason,
            "seen": asked.seen or tag_of(session, state_of_lot(session, case)),
            "signer": signer_of(session, call, record=row.key, meaning=Meaning.REVIEWED),
        }
    return page(
        request,
        "review_form.html" if asks_for_part(request) else "review_sign.html",
        status=told.status,
        **content | told.content,
    )


def _content(session: Session, call: Call, case: LotCase, asked: Asked) -> dict[str, Any]:
    """What this review signs: the step, its record's hash, and what is in it."""
    match asked.act:
        case "runs":
            step = runs_step(session, call, case)
            found = _to_review(session, call, case, step)
            return {"step": step, "record": found.sha256 if found else "", "found": found}
        case "lot":
            seen = seen_runs(session, call.door.archive, case, trends=call.door.trends)
            record = sha256_of(lot_review_content(case, seen))
            return {"step": lot_step(call, case), "record": record, "runs": seen}
        case "trail":
            read = trail_to_read(session, case)
            last = int(asked.last) if _is_place(asked.last) else read.last
            head = asked.head or read.head
            return {
                "step": trail_step(call, case, read),
                "record": sha256_of(trail_content(case, read, last, head)),
                "read": read,
                "last": last,
                "head": head,
            }


def _to_review(session: Session, call: Call, case: LotCase, step: Step) -> ToReview | None:
    if not step.is_offered:
        return None
    return runs_to_review(session, case, person=call.person.user_id, now=call.door.now())


def _is_place(text: str) -> bool:
    return text.isdecimal() and len(text) < len(str(LARGEST))
