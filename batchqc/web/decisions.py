"""The decision over a lot: what exactly is signed, and the signature under it.

What the person saw travels with the form, and the decision is refused where it is not so any more.
The password is typed by the person, each time.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request, Response

from batchqc.actions.deciding import MEANINGS
from batchqc.actions.evaluation import study
from batchqc.actions.lots import the_lot
from batchqc.actions.states import state_of_lot
from batchqc.api import decisions as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.tags import tag_of
from batchqc.errors import BatchqcError
from batchqc.web.calls import OwnForm, Visit, keyed
from batchqc.web.decision_kinds import (
    WANTED,
    Act,
    asked_of,
    considered,
    particular_field,
    particulars_of,
)
from batchqc.web.forms import NOTHING_SAID, Said, built, check, said, signature, signer_of
from batchqc.web.lot_results import lines_of, tally
from batchqc.web.rendering import asks_for_part, gone_to, page
from batchqc.web.wording import _

router = Routes()


@dataclass(frozen=True, slots=True)
class Asked:
    """Which decision is asked for, and what was typed and seen already."""

    lot: str
    act: Act
    reason: str = ""
    seen: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


@router.get("/lots/{lot}/decision/{act}")
def ask(request: Request, call: Visit, lot: str, act: Act) -> Response:
    """What is signed, and the fields of the signature."""
    return _form(request, call, Asked(lot, act))


@router.post("/lots/{lot}/decision/{act}")
def decide(request: Request, call: Visit, form: OwnForm, lot: str, act: Act) -> Response:
    """Sign the decision, as the API does; a refusal keeps what was typed, but the password."""
    typed = {
        name: form[name] for name in form.fields if name.startswith(("due-", "site-", "said-"))
    }
    asked = Asked(lot, act, form["reason"], form["seen"], typed)
    try:
        sent = built(api.DecisionRequest, signature(call, form) | asked_of(form, act))
        if not form["seen"]:
            check({"seen": _("This form does not say what you saw. Open it again.")})
        decided = json.loads(bytes(api.decide(keyed(call, form), lot, sent).body))
    except BatchqcError as error:
        return _form(request, call, asked, said(error))
    return gone_to(request, f"/lots/{decided['lot']}?did={act}")


def _form(request: Request, call: Call, asked: Asked, told: Said = NOTHING_SAID) -> Response:
    content = _content(call, asked)
    return page(
        request,
        "decision_form.html" if asks_for_part(request) else "decision.html",
        status=told.status,
        **content | told.content | {"seen": asked.seen or content["seen"]},
    )


def _content(call: Call, asked: Asked) -> dict[str, Any]:
    """What the form shows of the lot, and what it asks of the person."""
    with call.reading() as session:
        row = the_lot(session, asked.lot)
        case = study(session, call.door.archive, lot=row, now=call.door.now())
        state, meaning = state_of_lot(session, case), MEANINGS[WANTED[asked.act]]
        return {
            "act": asked.act,
            "reason": asked.reason,
            "typed": asked.typed,
            "seen": tag_of(session, state),
            "case": case,
            "tally": tally(lines_of(case.verdicts)),
            "closed": [
                one
                for one in case.gates
                if not one.is_open and (one.name != "Disposition" or asked.act == "release")
            ],
            "offer": considered(session, call, case, asked.act),
            "particulars": particulars_of(session, call, case, asked.act),
            "field_of": particular_field,
            "meaning": meaning.value,
            "record": state.sha256,
            "signer": signer_of(session, call, record=row.key, meaning=meaning),
        }
