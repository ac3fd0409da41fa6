"""The second person's answer to a correction: what exactly is signed, and the signature."""

from dataclasses import dataclass
from typing import Literal

from fastapi import Request, Response

from batchqc.actions.corrections import the_correction
from batchqc.actions.states import contested_correction
from batchqc.api import corrections as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.tags import tag_of
from batchqc.core.permissions import Permission, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.errors import BatchqcError
from batchqc.web.calls import OwnForm, Visit, keyed
from batchqc.web.corrections import line_of
from batchqc.web.forms import NOTHING_SAID, Said, built, check, said, signature, signer_of
from batchqc.web.rendering import asks_for_part, gone_to, page
from batchqc.web.wording import _

router = Routes()

Answer = Literal["approve", "refuse"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which answer to which correction, and what was typed and seen already."""

    number: str
    answer: Answer
    reason: str = ""
    seen: str = ""


@router.get("/corrections/{number}/decision/{answer}")
def ask(request: Request, call: Visit, number: str, answer: Answer) -> Response:
    """What is signed, and the fields of the signature."""
    return _form(request, call, Asked(number, answer))


@router.post("/corrections/{number}/decision/{answer}")
def decide(request: Request, call: Visit, form: OwnForm, number: str, answer: Answer) -> Response:
    """Sign it, as the API does; a refusal keeps what was typed, but the password."""
    asked = Asked(number, answer, form["reason"], form["seen"])
    try:
        if not form["seen"]:
            check({"seen": _("This form does not say what you saw. Open it again.")})
        given = signature(call, form) | {"approve": answer == "approve"}
        api.decide(keyed(call, form), number, built(api.CorrectionDecisionRequest, given))
    except BatchqcError as error:
        return _form(request, call, asked, said(error))
    return gone_to(request, f"/corrections/{number}?did={answer}")


def _form(request: Request, call: Call, asked: Asked, told: Said = NOTHING_SAID) -> Response:
    meaning = Meaning.APPROVED if asked.answer == "approve" else Meaning.REJECTED
    with call.reading() as session:
        row = the_correction(session, asked.number)
        state = contested_correction(asked.number).state(session)
        return page(
            request,
            "correction_form.html" if asks_for_part(request) else "correction_sign.html",
            status=told.status,
            line=line_of(session, row),
            answer=asked.answer,
            reason=asked.reason,
            seen=asked.seen or tag_of(session, state),
            meaning=meaning.value,
            may_decide=is_permitted(call.person.roles, Permission.APPROVE_CORRECTION),
            is_own=row.requested_by == call.person.user_id,
            signer=signer_of(session, call, record=row.key, meaning=meaning),
            **told.content,
        )
