"""A form from what was typed to an answer: the request of the API, or everything that is wrong.

A handler builds the request with ``built``, does what the API does, and on a ``BatchqcError``
answers its page again with ``said(error)``: its status, what is wrong with each field, and what was
typed but no password.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from batchqc.actions.people import the_person
from batchqc.actions.signing import code_is_asked
from batchqc.api.doors import Call
from batchqc.api.errors import status_of
from batchqc.api.lengths import longer_texts
from batchqc.api.watching import note_refusal
from batchqc.core.signatures import Meaning
from batchqc.errors import BatchqcError, Conflict, InvalidInput
from batchqc.records.people import newest_password
from batchqc.web.calls import Form
from batchqc.web.rendering import NO_PROBLEMS
from batchqc.web.wording import _

T = TypeVar("T", bound=BaseModel)

#: Which field of a signature a refusal is about.
_OF_SIGNATURE: Final = {
    "BQC-SIG-001": "password", "BQC-SIG-002": "password", "BQC-SIG-004": "reason",
    "BQC-SIG-011": "code", "BQC-SIG-014": "step_up",
}  # fmt: skip


_SENT_BEFORE: Final = "BQC-API-004"


class WrongForm(InvalidInput):
    """Fields that are missing or wrong, by their names; nothing was done."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Name each field with what is wrong with it."""
        self.problems = dict(problems)
        super().__init__("BQC-WEB-007", _("the form is not complete"), reasons=[*problems.values()])


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a form that was sent: by field, else the refusal as a whole."""

    problems: Mapping[str, str] = field(default_factory=lambda: NO_PROBLEMS)
    error: BatchqcError | None = None
    status: int = 200

    @property
    def content(self) -> dict[str, Any]:
        """For the template: ``problems`` and ``error``."""
        return {"problems": self.problems, "error": self.error}


NOTHING_SAID: Final = Said()


def said(error: BatchqcError) -> Said:
    """What a page says of a refusal, beside the field where it is of one."""
    note_refusal(error.code)
    if isinstance(error, WrongForm):
        return Said(error.problems, None, 422)
    status, _title = status_of(error)
    if error.code == _SENT_BEFORE:
        return Said(NO_PROBLEMS, _sent_before(), status)
    if error.code in _OF_SIGNATURE:
        name = _OF_SIGNATURE[error.code]
        again = _("Prove it once more; each proof signs once.")
        told = f"{error.message}. {again if name == 'step_up' else error.hint}"
        return Said({name: told}, error, status)
    return Said(NO_PROBLEMS, error, status)


def _sent_before() -> BatchqcError:
    """What is said to who went back to a form that was sent, and sent it with other words."""
    return Conflict(
        _SENT_BEFORE,
        _("this form was sent already, and what it says was done then"),
        hint=_(
            "Nothing was done twice. Look at the record; send it again only to do it once more."
        ),
    )


def check(problems: Mapping[str, str]) -> None:
    """Refuse a form where a field has a problem; a blank text is none.

    Raises:
        WrongForm: BQC-WEB-007 with every field.
    """
    found = {name: text for name, text in problems.items() if text}
    if found:
        raise WrongForm(found)


def built(model: type[T], given: Mapping[str, Any]) -> T:
    """The request that the API takes.

    Raises:
        WrongForm: BQC-WEB-007, what does not fit by the name of its field.
    """
    if long := {str(one.place[0]): str(one) for one in longer_texts(given) if one.place}:
        raise WrongForm(long)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found: dict[str, str] = {}
        for one in error.errors():
            name = str(one["loc"][0]) if one["loc"] else ""
            found.setdefault(name, one["msg"].removeprefix("Value error, "))
        raise WrongForm(found) from error


def signature(call: Call, form: Form) -> dict[str, str]:
    """The components that were typed, as a signed request of the API has them.

    Raises:
        WrongForm: BQC-WEB-007 the reason or every component is blank.
    """
    proven = form["password"] or form["code"] or form.step_up
    check(
        {
            "reason": ""
            if form["reason"]
            else _("Write why, in words that a stranger understands."),
            "password": "" if proven else _("Type your password."),
        }
    )
    return {
        "user_id": call.person.user_id,
        "password": form.secret("password"),
        "code": form["code"],
        "step_up": form.step_up,
        "reason": form["reason"],
    }


@dataclass(frozen=True, slots=True)
class Signer:
    """Which components the person signs with."""

    has_password: bool
    asks_code: bool
    step_up: str
    """Where who has no password proves at single sign-on that they sign; else ""."""


def signer_of(
    session: Session, call: Call, *, record: str = "", meaning: Meaning | None = None
) -> Signer:
    """What the fields of a signature ask of the person who is signed in.

    Args:
        session: to read.
        call: of the person.
        record: the key of what is signed.
        meaning: of the signature, as the record will name it.
    """
    person = the_person(session, call.person.user_id)
    has_password = newest_password(session, person) is not None
    goes = call.door.provider is not None and not has_password and record and meaning
    query = urlencode({"record": record, "meaning": meaning.value if meaning else ""})
    step_up = f"/step-up?{query}" if goes else ""
    return Signer(has_password, code_is_asked(session, person, records=[record]), step_up)
