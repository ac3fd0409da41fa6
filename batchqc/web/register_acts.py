"""New rows of the registers of the laboratory, each behind a form."""

from collections.abc import Callable, Mapping
from typing import Final

from fastapi import Request, Response

from batchqc.actions.laboratory import KINDS_OF_MATERIAL
from batchqc.api import laboratory
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.permissions import Permission
from batchqc.web.acts import Act, Ask, show, submitted
from batchqc.web.calls import Form, OwnForm, Visit
from batchqc.web.forms import built
from batchqc.web.registers import Kind
from batchqc.web.wording import _

router = Routes()

_FIELDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.TRAINING: ("person", "method", "trained_on", "expires_on", "reason"),
    Kind.INSTRUMENTS: ("instrument", "kind", "calibrated_on", "due_on", "reason"),
    Kind.MATERIALS: ("material", "kind", "lot", "expires_on", "reason"),
}


@router.get("/administration/{kind}/new")
def ask(request: Request, call: Visit, kind: Kind, of: str = "") -> Response:
    """The form; ``of`` is a thing that stands in the register already."""
    return show(request, call, _act(kind, of))


@router.post("/administration/{kind}/new")
def add(request: Request, call: Visit, form: OwnForm, kind: Kind) -> Response:
    """Add the row; the rows before it stay."""
    act = _act(kind, "")
    to = f"{act.back}?did=added"
    return submitted(request, call, form, act, lambda keyed: _DOES[kind](keyed, form), to=to)


def _act(kind: Kind, of: str) -> Act:
    title, says = {
        Kind.TRAINING: (
            _("New training"),
            _("That a person was trained for a method. A newer row counts from its first day on."),
        ),
        Kind.INSTRUMENTS: (
            _("New instrument or calibration"),
            _("A newer row counts from its day of calibration on; earlier ones stay."),
        ),
        Kind.MATERIALS: (
            _("New material"),
            _("Where a lot in use was measured with it after it had expired, the rule says whether"
              " the lot is held."),
        ),
    }[kind]  # fmt: skip
    return Act(
        title=title,
        says=says,
        button=_("Add to the register"),
        address=f"/administration/{kind}/new",
        back=f"/administration/{kind}",
        permission=Permission.KEEP_REGISTERS,
        asks=(*_asks(kind, of), _why()),
    )


def _asks(kind: Kind, of: str) -> tuple[Ask, ...]:
    if kind is Kind.TRAINING:
        person, _slash, method = of.partition("/")
        return (
            Ask("person", _("User id"), value=person),
            Ask("method", _("Method"), value=method, hint=_("Such as SOP-QC-040.")),
            Ask("trained_on", _("Trained on"), "date"),
            Ask("expires_on", _("Counts until"), "date"),
        )
    if kind is Kind.INSTRUMENTS:
        return (
            Ask("instrument", _("Instrument"), value=of),
            Ask("kind", _("Kind")),
            Ask("calibrated_on", _("Calibrated on"), "date"),
            Ask("due_on", _("Due again on"), "date"),
        )
    kinds = tuple((one, one) for one in KINDS_OF_MATERIAL)
    return (
        Ask("material", _("Material"), value=of),
        Ask("kind", _("Kind"), "select", options=kinds),
        Ask("lot", _("Its lot")),
        Ask("expires_on", _("Last usable day"), "date"),
    )


def _why() -> Ask:
    hint = _("Needed where it comes after an earlier row of the same.")
    return Ask("reason", _("Reason"), hint=hint, required=False)


def _given(kind: Kind, form: Form) -> dict[str, str]:
    return {name: form[name] for name in _FIELDS[kind]}


_DOES: Final[Mapping[Kind, Callable[[Call, Form], Response]]] = {
    Kind.TRAINING: lambda call, form: laboratory.add_training(
        call, built(laboratory.TrainingShape, _given(Kind.TRAINING, form))
    ),
    Kind.INSTRUMENTS: lambda call, form: laboratory.add_instrument(
        call, built(laboratory.InstrumentShape, _given(Kind.INSTRUMENTS, form))
    ),
    Kind.MATERIALS: lambda call, form: laboratory.add_material(
        call, built(laboratory.MaterialShape, _given(Kind.MATERIALS, form))
    ),
}
