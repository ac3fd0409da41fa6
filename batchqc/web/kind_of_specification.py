"""Specifications as the pages show them, and what their acts show before they are done."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from fastapi import Response
from sqlalchemy.orm import Session

from batchqc.actions.approval import approval_content
from batchqc.actions.specifications import content_of, site_day, state_of, the_version
from batchqc.actions.states import Contested, contested_version
from batchqc.api import specifications as api
from batchqc.api.doors import Call, Door
from batchqc.core.canonical import sha256_of
from batchqc.core.effectivity import State
from batchqc.core.findings import findings
from batchqc.core.permissions import Permission
from batchqc.documents.spec_file import read_specification
from batchqc.documents.spec_keys import SpecProblem
from batchqc.records.specifications import (
    SpecificationVersion,
    approval_of,
    reports_of,
    submission_of,
    withdrawal_of,
)
from batchqc.web.calls import Form, keyed
from batchqc.web.controlled import (
    Act,
    Asked,
    Detail,
    Kind,
    Line,
    Step,
    approval,
    numbered,
    obstacles_of,
    submission,
    withdrawal,
)
from batchqc.web.forms import WrongForm, built, check, signature
from batchqc.web.navigation import gettext_later as _
from batchqc.web.rendering import day
from batchqc.web.specification_changes import Changes, changes_of, version_before
from batchqc.web.specification_impact import Kept, kept
from batchqc.web.wording import _ as now_say


def detail(session: Session, door: Door, name: str, version: str) -> Detail:
    """A version with everything that was done with it."""
    row = the_version(session, name, numbered(version))
    said = content_of(door.archive, row)
    line = _line(session, row, site_day(session, door.now()))
    facts = [
        (_("Product"), row.product),
        (_("Stage"), row.stage),
        (_("Market"), row.market),
        (_("Judges lots made from"), day(row.effective)),
        (_("Criteria"), str(len(said.criteria))),
    ]
    return Detail(line, _steps(session, row), facts=facts, product=row.product)


def _line(session: Session, row: SpecificationVersion, today: date) -> Line:
    given = approval_of(session, row)
    return Line(
        id=row.specification,
        version=str(row.version),
        title=row.title,
        state=state_of(session, row, today),
        sha256=row.sha256,
        imported_by=row.author,
        imported_at=row.imported_at,
        about=row.product,
        effective=date.fromisoformat(row.effective),
        approved_by=given.signature.name if given else "",
        approved_at=given.signature.at if given else None,
    )


def _steps(session: Session, row: SpecificationVersion) -> list[Step]:
    found = [Step("import", _("Imported"), row.author, row.imported_at)]
    sent = submission_of(session, row)
    if sent is not None:
        found.append(
            Step("submission", _("Submitted for review"), sent.submitted_by, sent.submitted_at)
        )
    found += [
        Step("impact", _("Impact assessed"), x.made_by, x.made_at) for x in reports_of(session, row)
    ]
    for act, word, signed, more in (
        ("approval", _("Approved"), approval_of(session, row), ""),
        (
            "withdrawal",
            _("Withdrawn"),
            ended := withdrawal_of(session, row),
            ended.from_day if ended else "",
        ),
    ):
        if signed is not None:
            by = signed.signature
            found.append(Step(act, word, by.name, by.at, by, more))
    return sorted(found, key=lambda one: one.at)


def _problems(data: bytes, file: str) -> Sequence[SpecProblem]:
    return read_specification(data, file=file).problems


def _asked(session: Session, call: Call, act: Act, found: Detail) -> Asked:
    """What an act is about; an approval with what changes, and what it would have done."""
    door, line = call.door, found.line
    row = the_version(session, line.id, int(line.version))
    said = content_of(door.archive, row)
    obstacles = obstacles_of(call, line, act)
    facts = [(name, text) for name, text in found.facts if text]
    if act.name == "submission":
        open_now = [one for one in findings(said) if not one.acknowledged]
        obstacles += [f"{one.criterion}: {one.code}: {one.why}" for one in open_now]
    if act.name == "withdrawal" and (ended := withdrawal_of(session, row)):
        obstacles.append(f"it is withdrawn already, from {ended.from_day} on")
    if act.name != "approval":
        return Asked(facts, row.sha256, obstacles)
    report = kept(session, door.archive, row)
    before = version_before(session, row)
    shown: dict[str, Changes | Kept | None] = {
        "impact": report,
        "changes": changes_of(door.archive, before, row) if before else None,
    }
    if report is None or not report.is_current:
        missing = "there is no impact report" if report is None else "the impact report is too old"
        return Asked(
            facts, row.sha256, [*obstacles, f"{missing}: assess the impact first"],
            "specification_approval.html", shown,
        )  # fmt: skip
    record = sha256_of(approval_content(row, said, report.report))
    return Asked(facts, record, obstacles, "specification_approval.html", shown)


def _submit(call: Call, name: str, version: str, form: Form) -> Response:
    return api.submit(keyed(call, form), name, numbered(version))


def _approve(call: Call, name: str, version: str, form: Form) -> Response:
    sent = built(api.Approving, signature(call, form) | {"impact": form["impact"]})
    return api.approve(keyed(call, form), name, numbered(version), sent)


def _withdraw(call: Call, name: str, version: str, form: Form) -> Response:
    day = "" if form["from_day"] else now_say("Say from which day lots are not judged by it.")
    try:
        signed = signature(call, form)
    except WrongForm as error:
        check({"from_day": day} | error.problems)
        raise
    check({"from_day": day})
    sent = built(api.Withdrawing, signed | {"from_day": form["from_day"]})
    return api.withdraw(keyed(call, form), name, numbered(version), sent)


def _contested(name: str, version: str, now: datetime) -> Contested:
    return contested_version(name, numbered(version), now)


_WITHDRAWS: Final = withdrawal(
    Permission.APPROVE_SPECIFICATION,
    _(
        "Lots made from the day on that you name are not judged by it; those made before keep it."
        " Until another version applies, no lot made since can be registered."
    ),
    _withdraw,
    asks_day=True,
)
SPECIFICATIONS: Final = Kind(
    path="specifications",
    table="specification_version",
    one=_("Specification"),
    many=_("Specifications"),
    about=_("Which results pass: one approved version at a time for each product and stage."),
    importing=Permission.IMPORT_SPECIFICATION,
    detail=detail,
    problems=_problems,
    add=api.add,
    acts={
        State.DRAFT: submission(
            Permission.IMPORT_SPECIFICATION,
            _("From then on a second person can approve it. An imported version is never edited."),
            _submit,
        ),
        State.IN_REVIEW: approval(
            Permission.APPROVE_SPECIFICATION,
            _(
                "You sign the bytes of this version, where each criterion turns, and that you have"
                " seen what it would do to past lots. Your signature binds you as a handwritten"
                " one does."
            ),
            _approve,
        ),
        State.APPROVED: _WITHDRAWS,
        State.EFFECTIVE: _WITHDRAWS,
    },
    asked=_asked,
    contested=_contested,
)
