"""What is signed on a form with fields of its own: everything that is missing is said at once."""

from collections.abc import Mapping

from batchqc.api.doors import Call
from batchqc.web.calls import Form
from batchqc.web.forms import WrongForm, check, signature
from batchqc.web.wording import _


def signed(call: Call, form: Form, problems: Mapping[str, str]) -> dict[str, str]:
    """The components that were typed, where no field has a problem.

    Raises:
        WrongForm: BQC-WEB-007 with every field, those of the signature too.
    """
    found, given = dict(problems), dict[str, str]()
    try:
        given = signature(call, form)
    except WrongForm as wrong:
        found |= wrong.problems
    check(found)
    return given


def unseen(form: Form) -> dict[str, str]:
    """What is wrong with a form that does not say what was seen when it was opened."""
    return (
        {} if form["seen"] else {"seen": _("This form does not say what you saw. Open it again.")}
    )
