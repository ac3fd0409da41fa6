"""The forms of donors, banks, look-backs and lots: one shape for all, each a page of its own.

Who may not do it is told who may. What is wrong is told beside its field, and nothing typed is
lost but the password. What the API refuses as a whole is told above the fields.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.api.doors import Call
from batchqc.core.permissions import WHO_MAY, Permission, Role, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.errors import BatchqcError
from batchqc.web.calls import Form, keyed
from batchqc.web.forms import NOTHING_SAID, Said, said, signer_of
from batchqc.web.rendering import gone_to, page


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form.

    ``kind`` is the type of an input, or "select", "lines" (one of something on each line) or
    "checks" (any of ``options``). Options are pairs of what is sent and what is shown.
    """

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    required: bool = True
    value: str = ""


@dataclass(frozen=True, slots=True)
class SourceForm:
    """What a form is: what it does, in words, and what is asked for.

    ``crumbs`` are pairs of address and name, the page itself last with "". ``facts`` are what is
    acted on, or signed, as pairs of name and text. ``record`` is the key of what is signed with the
    ``meaning``, which is ``None`` of what is not signed. ``seen`` is the ETag of what is shown.
    """

    title: str
    path: str
    says: str
    button: str
    permission: Permission
    crumbs: tuple[tuple[str, str], ...]
    fields: tuple[Field, ...]
    facts: tuple[tuple[str, str], ...] = ()
    against: tuple[str, ...] = ()
    record: str = ""
    meaning: Meaning | None = None
    is_grave: bool = False
    seen: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


def who_may(permission: Permission) -> str:
    """The roles that may do something, in words."""
    return ", ".join(one for one in Role if one in WHO_MAY[permission])


def may(call: Call, permission: Permission) -> bool:
    """Whether the person who looks may do something."""
    return is_permitted(call.person.roles, permission)


def options(values: Any) -> tuple[tuple[str, str], ...]:
    """Choices that are sent as they are shown."""
    return tuple((str(one), str(one)) for one in values)


def lines(text: str) -> list[str]:
    """What stands on the lines of a text, without blank ones; a comma ends a line, too."""
    return [one.strip() for one in text.replace(",", "\n").splitlines() if one.strip()]


def chosen(form: Form, name: str, values: Any) -> list[str]:
    """Which of the choices of "checks" are ticked."""
    return [str(one) for one in values if form[f"{name}:{one}"]]


def show_form(
    request: Request,
    call: Call,
    made: Callable[[Session], SourceForm],
    form: Form | None = None,
    told: Said = NOTHING_SAID,
) -> Response:
    """The page of a form; after a refusal with what was typed, but no password.

    Args:
        request: that asks for it.
        call: of the person.
        made: makes the form of what is on record.
        form: what was typed.
        told: what is said of it.
    """
    with call.reading() as session:
        asked = made(session)
        signer = (
            signer_of(session, call, record=asked.record, meaning=asked.meaning)
            if asked.meaning
            else None
        )
    typed = dict(form.fields) if form else {}
    return page(
        request,
        "source_form.html",
        status=told.status,
        asked=asked,
        typed=typed,
        reason=typed.get("reason", ""),
        seen=typed.get("seen") or asked.seen,
        signer=signer,
        is_permitted=may(call, asked.permission),
        who=who_may(asked.permission),
        focus=first_to_type(asked, typed, told),
        **told.content,
    )


def first_to_type(asked: SourceForm, typed: Mapping[str, str], told: Said) -> str:
    """The first field that is wrong, or blank and needed: a scanner types into it."""
    wrong = [one.name for one in asked.fields if told.problems.get(one.name)]
    blank = [
        one.name for one in asked.fields if one.required and not typed.get(one.name, one.value)
    ]
    return next(iter([*wrong, *blank]), "")


def acted(
    request: Request,
    call: Call,
    form: Form,
    made: Callable[[Session], SourceForm],
    act: Callable[[Call], str],
) -> Response:
    """Do what a form asks for with ``act``, which returns where it leads to, or tell why not."""
    try:
        where = act(keyed(call, form))
    except BatchqcError as error:
        return show_form(request, call, made, form, said(error))
    return gone_to(request, where)
