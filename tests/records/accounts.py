"""What administrators and QA do with accounts, as the tests of a house need it."""

from batchqc.actions.account_reports import keep_account_report, review_accounts
from batchqc.actions.accounts import deactivate, reactivate, reset_password, set_password_rule
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from tests.records.house import ADM, QA1, House, signing

ONE_TIME = "shown to the administrator once"


def reset(house: House, user_id: str, by: str = ADM) -> None:
    """Set a one-time password."""
    with house.acting(by, Permission.MANAGE_ACCOUNTS) as tx:
        reset_password(tx, user_id=user_id, password=ONE_TIME, reason="Forgot the password")


def close(house: House, user_id: str, by: str = ADM) -> None:
    """Deactivate an account."""
    with house.acting(by, Permission.MANAGE_ACCOUNTS) as tx:
        deactivate(tx, user_id=user_id, reason="Has left the company")


def reopen(house: House, user_id: str) -> None:
    """Reactivate an account."""
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        reactivate(tx, user_id=user_id, reason="Is back from leave")


def password_days(house: House, days: int) -> None:
    """Set the rule of passwords."""
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        set_password_rule(tx, days=days, reason="As the policy has it")


def keep_report(house: House) -> tuple[str, str]:
    """Have the report on accounts kept: its number and hash."""
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        row = keep_account_report(tx, house.archive)
        return row.natural_key, row.content_sha


def review(house: House, number: str, sha256: str) -> object:
    """Sign the review of a report."""
    with house.acting(QA1, Permission.REVIEW_ACCOUNTS) as tx:
        signed = review_accounts(
            tx, house.archive, number=number, sha256=sha256, credentials=signing(QA1)
        )
        return signed if isinstance(signed, Refusal) else signed.natural_key
