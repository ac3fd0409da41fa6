"""``batchqc account``: closing, resetting and reviewing accounts; what auditors viewed."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from batchqc import clock
from batchqc.actions.account_facts import accounts_content
from batchqc.actions.account_reports import keep_account_report, review_accounts, the_report
from batchqc.actions.account_tables import account_rows, training_rows
from batchqc.actions.accounts import deactivate, reactivate, reset_password, set_password_rule
from batchqc.actions.training_report import training_report
from batchqc.actions.views import views
from batchqc.cli.csv_out import expect_new, write_csv
from batchqc.cli.show import facts, say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission
from batchqc.records.account_reports import AccountReport, review_of
from batchqc.records.audit import newest_link
from batchqc.records.signatures import SignatureRow
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Accounts: closed, reset, reported and reviewed; what auditors viewed.")

UserId = Annotated[str, typer.Argument(help="Whose.")]
Number = Annotated[str, typer.Argument(help="Number of the report, such as AR-2026-000001.")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Write a CSV as well; a new file.")]
Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Count failed attempts from this day on."),
]
_SHOWN = (0, 1, 3, 7, 11, 12, 15, 16, 19, 20)  # of the columns of the CSV


@app.command("deactivate")
def deactivate_(context: typer.Context, user_id: UserId, user: User, *, reason: Reason) -> None:
    """Close an account; its sessions end at once."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.MANAGE_ACCOUNTS)
    with transaction(place.engine, actor, place.now()) as tx:
        deactivate(tx, user_id=user_id, reason=reason)
    say(f"The account {user_id} is deactivated.")


@app.command("reactivate")
def reactivate_(context: typer.Context, user_id: UserId, user: User, *, reason: Reason) -> None:
    """Open a closed account again."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.MANAGE_ACCOUNTS)
    with transaction(place.engine, actor, place.now()) as tx:
        reactivate(tx, user_id=user_id, reason=reason)
    say(f"The account {user_id} is active.")


@app.command("reset")
def reset(context: typer.Context, user_id: UserId, user: User, *, reason: Reason) -> None:
    """Set a one-time password, which is shown once and opens nothing but its change."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.MANAGE_ACCOUNTS)
    password = clock.new_token()
    with transaction(place.engine, actor, place.now()) as tx:
        row = reset_password(tx, user_id=user_id, password=password, reason=reason)
        ends_at = row.ends_at
    facts([("One-time password", password), ("Ends at", ends_at)])
    say(f"Hand it to {user_id}. Next: batchqc user password --user {user_id}")


@app.command("password-days")
def password_days(
    context: typer.Context,
    days: Annotated[int, typer.Argument(min=0, help="After how many days; 0 for never.")],
    user: User,
    *,
    reason: Reason,
) -> None:
    """Say after how many days a password must be changed."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.MANAGE_ACCOUNTS)
    with transaction(place.engine, actor, place.now()) as tx:
        set_password_rule(tx, days=days, reason=reason)
    say(f"Passwords are changed after {days} days." if days else "Passwords do not age.")


@app.command("report")
def report(
    context: typer.Context,
    user: User,
    *,
    since: Since = None,
    csv: Csv = None,
    keep: Annotated[bool, typer.Option(help="Keep it, so that QA can review it.")] = False,
) -> None:
    """All accounts: roles with their terms, last sign-in, failures, what is locked or closed."""
    place, day = workplace(context), since.date() if since else None
    if csv is not None:
        expect_new(csv)
    keyboard = at_keyboard(place, user)
    if keep:
        actor = keyboard.acting(Permission.MANAGE_ACCOUNTS)
        with transaction(place.engine, actor, place.now()) as tx:
            row = keep_account_report(tx, place.archive, since=day)
            number, sha256 = row.natural_key, row.content_sha
        content = json.loads(place.archive.get(sha256))
        facts([("Report", number), ("SHA-256", sha256)])
    else:
        keyboard.acting(Permission.SEE_ACCOUNTS)
        with reading(place.engine) as session:
            head = newest_link(session)
            content = accounts_content(session, now=place.now(), since=day, head=head)
    rows = list(account_rows(content))
    table(
        ("User id", "Name", "Active", "Role", "Granted by", "Last day", "Trained", "Last sign-in",
         "Locked until", "Failures"),
        [[row[column] for column in _SHOWN] for row in rows[1:]],
        empty="Nobody is registered.",
    )  # fmt: skip
    if csv is not None:
        write_csv(csv, rows)


@app.command("reports")
def reports(context: typer.Context) -> None:
    """Every report that was kept, with its review."""
    with reading(workplace(context).engine) as session:
        rows = []
        for one in session.scalars(select(AccountReport).order_by(AccountReport.id)):
            signed = review_of(session, one)
            by = _told(signed.signature) if signed else "not reviewed"
            rows.append((one.natural_key, one.made_at, one.made_by, by, one.content_sha))
    table(("Report", "Made at", "By", "Reviewed by", "SHA-256"), rows, empty="None is kept.")


def _told(signed: SignatureRow) -> str:
    """A signature in one line: its reason says what is not as it should be."""
    who = f"{signed.name} ({signed.person.user_id}, {signed.role})"
    return f"{who}, {signed.meaning} {signed.at:%Y-%m-%d %H:%M} UTC: {signed.reason}"


@app.command("review")
def review(context: typer.Context, number: Number, user: User, *, reason: Reason) -> None:
    """Sign the review of accounts, after the report was shown."""
    place = workplace(context)
    with reading(place.engine) as session:
        sha256 = the_report(session, number).content_sha
    content = json.loads(place.archive.get(sha256))
    columns, *rows = account_rows(content)
    for row in rows:  # what is signed has more columns than a terminal can show beside each other
        facts([(name.replace("_", " "), said) for name, said in zip(columns, row, strict=True)
               if said])  # fmt: skip
        say("")
    unknown = f"{content['unknown_user_ids']} since {content['since']}"
    facts([("Attempts with unknown user ids", unknown)])
    keyboard = at_keyboard(place, user, to=f"sign the review of {number}, {sha256}")
    actor = keyboard.acting(Permission.REVIEW_ACCOUNTS)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = review_accounts(
            tx,
            place.archive,
            number=number,
            sha256=sha256,
            credentials=keyboard.signing(reason),
        )
    raise_refusal(signed)
    say(f"{number} is reviewed.")


@app.command("training")
def training(
    context: typer.Context,
    user: User,
    *,
    within: Annotated[int, typer.Option(min=0, max=3650, help="Days ahead and back.")] = 30,
    csv: Csv = None,
) -> None:
    """Who is trained for what until when, and who signed without it."""
    place = workplace(context)
    if csv is not None:
        expect_new(csv)
    at_keyboard(place, user).acting(Permission.SEE_ACCOUNTS)
    with reading(place.engine) as session:
        found = training_report(session, now=place.now(), within=within)
    rows = list(training_rows(found))
    table(rows[0], rows[1:], empty="Nobody is registered.")
    if csv is not None:
        write_csv(csv, rows)


@app.command("views")
def views_(
    context: typer.Context,
    user: User,
    *,
    who: Annotated[str, typer.Option(help="Only this auditor.")] = "",
    after: Annotated[int, typer.Option(min=0, help="Behind this place of the audit trail.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="How many at the most.")] = 1000,
) -> None:
    """What auditors asked the API for, oldest first."""
    place = workplace(context)
    at_keyboard(place, user).acting(Permission.SEE_ACCOUNTS)
    with reading(place.engine) as session:
        found = views(session, after=after, limit=limit, who=who)
    rows = [(one.sequence, one.at, one.who, one.request) for one in found]
    table(("Entry", "At", "Who", "Asked for"), rows, empty="No auditor asked for anything.")
