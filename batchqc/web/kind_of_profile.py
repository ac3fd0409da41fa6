"""Profiles as the pages show them: how the files of an instrument are read."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.profiles import profile_content, the_profile
from batchqc.actions.states import Contested, contested_profile
from batchqc.api import profiles as api
from batchqc.api.doors import Door
from batchqc.core.effectivity import State
from batchqc.core.permissions import Permission
from batchqc.core.profiles import Profile, Source
from batchqc.documents.profile_file import read_profile
from batchqc.documents.spec_keys import SpecProblem
from batchqc.records.approved_documents import signatures_by_version
from batchqc.records.profiles import (
    ProfileApproval,
    ProfileVersion,
    all_profiles,
    approval_of_profile,
)
from batchqc.records.signatures import SignatureRow
from batchqc.web.controlled import (
    Detail,
    Kind,
    Line,
    Table,
    approval,
    asked_plainly,
    numbered,
)
from batchqc.web.navigation import gettext_later as _
from batchqc.web.versions import imported, line_of, signed_step, signing


def profiles(session: Session, today: date) -> Sequence[Line]:
    """Every version, and how it stands on a day of the site."""
    del today  # files are read by any approved version, whatever the day
    signed = signatures_by_version(
        session, ProfileApproval.profile_version_id, ProfileApproval.signature_id
    )
    return [_line(row, signed.get(row.id)) for row in all_profiles(session)]


def _line(row: ProfileVersion, signed: SignatureRow | None) -> Line:
    state = State.APPROVED if signed else State.IN_REVIEW
    return line_of(row, row.profile, state, signed)


def _detail(session: Session, door: Door, name: str, version: str) -> Detail:
    row = the_profile(session, name, numbered(version))
    said = profile_content(door.archive, row)
    given = approval_of_profile(session, row)
    return Detail(
        _line(row, given.signature if given else None),
        [imported(row), *signed_step("approval", _("Approved"), given)],
        facts=[
            (_("Laid out as"), said.layout.value),
            (_("Encoding"), said.encoding),
            (_("Delimiter"), said.delimiter.replace("\t", "tab")),
            (_("Decimal mark"), said.marks.decimal),
            (_("Thousands"), said.marks.thousands),
            (_("Stated with each upload"), ", ".join(said.asked)),
            (_("Sources"), "; ".join(said.sources)),
        ],
        tables=[one for one in (_columns(said), _results(said)) if one.rows],
    )


def _columns(said: Profile) -> Table:
    rows = [(name, _place(source)) for name, source in said.columns.items()]
    return Table(_("Where each column comes from"), (_("Column"), _("Read from")), rows)


def _place(source: Source) -> str:
    for word, text in (
        ("column", source.column), ("label", source.label), ("always", source.fixed),
    ):  # fmt: skip
        if text:
            return f"{word} {text}"
    return "stated with each upload" if source.asked else "as the contract says"


def _results(said: Profile) -> Table:
    heads = (_("Column"), _("Test"), _("Analyte"), _("Unit"), _("Kind"))
    rows = [(one.name, one.test, one.analyte, one.unit, one.result_type) for one in said.results]
    return Table(_("Which columns are results"), heads, rows)


def _problems(data: bytes, file: str) -> Sequence[SpecProblem]:
    return read_profile(data, file=file).problems


def _contested(name: str, version: str, now: datetime) -> Contested:
    del now
    return contested_profile(name, numbered(version))


PROFILES: Final = Kind(
    path="profiles",
    table="profile_version",
    one=_("Profile"),
    many=_("Profiles"),
    about=_("How the files of one instrument are read: declared and approved, never guessed."),
    importing=Permission.IMPORT_PROFILE,
    detail=_detail,
    problems=_problems,
    add=api.add,
    acts={
        State.IN_REVIEW: approval(
            Permission.APPROVE_PROFILE,
            _(
                "You sign that this profile reads the files of its instrument rightly: results are"
                " taken by it from then on."
            ),
            signing(api.approve, numbered),
        )
    },
    asked=asked_plainly,
    contested=_contested,
)
