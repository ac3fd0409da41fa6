"""Methods as the pages show them: what must hold in an assay run."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.methods import method_content, the_method
from batchqc.actions.specifications import site_day
from batchqc.actions.states import Contested, contested_method
from batchqc.api import methods as api
from batchqc.api.doors import Door
from batchqc.core.effectivity import State
from batchqc.core.methods import Method
from batchqc.core.permissions import Permission
from batchqc.documents.method_file import read_method
from batchqc.documents.spec_keys import SpecProblem
from batchqc.records.approved_documents import signatures_by_version
from batchqc.records.methods import MethodApproval, all_methods, method_approval_of
from batchqc.web.controlled import (
    Detail,
    Kind,
    Line,
    Table,
    approval,
    asked_plainly,
    states_by_date,
)
from batchqc.web.navigation import gettext_later as _
from batchqc.web.rendering import day
from batchqc.web.versions import imported, line_of, signed_step, signing


def methods(session: Session, today: date) -> Sequence[Line]:
    """Every version, and how it stands on a day of the site."""
    rows = all_methods(session)
    signed = signatures_by_version(
        session, MethodApproval.method_version_id, MethodApproval.signature_id
    )
    states = states_by_date(((one.id, one.method, one.effective) for one in rows), signed, today)
    return [
        line_of(row, row.method, states[row.id], signed.get(row.id), effective=row.effective)
        for row in rows
    ]


def _detail(session: Session, door: Door, name: str, version: str) -> Detail:
    row = the_method(session, name, version)
    today = site_day(session, door.now())
    line = next(
        one for one in methods(session, today) if (one.id, one.version) == (row.method, row.version)
    )
    said = method_content(door.archive, row)
    retests = "" if said.max_retests is None else str(said.max_retests)
    rows = [
        (
            one.id, one.result_type, one.analyte, one.aliquot or _("any"), one.acceptance,
            _("required") if one.required else _("optional"),
        )
        for one in said.validity
    ]  # fmt: skip
    return Detail(
        line,
        [
            imported(row),
            *signed_step("approval", _("Approved"), method_approval_of(session, row)),
        ],
        facts=[
            (_("Applies to runs measured from"), day(said.effective)),
            (_("Retests of a failing result"), retests),
            *_analysis(said),
        ],
        tables=[
            Table(
                _("What must hold in a run"),
                (
                    _("Criterion"), _("Rows"), _("Analyte"), _("Aliquot"), _("Accepts"),
                    _("Needed"),
                ),
                rows,
            )
        ],
    )  # fmt: skip


def _analysis(said: Method) -> list[tuple[str, str]]:
    """How wells become one result, where the method computes one."""
    found = said.analysis
    if found is None:
        return []
    return [
        (_("Fits to the wells"), found.model),
        (_("Reads from them"), f"{found.readout} {found.readout_unit}"),
        (_("Declares"), f"{found.analyte} {found.unit}, {found.decimals} decimal places"),
        (_("Reference"), found.reference),
        (_("Fewest wells of each dose"), str(found.replicates)),
    ]


def _problems(data: bytes, file: str) -> Sequence[SpecProblem]:
    return read_method(data, file=file).problems


def _contested(name: str, version: str, now: datetime) -> Contested:
    del now
    return contested_method(name, version)


METHODS: Final = Kind(
    path="methods",
    table="method_version",
    one=_("Method"),
    many=_("Methods"),
    about=_("What must hold in an assay run before a result of it is looked at."),
    importing=Permission.IMPORT_METHOD,
    detail=_detail,
    problems=_problems,
    add=api.add,
    acts={
        State.IN_REVIEW: approval(
            Permission.APPROVE_METHOD,
            _(
                "You sign that this method is right as it stands here: from its date on, runs are"
                " judged by it."
            ),
            signing(api.approve, str),
        )
    },
    asked=asked_plainly,
    contested=_contested,
)
