"""Control limits: their history, a proposal, and its approval by another person with a signature.

A page states exactly what is signed, and its hash. Nothing judges a lot before it is approved.
"""

import json
from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request, Response

from batchqc.actions.limit_sets import the_limits
from batchqc.api import trend_limits as api
from batchqc.api.doors import Call, Signature
from batchqc.api.routes import Routes
from batchqc.api.trend_shapes import LimitsIn
from batchqc.api.trends import asked as asked_attribute
from batchqc.core.permissions import Permission, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.core.specifications import Stage
from batchqc.core.trends import Attribute, is_numeric
from batchqc.errors import BatchqcError
from batchqc.records.trends import phases_begun
from batchqc.statistics.control_charts import LIMITS_FROM
from batchqc.statistics.lot_figures import named
from batchqc.statistics.trend_limits import DEFAULT_RULES, INDIVIDUALS_FROM, RULES
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, check, said, signature, signer_of
from batchqc.web.rendering import gone_to, page
from batchqc.web.trend_subjects import Done, Where, address, measured_in, subject_of
from batchqc.web.wording import _

router = Routes()

Known = Annotated[Where, Query()]
_NOTHING_TYPED: Final = Form({})


@router.get("/trends/{product}/{criterion}/limits")
def history(
    request: Request, call: Visit, product: str, criterion: str, asked: Annotated[Done, Query()]
) -> Response:
    """Every limit set and every phase, newest first."""
    with call.reading() as session:
        trend, subject = subject_of(session, call, asked, (product, criterion))
        begun = {
            one.lot.lot: (one.signature.name, one.signature.at)
            for one in phases_begun(session, trend.attribute.product, trend.attribute)
        }
    sets = api.limits(call, trend.attribute, limit=200).items
    return page(
        request,
        "trend_limits.html",
        subject=subject,
        numeric=is_numeric(trend.criterion),
        sets=list(reversed(sets)),
        phases=list(reversed(trend.phases)),
        begun=begun,
        did=asked.did,
        measured=measured_in(trend),
        needed=LIMITS_FROM,
        may_propose=is_permitted(call.person.roles, Permission.PROPOSE_LIMITS),
        may_begin=is_permitted(call.person.roles, Permission.START_PHASE),
    )


@router.get("/trends/{product}/{criterion}/limits/new")
def ask(request: Request, call: Visit, product: str, criterion: str, where: Known) -> Response:
    """What limits are to be proposed from."""
    return _new(request, call, where, (product, criterion))


@router.post("/trends/{product}/{criterion}/limits/new")
def propose(
    request: Request, call: Visit, form: OwnForm, product: str, criterion: str, where: Known
) -> Response:
    """Propose them, as the API does; they wait for another person."""
    attribute = where.attribute(product, criterion)
    try:
        excluded, wrong = excluded_lots(form["excluded"])
        empty = _("Write why, in words that a stranger understands.")
        check({"reason": "" if form["reason"] else empty, "excluded": wrong})
        sent = built(
            LimitsIn,
            {
                "reason": form["reason"],
                "phase": form["phase"] or 0,
                "until": form["until"],
                "excluded": excluded,
                "scale": form["scale"],
                "method": form["method"],
                "rules": [one for one in RULES if form[f"rule-{one}"]],
            },
        )
        made = _body(api.propose(keyed(call, form), attribute, sent))
    except BatchqcError as error:
        return _new(request, call, where, (product, criterion), form, said(error))
    view = f"/limits/{made['number']}"
    return gone_to(request, address(where, (product, criterion), view, "propose"))


@router.get("/trends/{product}/{criterion}/limits/{version}")
def show(
    request: Request, call: Visit, product: str, criterion: str, version: api.Number,
    asked: Annotated[Done, Query()],
) -> Response:  # fmt: skip
    """One limit set: lots, exclusions, method, figures, rules and software."""
    with call.reading() as session:
        trend, subject = subject_of(session, call, asked, (product, criterion))
    found = api.limit_set(call, trend.attribute, version)
    may = is_permitted(call.person.roles, Permission.APPROVE_LIMITS)
    own = found.proposed_by == call.person.user_id
    return page(
        request, "trend_limit_set.html", subject=subject, found=found, did=asked.did, may=may,
        own=own, rules=named(found.content["rules"]),
    )  # fmt: skip


@router.get("/trends/{product}/{criterion}/limits/{version}/approval")
def ask_approval(
    request: Request, call: Visit, product: str, criterion: str, version: api.Number, where: Known
) -> Response:
    """What is signed, and the fields of the signature."""
    return _approval(request, call, where, (product, criterion, version))


@router.post("/trends/{product}/{criterion}/limits/{version}/approval")
def approve(
    request: Request,
    call: Visit,
    form: OwnForm,
    wanted: Annotated[Attribute, Depends(asked_attribute)],
    version: api.Number,
) -> Response:
    """Sign the approval, as the API does; a refusal keeps what was typed, but the password."""
    where, path = Where(stage=Stage(wanted.stage), market=wanted.market), (wanted[0], wanted[3])
    try:
        api.approve(keyed(call, form), wanted, version, built(Signature, signature(call, form)))
    except BatchqcError as error:
        return _approval(request, call, where, (*path, version), form["reason"], said(error))
    return gone_to(request, address(where, path, f"/limits/{version}", "approve"))


def _new(
    request: Request,
    call: Call,
    where: Where,
    path: tuple[str, str],
    form: Form = _NOTHING_TYPED,
    told: Said = NOTHING_SAID,
) -> Response:
    with call.reading() as session:
        trend, subject = subject_of(session, call, where, path)
    return page(
        request,
        "trend_limits_new.html",
        status=told.status,
        subject=subject,
        numeric=is_numeric(trend.criterion),
        phases=list(reversed(trend.phases)),
        lots=[one.lot for one in trend.phases[-1].lots][-300:],
        scale=trend.scale.kind,
        measured=measured_in(trend),
        needed=LIMITS_FROM,
        classical=INDIVIDUALS_FROM,
        rules={one: named([one]) for one in RULES},
        chosen=[one for one in RULES if form[f"rule-{one}"]] if form.fields else DEFAULT_RULES,
        form=form,
        may=is_permitted(call.person.roles, Permission.PROPOSE_LIMITS),
        **told.content,
    )


def _approval(
    request: Request,
    call: Call,
    where: Where,
    path: tuple[str, str, int],
    reason: str = "",
    told: Said = NOTHING_SAID,
) -> Response:
    with call.reading() as session:
        trend, subject = subject_of(session, call, where, (path[0], path[1]))
        row, _approved = the_limits(session, trend.attribute, path[2])
        signer = signer_of(session, call, record=row.key, meaning=Meaning.APPROVED)
    found = api.limit_set(call, trend.attribute, path[2])
    return page(
        request,
        "trend_limits_approval.html",
        status=told.status,
        subject=subject,
        found=found,
        rules=named(found.content["rules"]),
        own=found.proposed_by == call.person.user_id,
        may=is_permitted(call.person.roles, Permission.APPROVE_LIMITS),
        reason=reason,
        signer=signer,
        **told.content,
    )


def excluded_lots(text: str) -> tuple[list[dict[str, str]], str]:
    """Lots with their causes, one in a line, ``lot: cause``; and what is wrong with a line."""
    found, wrong = [], []
    for line in filter(None, map(str.strip, text.splitlines())):
        lot, colon, cause = (part.strip() for part in line.partition(":"))
        if lot and colon and cause:
            found.append({"lot": lot, "cause": cause})
        else:
            wrong.append(line)
    if not wrong:
        return found, ""
    return found, _('Write each as "lot: cause". Not so: %(lines)s.') % {"lines": "; ".join(wrong)}


def _body(answer: Response) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(bytes(answer.body))
    return body
