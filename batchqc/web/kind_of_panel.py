"""Donor panels as the pages show them: which tests of a donation are asked for, and why."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.donor_panels import panel_content, the_panel
from batchqc.actions.specifications import site_day
from batchqc.api import donor_panels as api
from batchqc.api.doors import Door
from batchqc.core.effectivity import State
from batchqc.core.panels import Panel, Window
from batchqc.core.permissions import Permission
from batchqc.documents.panel_file import read_panel
from batchqc.documents.spec_keys import SpecProblem
from batchqc.records.approved_documents import signatures_by_version
from batchqc.records.donor_panels import PanelApproval, all_panels, panel_approval_of
from batchqc.web.controlled import (
    Detail,
    Kind,
    Line,
    Table,
    approval,
    asked_plainly,
    numbered,
    states_by_date,
)
from batchqc.web.navigation import gettext_later as _
from batchqc.web.rendering import day
from batchqc.web.versions import imported, line_of, signed_step, signing


def panels(session: Session, today: date) -> Sequence[Line]:
    """Every version, and how it stands on a day of the site."""
    rows = all_panels(session)
    signed = signatures_by_version(
        session, PanelApproval.panel_version_id, PanelApproval.signature_id
    )
    states = states_by_date(((one.id, one.panel, one.effective) for one in rows), signed, today)
    return [
        line_of(
            row,
            row.panel,
            states[row.id],
            signed.get(row.id),
            about=row.jurisdiction,
            effective=row.effective,
        )
        for row in rows
    ]


def _detail(session: Session, door: Door, name: str, version: str) -> Detail:
    row = the_panel(session, name, numbered(version))
    found = panels(session, site_day(session, door.now()))
    line = next(one for one in found if (one.id, one.version) == (row.panel, str(row.version)))
    said = panel_content(door.archive, row)
    return Detail(
        line,
        [
            imported(row),
            *signed_step("approval", _("Approved"), panel_approval_of(session, row)),
        ],
        facts=[
            (_("Jurisdiction"), said.jurisdiction),
            (_("Markets"), ", ".join(said.markets)),
            (_("Applies to donations from"), day(said.effective)),
            (_("Specimen is taken"), _window(said.window)),
            (_("Sources"), "; ".join(said.sources)),
        ],
        tables=[_markers(said), _tissues(said)],
        remarks=said.recalled,
    )


def _window(window: Window) -> str:
    return f"{window.before} days before to {window.after} days after the donation"


def _markers(said: Panel) -> Table:
    rows = [
        (one.marker, one.needed, one.reactive, one.source.status, one.source.basis)
        for one in said.markers
    ]
    heads = (_("Marker"), _("Asked for"), _("Reactive means"), _("Source"), _("Basis"))
    return Table(_("Markers"), heads, rows)


def _tissues(said: Panel) -> Table:
    rows = [
        (
            name,
            "yes" if one.is_leukocyte_rich else "no",
            "yes" if one.tests_mother else "no",
            _window(said.window_of(name)),
            one.source.basis,
        )
        for name, one in said.tissues.items()
    ]
    heads = (
        _("Tissue"), _("Leukocyte-rich"), _("Birth mother is tested"), _("Specimen"), _("Basis"),
    )  # fmt: skip
    return Table(_("Tissues"), heads, rows)


def _problems(data: bytes, file: str) -> Sequence[SpecProblem]:
    return read_panel(data, file=file).problems


PANELS: Final = Kind(
    path="donor-panels",
    table="donor_panel_version",
    one=_("Donor panel"),
    many=_("Donor panels"),
    about=_("Which tests of a donation a jurisdiction asks for, of whom, and taken when."),
    importing=Permission.IMPORT_PANEL,
    detail=_detail,
    problems=_problems,
    add=api.add,
    acts={
        State.IN_REVIEW: approval(
            Permission.APPROVE_PANEL,
            _(
                "You sign that this panel is what is asked for: from its date on, donors are found"
                " eligible by it."
            ),
            signing(api.approve, numbered),
        )
    },
    asked=asked_plainly,
)
