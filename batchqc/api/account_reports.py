"""Reports on accounts and training, and the signed review of accounts."""

import json
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.account_facts import accounts_content
from batchqc.actions.account_reports import keep_account_report, review_accounts, the_report
from batchqc.actions.account_tables import account_rows, training_rows
from batchqc.actions.training_report import training_report
from batchqc.api.decisions import SignatureOut, signature_out
from batchqc.api.doors import Call, Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day, Sent
from batchqc.api.shapes import After, Limit, Page, page
from batchqc.api.upload_files import CSV_ANSWER, csv_answer
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.account_reports import AccountReport, review_of
from batchqc.records.audit import newest_link

router = Routes(PREFIX, tags=["accounts"], responses=PROBLEMS)

Since = Annotated[
    Day | None, Query(description="Failed attempts from this day of the site on; else 90 days.")
]
Within = Annotated[
    int, Query(ge=0, le=3650, description="Days ahead, and back for what was signed without.")
]


class RoleOut(BaseModel):
    """A role with its terms, and whether it counts today."""

    role: str
    counts: bool
    since: str
    granted_by: str
    last_day: str
    training: str
    trained_on: str
    expires_on: str
    trained: str


class AccountOut(BaseModel):
    """An account; times are RFC 3339, days of the site, empty where there is none."""

    user_id: str
    name: str
    registered_at: str
    active: bool
    changed_at: str
    changed_by: str
    change_reason: str
    roles: list[RoleOut]
    last_sign_in: str
    password_set_at: str
    password_is_one_time: bool
    locked_until: str
    failed_attempts: int
    has_password: bool | None = Field(
        default=None, description="This and what follows is not in reports of type 1: null, empty."
    )
    authenticator_since: str = Field(
        default="", description="Since when the codes of an authenticator count."
    )
    single_sign_on: str = Field(
        default="", description="`linked`, or `confirmed` by the person; empty where neither."
    )
    issuer: str = Field(default="", description="The provider of single sign-on.")
    subject: str = Field(default="", description="What that calls the person.")
    linked_at: str = Field(default="", description="When the link began, or was confirmed.")


class Head(BaseModel):
    """Where the audit trail was."""

    sequence: int
    head: str


class AccountsOut(BaseModel):
    """All accounts at a moment."""

    type: str
    site: str
    at: str
    since: str
    audit: Head
    unknown_user_ids: int = Field(description="Attempts with a user id that nobody has.")
    accounts: list[AccountOut]


class TraineeOut(BaseModel):
    """A person, a role or method, and the record of training."""

    user_id: str
    name: str
    subject: str = Field(examples=["role: reviewer", "method: SOP-QC-040"])
    reference: str
    trained_on: str
    expires_on: str
    state: str


class SignedWithoutOut(BaseModel):
    """Signatures without training in date."""

    user_id: str
    role: str
    why: str
    signatures: int
    first: datetime
    last: datetime


class TrainingOut(BaseModel):
    """Who is trained for what, until when, and who signed without it."""

    day: date
    until: date
    trainees: list[TraineeOut]
    signed_without: list[SignedWithoutOut]


class NewReport(Sent):
    """The period of a report that is to be kept."""

    since: Day | None = None


class ReviewSignature(Signature):
    """The signature of a review, and the hash by which the signer says what was reviewed."""

    sha256: str


class ReportOut(BaseModel):
    """A report that is kept, and its review."""

    number: str
    sha256: str
    sequence: int
    head: str
    made_by: str
    made_at: datetime
    reviewed_by: str = Field(description="Empty before the review.")
    signature: str
    signed: SignatureOut | None = Field(
        description="The signature of the review: its reason says what is not as it should be."
    )


class ReportDetail(ReportOut):
    """With its content."""

    content: AccountsOut


@router.get("/account-report", summary="All accounts as they are now")
def accounts(call: SignedIn, since: Since = None) -> AccountsOut:
    """Roles with their terms, the last sign-in, failures, what is locked or deactivated."""
    return AccountsOut.model_validate(_accounts(call, since))


@router.get(
    "/account-report/csv",
    summary="All accounts as a CSV",
    response_class=Response,
    responses={200: CSV_ANSWER},
)
def accounts_csv(call: SignedIn, since: Since = None) -> Response:
    """A row for each role of each account."""
    return csv_answer(csv_bytes(account_rows(_accounts(call, since))), "accounts.csv")


@router.get("/training-report", summary="Who is trained for what until when")
def training(call: SignedIn, within: Within = 30) -> TrainingOut:
    """Of active accounts, by role and method; and who signed without."""
    with call.reading(Permission.SEE_ACCOUNTS) as session:
        found = training_report(session, now=call.door.now(), within=within)
    return TrainingOut(
        day=found.day,
        until=found.until,
        trainees=[TraineeOut.model_validate(one, from_attributes=True) for one in found.trainees],
        signed_without=[
            SignedWithoutOut.model_validate(one, from_attributes=True) for one in found.without
        ],
    )


@router.get(
    "/training-report/csv",
    summary="Who is trained for what, as a CSV",
    response_class=Response,
    responses={200: CSV_ANSWER},
)
def training_csv(call: SignedIn, within: Within = 30) -> Response:
    """A row for each person and role or method, then who signed without."""
    with call.reading(Permission.SEE_ACCOUNTS) as session:
        found = training_report(session, now=call.door.now(), within=within)
    return csv_answer(csv_bytes(training_rows(found)), "training.csv")


@router.get("/account-reports", summary="Reports on accounts that were kept")
def reports(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[ReportOut]:
    """Oldest first, each with its review."""
    with call.reading(Permission.SEE_ACCOUNTS) as session:
        return page(
            session,
            select(AccountReport),
            AccountReport,
            after=the_report(session, after) if after else None,
            limit=limit,
            show=lambda one: ReportOut(**_facts(session, one)),
        )


@router.get("/account-reports/{number}", summary="One report with its content")
def report(call: SignedIn, number: str) -> ReportDetail:
    """As it was kept; its hash is what the review signs."""
    with call.reading(Permission.SEE_ACCOUNTS) as session:
        row = the_report(session, number)
        content = json.loads(call.door.archive.get(row.content_sha))
        return ReportDetail(**_facts(session, row), content=AccountsOut.model_validate(content))


@router.post("/account-reports", status_code=201, response_model=ReportOut, summary="Keep a report")
def keep(call: Writing, sent: NewReport) -> Response:
    """An administrator has it made; somebody of QA reviews it."""
    with call.writing(Permission.MANAGE_ACCOUNTS, sent) as work:
        if work.is_new:
            row = keep_account_report(work.tx, call.door.archive, since=sent.since)
            work.answer(201, ReportOut(**_facts(work.tx.session, row)))
    return work.response()


@router.post(
    "/account-reports/{number}/review",
    status_code=201,
    response_model=ReportOut,
    summary="Sign the review of accounts",
)
def review(call: Writing, number: str, sent: ReviewSignature) -> Response:
    """Signed once, over the hash of the report."""
    with call.writing(Permission.REVIEW_ACCOUNTS, sent) as work:
        if work.is_new:
            signed = review_accounts(
                work.tx,
                call.door.archive,
                number=number,
                sha256=sent.sha256,
                credentials=sent.credentials,
            )
            if isinstance(signed, Refusal):
                work.answer(403, signed)
            else:
                facts = _facts(work.tx.session, signed.account_report)
                work.answer(201, ReportOut(**facts))
    return work.response()


def _accounts(call: Call, since: date | None) -> dict[str, Any]:
    with call.reading(Permission.SEE_ACCOUNTS) as session:
        head = newest_link(session)
        return dict(accounts_content(session, now=call.door.now(), since=since, head=head))


def _facts(session: Session, row: AccountReport) -> dict[str, Any]:
    signed = review_of(session, row)
    return {
        "number": row.natural_key,
        "sha256": row.content_sha,
        "sequence": row.sequence,
        "head": row.head,
        "made_by": row.made_by,
        "made_at": row.made_at,
        "reviewed_by": signed.signature.person.user_id if signed else "",
        "signature": signed.signature.natural_key if signed else "",
        "signed": signature_out(signed.signature) if signed else None,
    }
