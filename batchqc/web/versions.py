"""What the pages read off versions of every kind of controlled document in the same way."""

from collections.abc import Callable
from datetime import date
from typing import TypeAlias, TypeVar

from fastapi import Response

from batchqc.api.doors import Call, Signature
from batchqc.core.effectivity import State
from batchqc.records.donor_panels import PanelApproval, PanelVersion
from batchqc.records.layouts import LayoutApproval, LayoutVersion, LayoutWithdrawal
from batchqc.records.methods import MethodApproval, MethodVersion
from batchqc.records.profiles import ProfileApproval, ProfileVersion
from batchqc.records.signatures import SignatureRow
from batchqc.web.calls import Form, keyed
from batchqc.web.controlled import Line, Sender, Step
from batchqc.web.forms import built, signature
from batchqc.web.navigation import gettext_later as _

Versioned: TypeAlias = MethodVersion | PanelVersion | ProfileVersion | LayoutVersion
Signed: TypeAlias = (
    MethodApproval | PanelApproval | ProfileApproval | LayoutApproval | LayoutWithdrawal
)
Number = TypeVar("Number", int, str)


def line_of(
    row: Versioned,
    name: str,
    state: State,
    signed: SignatureRow | None,
    *,
    about: str = "",
    effective: str = "",
) -> Line:
    """A version in a list; ``signed`` is its approval, ``effective`` an ISO date or blank."""
    return Line(
        id=name,
        version=str(row.version),
        title=row.title,
        state=state,
        sha256=row.sha256,
        imported_by=row.author,
        imported_at=row.imported_at,
        about=about,
        effective=date.fromisoformat(effective) if effective else None,
        approved_by=signed.name if signed else "",
        approved_at=signed.at if signed else None,
    )


def imported(row: Versioned) -> Step:
    """The first thing that was done with a version."""
    return Step("import", _("Imported"), row.author, row.imported_at)


def signed_step(act: str, what: str, given: Signed | None) -> list[Step]:
    """What was signed of a version, if it was."""
    if given is None:
        return []
    by = given.signature
    return [Step(act, what, by.name, by.at, by)]


def signing(
    send: Callable[[Call, str, Number, Signature], Response], version_of: Callable[[str], Number]
) -> Sender:
    """An act of the API that wants a signature, as a form sends it."""

    def act(call: Call, name: str, version: str, form: Form) -> Response:
        sent = built(Signature, signature(call, form))
        return send(keyed(call, form), name, version_of(version), sent)

    return act
