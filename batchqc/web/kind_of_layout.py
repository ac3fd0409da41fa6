"""Layouts of certificates as the pages show them: order, wording, language and paper."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from fastapi import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.layouts import layout_content, the_layout
from batchqc.actions.states import Contested, contested_layout
from batchqc.api import layouts as api
from batchqc.api.doors import Call, Door
from batchqc.core.effectivity import State
from batchqc.core.permissions import Permission
from batchqc.documents.layout_file import read_layout
from batchqc.documents.spec_keys import SpecProblem
from batchqc.records.approved_documents import signatures_by_version
from batchqc.records.layouts import (
    LayoutApproval,
    LayoutSubmission,
    LayoutVersion,
    LayoutWithdrawal,
    all_layouts,
    approval_of_layout,
    submission_of_layout,
    withdrawal_of_layout,
)
from batchqc.records.signatures import SignatureRow
from batchqc.web.calls import Form, keyed
from batchqc.web.controlled import (
    Detail,
    Kind,
    Line,
    Step,
    Table,
    approval,
    asked_plainly,
    numbered,
    submission,
    withdrawal,
)
from batchqc.web.navigation import gettext_later as _
from batchqc.web.versions import imported, line_of, signed_step, signing


def layouts(session: Session, today: date) -> Sequence[Line]:
    """Every version, and how it stands on a day of the site."""
    del today  # a layout has no date: it is taken from its approval on
    approved = signatures_by_version(
        session, LayoutApproval.layout_version_id, LayoutApproval.signature_id
    )
    withdrawn = signatures_by_version(
        session, LayoutWithdrawal.layout_version_id, LayoutWithdrawal.signature_id
    )
    submitted = set(session.scalars(select(LayoutSubmission.layout_version_id)))
    return [
        _line(
            row,
            approved.get(row.id),
            is_submitted=row.id in submitted,
            is_withdrawn=row.id in withdrawn,
        )
        for row in all_layouts(session)
    ]


def _line(
    row: LayoutVersion, signed: SignatureRow | None, *, is_submitted: bool, is_withdrawn: bool
) -> Line:
    waiting = State.IN_REVIEW if is_submitted else State.DRAFT
    standing = State.WITHDRAWN if is_withdrawn else State.APPROVED
    about = ", ".join(filter(None, (row.product, row.recipient)))
    return line_of(row, row.layout, standing if signed else waiting, signed, about=about)


def _detail(session: Session, door: Door, name: str, version: str) -> Detail:
    row = the_layout(session, name, numbered(version))
    said = layout_content(session, door.archive, row)
    given, taken = approval_of_layout(session, row), withdrawal_of_layout(session, row)
    sent = submission_of_layout(session, row)
    steps = [imported(row)]
    if sent is not None:
        steps.append(
            Step("submission", _("Submitted for review"), sent.submitted_by, sent.submitted_at)
        )
    steps += signed_step("approval", _("Approved"), given)
    steps += signed_step("withdrawal", _("Withdrawn"), taken)
    line = _line(
        row,
        given.signature if given else None,
        is_submitted=sent is not None,
        is_withdrawn=taken is not None,
    )
    return Detail(
        line,
        steps,
        facts=[
            (_("Product"), said.product or "every product"),
            (_("For"), said.recipient or "the site's own certificates"),
            (_("Language"), said.language.name.capitalize()),
            (_("Paper"), said.paper.value),
            (_("Address"), ", ".join(said.address)),
            (_("Contact"), ", ".join(said.contact)),
            (_("First criteria"), ", ".join(said.order)),
            (_("Left out for the recipient"), ", ".join(said.withhold)),
            (_("Footnotes"), "; ".join(said.footnotes)),
        ],
        tables=[Table(_("Wording"), (_("Criterion"), _("Printed as")), said.titles)]
        if said.titles
        else [],
        product=said.product,
        template="controlled_layout.html",
    )


def _problems(data: bytes, file: str) -> Sequence[SpecProblem]:
    return read_layout(data, file=file).problems


def _submit(call: Call, name: str, version: str, form: Form) -> Response:
    return api.submit(keyed(call, form), name, numbered(version))


def _contested(name: str, version: str, now: datetime) -> Contested:
    del now
    return contested_layout(name, numbered(version))


LAYOUTS: Final = Kind(
    path="layouts",
    table="layout_version",
    one=_("Layout"),
    many=_("Layouts"),
    about=_(
        "How certificates look: order, wording, language and paper, never a result or a limit."
    ),
    importing=Permission.IMPORT_LAYOUT,
    detail=_detail,
    problems=_problems,
    add=api.add,
    acts={
        State.DRAFT: submission(
            Permission.IMPORT_LAYOUT, _("From then on a second person can approve it."), _submit
        ),
        State.IN_REVIEW: approval(
            Permission.APPROVE_LAYOUT,
            _("You sign that certificates may look like this: new ones take it from then on."),
            signing(api.approve, numbered),
        ),
        State.APPROVED: withdrawal(
            Permission.APPROVE_LAYOUT,
            _("No new certificate or rendition takes it; those that were made keep it."),
            signing(api.withdraw, numbered),
        ),
    },
    asked=asked_plainly,
    contested=_contested,
)
