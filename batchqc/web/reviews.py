"""The review of a lot before its decision: its runs by exception, the lot as a whole, its trail."""

import json
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.audit_review import TrailToRead, check_trail_reader, trail_to_read
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.lot_review import check_lot_review, seen_runs
from batchqc.actions.lots import the_lot
from batchqc.actions.reviews import check_undecided, runs_to_review
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.audit_review import WorthReading
from batchqc.core.permissions import Permission, is_permitted
from batchqc.errors import BatchqcError
from batchqc.records.audit import entries_at
from batchqc.web.calls import Visit
from batchqc.web.lot_results import lines_of, tally
from batchqc.web.rendering import page
from batchqc.web.review_runs import flag_counts, runs_shown

router = Routes()


@dataclass(frozen=True, slots=True)
class Step:
    """One of the three reviews: whether it stands, and whether this person may sign it now.

    ``why_not`` is empty for a person whose role signs others; ``said`` is what is missing.
    """

    act: str
    is_done: bool
    said: tuple[str, ...]
    may: bool
    why_not: BatchqcError | None = None

    @property
    def is_offered(self) -> bool:
        """Whether the person may sign it now."""
        return self.may and self.why_not is None


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of the audit trail that is worth reading, with what it changed."""

    read: WorthReading
    changes: tuple[tuple[str, str, str], ...]


@router.get("/lots/{lot}/review")
def runs(request: Request, call: Visit, lot: str, did: str = "") -> Response:
    """Every run, those with exceptions first; what is to be signed, and who may."""
    with call.reading() as session:
        case = study(session, call.door.archive, lot=the_lot(session, lot), now=call.door.now())
        seen = seen_runs(session, call.door.archive, case, trends=call.door.trends)
        shown = runs_shown(case, seen)
        steps = [runs_step(session, call, case), lot_step(call, case), trail_step(call, case)]
        return page(
            request,
            "review_lot.html",
            did=did,
            case=case,
            listed=[one for one in shown if one.flags],
            clean=[one for one in shown if not one.flags],
            counts=flag_counts(shown),
            tally=tally(lines_of(case.verdicts)),
            steps=steps,
        )


@router.get("/lots/{lot}/audit-review")
def trail(request: Request, call: Visit, lot: str, did: str = "") -> Response:
    """What of the audit trail is worth reading, with old and new values; the rest counted."""
    with call.reading() as session:
        case = study(session, call.door.archive, lot=the_lot(session, lot), now=call.door.now())
        found = trail_to_read(session, case)
        step = trail_step(call, case, found)
        entries = told(session, found.selection.entries)
    return page(
        request, "review_trail.html", did=did, case=case, found=found, entries=entries,
        step=step, routine=sorted(found.selection.routine.items()),
    )  # fmt: skip


def runs_step(session: Session, call: Call, case: LotCase) -> Step:
    """The review of every run by a second person."""
    left = [run for run in case.facts.runs if not run.reviewed_by - run.entered_by]
    may, person = _may(call, Permission.REVIEW_RESULTS), call.person.user_id
    why_not = None
    if may:
        try:
            runs_to_review(session, case, person=person, now=call.door.now())
        except BatchqcError as error:
            why_not = error
    said = tuple(str(run.key) for run in left)
    return Step("runs", bool(case.runs) and not left, said, may, why_not)


def lot_step(call: Call, case: LotCase) -> Step:
    """QC's review of the lot as a whole."""
    stops = case.facts.lot_review.stops
    may = _may(call, Permission.REVIEW_RESULTS)
    why_not = None
    if may:
        try:
            check_lot_review(case, call.person.user_id)
        except BatchqcError as error:
            why_not = error
    return Step("lot", not stops, stops, may, why_not)


def trail_step(call: Call, case: LotCase, found: TrailToRead | None = None) -> Step:
    """QA's review of the audit trail; who may sign is known where the trail was read."""
    stops = case.facts.audit_review.stops
    may = _may(call, Permission.REVIEW_AUDIT_TRAIL)
    why_not = None
    if may and found is not None:
        try:
            check_undecided(case)
            check_trail_reader(case, found, call.person.user_id)
        except BatchqcError as error:
            why_not = error
    return Step("trail", not stops, stops, may, why_not)


def told(session: Session, entries: tuple[WorthReading, ...]) -> list[Told]:
    """Entries with the fields that they changed: name, before and after."""
    rows = entries_at(session, [one.entry.sequence for one in entries])
    found = []
    for one in entries:
        body = json.loads(rows[one.entry.sequence].text)
        before, after = body["before"] or {}, body["after"] or {}
        changes = tuple(
            (name, _text(before.get(name)), _text(after.get(name)))
            for name in dict.fromkeys([*before, *after])
        )
        found.append(Told(one, changes))
    return found


def _may(call: Call, permission: Permission) -> bool:
    return is_permitted(call.person.roles, permission)


def _text(found: Any) -> str:
    if found is None:
        return ""
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
