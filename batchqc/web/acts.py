"""A form of the administration: what will be so, its fields, and where asked for the signature.

Each opens in the dialog or as a page of its own, and says who may do it to who may not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import Request, Response

from batchqc.api.doors import Call
from batchqc.core.permissions import WHO_MAY, Permission, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.errors import BatchqcError
from batchqc.web.calls import Form, keyed
from batchqc.web.forms import NOTHING_SAID, Said, check, said, signer_of
from batchqc.web.rendering import asks_for_part, gone_to, page
from batchqc.web.wording import _


@dataclass(frozen=True, slots=True)
class Ask:
    """A field: its name and label, of which kind, what it holds, and what it may be.

    Kinds: text, date, number, password, select, checks (one or more of ``options``).
    """

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    required: bool = True


@dataclass(frozen=True, slots=True)
class Act:
    """What a person is about to do, as its form tells it.

    ``says`` is what will be so; ``facts`` are what is so; ``address`` takes the form, ``back``
    leads away from it. Where it is signed, ``record`` is the key of what is signed.
    """

    title: str
    says: str
    button: str
    address: str
    back: str
    permission: Permission
    facts: Mapping[str, str] = field(default_factory=dict)
    asks: tuple[Ask, ...] = ()
    is_grave: bool = False
    why_not: str = ""
    record: str = ""
    meaning: Meaning | None = None

    @property
    def is_signed(self) -> bool:
        """Whether both components are asked for."""
        return self.meaning is not None


#: The reason that an act is done for, where it is not signed.
REASON: Final = "reason"


def reason_field(hint: str = "") -> Ask:
    """The field of the reason."""
    return Ask(REASON, _("Reason"), hint=hint or _("One line that a stranger understands."))


def show(
    request: Request, call: Call, act: Act, form: Form | None = None, told: Said = NOTHING_SAID
) -> Response:
    """The form, with what was typed, but no password."""
    signer = None
    if act.is_signed:
        with call.reading() as session:
            signer = signer_of(session, call, record=act.record, meaning=act.meaning)
    return page(
        request,
        "administration_form.html" if asks_for_part(request) else "administration_act.html",
        status=told.status,
        act=act,
        typed=form.fields if form else {},
        may=is_permitted(call.person.roles, act.permission),
        who=", ".join(sorted(WHO_MAY[act.permission])),
        signer=signer,
        **told.content,
    )


def submitted(
    request: Request,
    call: Call,
    form: Form,
    act: Act,
    do: Callable[[Call], Any],
    *,
    to: str = "",
) -> Response:
    """Do it as the API does, and lead on; a refusal shows the form again."""
    try:
        check_filled(act, form)
        do(keyed(call, form))
    except BatchqcError as error:
        return show(request, call, act, form, said(error))
    return gone_to(request, to or act.back)


def once(
    request: Request,
    call: Call,
    form: Form,
    act: Act,
    do: Callable[[Call], Mapping[str, Any]],
) -> Response:
    """Do it, and show in the same answer what is shown this once."""
    try:
        check_filled(act, form)
        shown = do(keyed(call, form))
    except BatchqcError as error:
        return show(request, call, act, form, said(error))
    part = asks_for_part(request)
    return page(
        request,
        "administration_once.html" if part else "administration_secret.html",
        status=201,
        act=act,
        **shown,
    )


def check_filled(act: Act, form: Form) -> None:
    """Refuse a form in which a field that must be filled is not.

    Raises:
        WrongForm: BQC-WEB-007 with every such field.
    """
    check(
        {
            one.name: _("This is needed.")
            for one in act.asks
            if one.required and one.kind != "checks" and not form.secret(one.name).strip()
        }
    )


def chosen(form: Form, name: str, options: tuple[tuple[str, str], ...]) -> list[str]:
    """Which options of a field of kind ``checks`` are chosen."""
    return [value for value, _label in options if form[f"{name}-{value}"]]
