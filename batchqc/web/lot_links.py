"""What else is done with a lot, by what the role of who looks may do; each is a page of its own."""

from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy.orm import Session

from batchqc.actions.annex16 import qp_certifies
from batchqc.actions.evaluation import LotCase
from batchqc.api.doors import Call
from batchqc.core.criteria import Criterion
from batchqc.core.lot_states import Overlay
from batchqc.core.permissions import Permission, is_permitted
from batchqc.core.subjects import Measured
from batchqc.web.wording import _


@dataclass(frozen=True, slots=True)
class LotLink:
    """A page of the lot, and what is to be said beside it."""

    name: str
    path: str
    note: str = ""


def links_of(session: Session, call: Call, case: LotCase) -> list[LotLink]:
    """Review and audit trail for everybody; what else there is, for who may do it."""
    of = f"/lots/{case.lot.id}"
    is_open = case.facts.is_undecided
    left = [run for run in case.facts.runs if not run.reviewed_by - run.entered_by]
    reviewed = "" if not left else _("%(num)s runs left") % {"num": len(left)}
    found = [
        LotLink(_("Review"), f"{of}/review", reviewed if case.runs else _("no run yet")),
        LotLink(
            _("Review of the audit trail"),
            f"{of}/audit-review",
            _("waits") if is_open and case.facts.audit_review.stops else "",
        ),
    ]
    waiting = sum(decision is None for _row, decision in case.corrections)
    if waiting:
        note = _("%(num)s waiting") % {"num": waiting}
        found.append(
            LotLink(_("Corrections"), f"/corrections?state=waits&text={case.lot.id}", note)
        )
    if not case.dispositions and _may(call, Permission.REQUEST_CORRECTION):
        path = f"/corrections/new?subject=lot:{case.lot.id}"
        found.append(LotLink(_("Ask for a correction"), path))
    if _may(call, Permission.UPLOAD_RESULTS):
        missing = sum(not one.measurements for one in case.verdicts if is_measured(one.criterion))
        note = _("%(num)s missing") % {"num": missing} if missing else ""
        found.append(LotLink(_("Type results"), f"/manual/new?lot={quote(case.lot.id)}", note))
    if qp_certifies(session, case.row):
        stops = is_open and case.facts.annex16.stops
        found.append(LotLink(_("Annex 16"), f"{of}/annex16", _("waits") if stops else ""))
    if _may(call, Permission.HOLD_LOT):
        is_held = Overlay.ON_HOLD in case.overlays
        found.append(LotLink(_("End the hold") if is_held else _("Hold"), f"{of}/hold"))
    return found


def is_measured(criterion: Criterion) -> bool:
    """Whether results of a criterion are measured, and not computed or looked up."""
    return isinstance(criterion.subject, Measured)


def _may(call: Call, permission: Permission) -> bool:
    return is_permitted(call.person.roles, permission)
