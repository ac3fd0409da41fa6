"""Which decisions over a lot there are, which of them a person may take now, and what each asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, Literal

from sqlalchemy.orm import Session

from batchqc.actions.annex16 import permission_to_release
from batchqc.actions.conditional_release import plan_of
from batchqc.actions.doses import doses_and_doubts
from batchqc.actions.evaluation import LotCase
from batchqc.actions.later_decisions import later_decision_hindrances
from batchqc.api.doors import Call
from batchqc.core.conditional import conditional_gates, pending_of
from batchqc.core.dispositions import signer_gate
from batchqc.core.gates import blocking_reasons
from batchqc.core.later_decisions import PARTICULARS
from batchqc.core.lot_states import Disposition, may_decide
from batchqc.core.permissions import Permission, is_permitted
from batchqc.records.shipments import sites_newest
from batchqc.web.calls import Form
from batchqc.web.forms import check
from batchqc.web.wording import _

Act = Literal["release", "conditional", "reject", "recall", "supply", "destroy"]

WANTED: Final[Mapping[Act, Disposition]] = {
    "release": Disposition.RELEASED,
    "conditional": Disposition.CONDITIONAL,
    "reject": Disposition.REJECTED,
    "recall": Disposition.RECALLED,
    "supply": Disposition.SUPPLIED,
    "destroy": Disposition.DESTROYED,
}
_RELEASES: Final = frozenset({Disposition.RELEASED, Disposition.CONDITIONAL})


@dataclass(frozen=True, slots=True)
class Offer:
    """A decision to which the lot's disposition leads, and why this person cannot take it now."""

    act: Act
    is_possible: bool
    why_not: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """A criterion of which the result may stay pending, and until when at the latest."""

    criterion: str
    title: str
    latest: date


@dataclass(frozen=True, slots=True)
class Particulars:
    """What a decision asks for beside the signature, and what it tells of the lot.

    ``texts`` are names with what each is; ``sites`` are codes with names; ``doses`` say of
    each container where it is; ``doubts`` what is wrong with the records of them.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    pending: tuple[Pending, ...] = ()
    sites: tuple[tuple[str, str], ...] = ()
    doses: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def offered(session: Session, call: Call, case: LotCase) -> list[Offer]:
    """What this person may decide now; a release that is blocked is told too."""
    found = (considered(session, call, case, act) for act in WANTED)
    return [one for one in found if one and (one.is_possible or one.act == "release")]


def considered(session: Session, call: Call, case: LotCase, act: Act) -> Offer | None:
    """A decision as this person may take it now; ``None`` where lot or role lead to none."""
    wanted, signer = WANTED[act], call.person.user_id
    is_anew = wanted is Disposition.RELEASED and case.facts.lacks_certification
    if not (may_decide(case.disposition, wanted) or is_anew):
        return None
    if not is_permitted(call.person.roles, _permission(session, case, wanted)):
        return None
    match wanted:
        case Disposition.REJECTED:
            return Offer(act, is_possible=True)
        case Disposition.RELEASED:
            own = signer_gate(case.facts, signer)
            return Offer(act, case.is_ready and own.is_open, own.reasons)
        case Disposition.CONDITIONAL:
            why_not = _against_conditional(case, signer)
        case _:
            why_not = later_decision_hindrances(session, case, wanted, signer=signer)
    return Offer(act, not why_not, why_not)


def particulars_of(session: Session, call: Call, case: LotCase, act: Act) -> Particulars:
    """What the form of a decision asks and tells."""
    wanted = WANTED[act]
    if wanted is Disposition.CONDITIONAL:
        sites = tuple((one.code, one.name) for one in sites_newest(session))
        return Particulars(pending=_pending(case), sites=sites)
    if wanted is Disposition.RECALLED:
        doses, doubts = doses_and_doubts(session, case.row, call.door.now())
        told = tuple(one.sentence for one in doses)
        return Particulars(texts=PARTICULARS[wanted], doses=told, doubts=doubts)
    return Particulars(texts=PARTICULARS.get(wanted, {}))


def asked_of(form: Form, act: Act) -> dict[str, object]:
    """What was typed, as the API takes it.

    Raises:
        WrongForm: BQC-WEB-007 a day is none.
    """
    wanted = WANTED[act]
    due = _named(form, "due-")
    check({f"due-{name}": _day_problem(text) for name, text in due.items()})
    names = PARTICULARS.get(wanted, {})
    check(
        {
            particular_field(name): ""
            if form[particular_field(name)]
            else f"{what[:1].upper()}{what[1:]}."
            for name, what in names.items()
        }
    )
    said = {name: form[particular_field(name)] for name in names}
    return {
        "decision": wanted.value,
        "due": due if wanted is Disposition.CONDITIONAL else {},
        "sites": [*_named(form, "site-")] if wanted is Disposition.CONDITIONAL else [],
        "particulars": {name: text for name, text in said.items() if text},
    }


def particular_field(name: str) -> str:
    """The field of a particular in a form."""
    return f"said-{name.replace(' ', '-')}"


def _named(form: Form, prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): form[name] for name in form.fields if name.startswith(prefix)
    }


def _day_problem(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        return _("Type the last day on which the result is in time, as 2027-12-31.")
    return ""


def _permission(session: Session, case: LotCase, wanted: Disposition) -> Permission:
    if wanted in _RELEASES:
        return permission_to_release(session, case.row)
    return Permission.REJECT_LOT if wanted is Disposition.REJECTED else Permission.DECIDE_LATER


def _against_conditional(case: LotCase, signer: str) -> tuple[str, ...]:
    if not pending_of(case.verdicts):
        return (_("no result is pending that may be; decide on a release"),)
    gates = conditional_gates(case.gates, case.verdicts)
    return (*blocking_reasons(gates), *signer_gate(case.facts, signer).reasons)


def _pending(case: LotCase) -> tuple[Pending, ...]:
    if case.specification is None:
        return ()
    plan, found = plan_of(case), []
    for one in pending_of(case.verdicts):
        days, latest = plan.days(one), case.lot.expires_on
        if days is not None and plan.taken_on is not None:
            latest = min(latest, plan.taken_on + timedelta(days=days))
        found.append(Pending(one.criterion.id, one.criterion.title, latest))
    return tuple(found)
