"""One's own password, and the statement of accountability that is accepted with it."""

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from pydantic import SecretStr

from batchqc.actions.people import the_person
from batchqc.actions.signing import code_is_asked, has_accepted
from batchqc.api import authenticators as components
from batchqc.api import session as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.accountability import STATEMENT
from batchqc.core.signatures import Meaning
from batchqc.errors import BatchqcError
from batchqc.records.transaction import reading
from batchqc.web.calls import OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, check, said, signature, signer_of
from batchqc.web.rendering import page
from batchqc.web.wording import _

router = Routes()


@router.get("/password")
def ask(request: Request, call: Visit) -> Response:
    """The form to change one's own password."""
    return _form(request, call)


@router.post("/password")
def change(request: Request, call: Visit, form: OwnForm) -> Response:
    """Change it; a new one is typed twice, and the statement is accepted with it."""
    old, new = form.secret("old"), form.secret("new")
    accepts = STATEMENT.sha256 if form["accepts"] else ""
    try:
        check(
            {
                "old": "" if old else _("Type the password that you signed in with."),
                "new": "" if new else _("Type a new password."),
                "again": "" if new == form.secret("again") else _("This is not the same as above."),
            }
        )
        sent = api.PasswordChange(old=SecretStr(old), new=SecretStr(new), accepts=accepts)
        api.password(call, sent)
    except BatchqcError as error:
        return _form(request, call, said(error))
    return RedirectResponse("/?did=password", 303)


def _form(request: Request, call: Call, told: Said = NOTHING_SAID) -> Response:
    with reading(call.door.engine) as session:
        person = the_person(session, call.person.user_id)
        accepted = has_accepted(session, person)
        by_itself = code_is_asked(session, person)  # signed with a code, for which is no place here
    return page(
        request,
        "password.html",
        status=told.status,
        statement=None if accepted or by_itself else STATEMENT.text,
        **told.content,
    )


@router.get("/accountability")
def statement(request: Request, call: Visit) -> Response:
    """The statement that everybody accepts who signs; who has a password accepts it with that."""
    return _statement(request, call)


@router.post("/accountability")
def accept(request: Request, call: Visit, form: OwnForm) -> Response:
    """Sign it."""
    try:
        signed = signature(call, form) | {"sha256": STATEMENT.sha256}
        components.accept(keyed(call, form), built(components.Acceptance, signed))
    except BatchqcError as error:
        return _statement(request, call, said(error), form["reason"])
    return RedirectResponse("/?did=statement", 303)


def _statement(
    request: Request, call: Call, told: Said = NOTHING_SAID, reason: str = ""
) -> Response:
    with reading(call.door.engine) as session:
        accepted = has_accepted(session, the_person(session, call.person.user_id))
        signer = signer_of(session, call, record=STATEMENT.key, meaning=Meaning.ACCEPTED)
    return page(
        request, "accountability.html", status=told.status, statement=STATEMENT,
        accepted=accepted, signer=signer, reason=reason, **told.content,
    )  # fmt: skip
