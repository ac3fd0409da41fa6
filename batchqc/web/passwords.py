"""One's own password, and the statement of accountability that is accepted with it."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import SecretStr

from batchqc.actions.people import the_person
from batchqc.actions.signing import has_accepted
from batchqc.api import session as api
from batchqc.api.doors import Call
from batchqc.api.errors import status_of
from batchqc.core.accountability import STATEMENT
from batchqc.errors import BatchqcError
from batchqc.records.transaction import reading
from batchqc.web.calls import OwnForm, Visit
from batchqc.web.rendering import page
from batchqc.web.wording import _

router = APIRouter()


@router.get("/password")
def ask(request: Request, call: Visit) -> Response:
    """The form to change one's own password."""
    return _form(request, call)


@router.post("/password")
def change(request: Request, call: Visit, form: OwnForm) -> Response:
    """Change it; a new one is typed twice, and the statement is accepted with it."""
    old, new = form.secret("old"), form.secret("new")
    problems = {
        "old": "" if old else _("Type the password that you signed in with."),
        "new": "" if new else _("Type a new password."),
        "again": "" if new == form.secret("again") else _("This is not the same as above."),
    }
    if any(problems.values()):
        return _form(request, call, problems=problems)
    accepts = STATEMENT.sha256 if form["accepts"] else ""
    sent = api.PasswordChange(old=SecretStr(old), new=SecretStr(new), accepts=accepts)
    try:
        api.password(call, sent)
    except BatchqcError as error:
        return _form(request, call, error=error)
    return RedirectResponse("/?did=password", 303)


def _form(
    request: Request,
    call: Call,
    *,
    problems: dict[str, str] | None = None,
    error: BatchqcError | None = None,
) -> Response:
    with reading(call.door.engine) as session:
        accepted = has_accepted(session, the_person(session, call.person.user_id))
    status = status_of(error)[0] if error else 422 if problems else 200
    return page(
        request,
        "password.html",
        status=status,
        problems=problems or {},
        error=error,
        statement=None if accepted else STATEMENT.text,
    )
