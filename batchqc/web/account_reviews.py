"""Reviews of all accounts: an administrator has the report kept, somebody of QA signs it."""

import json
from typing import Any, Final

from fastapi import Request, Response

from batchqc.actions.account_reports import the_report
from batchqc.api import account_reports as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.permissions import Permission, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.web.account_states import states_of
from batchqc.web.accounts import moment
from batchqc.web.acts import Act, Ask, show, submitted
from batchqc.web.administration_tabs import tabs_of
from batchqc.web.calls import Form, OwnForm, Visit
from batchqc.web.forms import built, signature
from batchqc.web.rendering import page
from batchqc.web.wording import _

router = Routes()

_AT: Final = "/administration/account-reports"
_MOST: Final = 200


@router.get("/administration/account-reports")
def account_reports(request: Request, call: Visit, after: str = "") -> Response:
    """Every report that was kept, with its review."""
    found = api.reports(call, after, _MOST)
    return page(
        request,
        "account_reports.html",
        tabs=tabs_of(call),
        reports=found.items[::-1],
        more=f"{_AT}?after={found.next}" if found.next else "",
        may_keep=is_permitted(call.person.roles, Permission.MANAGE_ACCOUNTS),
    )


@router.get("/administration/account-reports/new")
def ask_new(request: Request, call: Visit) -> Response:
    """From which day on failed attempts are counted."""
    return show(request, call, _keeping())


@router.post("/administration/account-reports/new")
def keep(request: Request, call: Visit, form: OwnForm) -> Response:
    """Have the report made and kept."""
    return submitted(
        request, call, form, _keeping(),
        lambda keyed: api.keep(keyed, built(api.NewReport, {"since": form["since"] or None})),
    )  # fmt: skip


@router.get("/administration/account-reports/{number}")
def account_report(request: Request, call: Visit, number: str) -> Response:
    """What the accounts were, and who reviewed them."""
    found = api.report(call, number)
    return page(
        request,
        "account_report.html",
        tabs=tabs_of(call),
        report=found,
        accounts=[(one, states_of(one)) for one in found.content.accounts],
        may_review=is_permitted(call.person.roles, Permission.REVIEW_ACCOUNTS),
        moment=moment,
    )


@router.get("/administration/account-reports/{number}/review")
def ask_review(request: Request, call: Visit, number: str) -> Response:
    """What exactly is signed."""
    return show(request, call, _review(call, number))


@router.post("/administration/account-reports/{number}/review")
def review(request: Request, call: Visit, form: OwnForm, number: str) -> Response:
    """Sign it, over the hash that the form showed."""

    def sign(keyed: Call) -> Any:
        given = signature(keyed, form) | {"sha256": form["sha256"]}
        return json.loads(bytes(api.review(keyed, number, built(api.ReviewSignature, given)).body))

    return submitted(request, call, form, _review(call, number, form), sign)


def _keeping() -> Act:
    return Act(
        title=_("New report on all accounts"),
        says=_("What every account is now is kept for good, with the head of the audit trail. Then"
               " somebody of QA reviews it."),
        button=_("Keep the report"),
        address=f"{_AT}/new",
        back=_AT,
        permission=Permission.MANAGE_ACCOUNTS,
        asks=(Ask("since", _("Count failed attempts from"), "date", required=False,
                  hint=_("Blank is 90 days back.")),),
    )  # fmt: skip


def _review(call: Call, number: str, form: Form | None = None) -> Act:
    found = api.report(call, number)
    with call.reading() as session:
        record = the_report(session, number).key
    seen = form["sha256"] if form else found.sha256
    return Act(
        title=_("Review %(number)s") % {"number": found.number},
        says=_("You sign that you looked at every account of this report, and that roles and access"
               " are as they should be; or say in the reason what is not."),
        button=_("Sign the review"),
        address=f"{_AT}/{found.number}/review",
        back=f"{_AT}/{found.number}",
        permission=Permission.REVIEW_ACCOUNTS,
        facts={
            _("Report"): f"{found.number}, {len(found.content.accounts)} {_('accounts')}",
            _("Made by"): found.made_by,
            _("Record, SHA-256"): found.sha256,
        },
        asks=(Ask("sha256", "", "hidden", seen),),
        record=record,
        meaning=Meaning.REVIEWED,
        why_not=_("It was reviewed already by %(who)s.") % {"who": found.reviewed_by}
        if found.reviewed_by
        else "",
    )  # fmt: skip
