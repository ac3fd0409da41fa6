"""The review of accounts: an administrator has the report made and kept, QA signs it (1.22)."""

from datetime import date

from sqlalchemy.orm import Session

from batchqc.actions.account_facts import accounts_content
from batchqc.actions.permission import require
from batchqc.actions.registers import found_or_not
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.canonical import canonical_bytes
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, InvalidInput
from batchqc.records.account_reports import AccountReport, AccountReview, report_by, review_of
from batchqc.records.audit import newest_link
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction


def keep_account_report(
    tx: Transaction, archive: Archive, *, since: date | None = None
) -> AccountReport:
    """Make the report on all accounts, and keep it; it names the head of the audit trail."""
    require(tx, Permission.MANAGE_ACCOUNTS)
    link = newest_link(tx.session)
    content = accounts_content(tx.session, now=tx.now, since=since, head=link)
    tx.lock(f"account reports of {tx.now.year}")
    row = AccountReport(
        year=tx.now.year,
        number=next_number(tx.session, AccountReport, tx.now.year),
        since=str(content["since"]),
        content_sha=archive.put(canonical_bytes(content)),
        sequence=link.sequence if link else 0,
        head=link.sha256 if link else "",
        made_by=tx.actor.user_id,
        made_at=tx.now,
    )
    tx.add(row)
    tx.audit("account report made", rows=[row], after={"sha256": row.content_sha})
    return row


def review_accounts(
    tx: Transaction, archive: Archive, *, number: str, sha256: str, credentials: Credentials
) -> AccountReview | Refusal:
    """Sign that the accounts of a report are as they should be, or say in the reason what is not.

    Args:
        tx: of somebody of QA.
        archive: holds the report, which must still be what its hash says.
        number: of the report.
        sha256: of its content, by which the signer says which content that is.
        credentials: of the signer.

    Raises:
        NotFound: there is no such report.
        InvalidInput: the hash is that of something else.
        Conflict: it was reviewed already.
        IntegrityFailure: the report was changed or removed.
    """
    require(tx, Permission.REVIEW_ACCOUNTS)
    check_reason(credentials.reason)
    report = the_report(tx.session, number)
    tx.lock(report.key)
    if review_of(tx.session, report) is not None:
        raise Conflict("BQC-ACC-026", f"{report.natural_key} was reviewed already")
    if sha256 != report.content_sha:
        raise InvalidInput(
            "BQC-ACC-027",
            f"this is not the SHA-256 of {report.natural_key}",
            hint="Read the report that you sign, and send the hash that it carries.",
        )
    archive.get(report.content_sha)
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.REVIEWED,
        record=report.key,
        record_sha256=report.content_sha,
    )
    if isinstance(signature, Refusal):
        return signature
    review = AccountReview(account_report=report, signature=signature)
    tx.add(review)
    tx.audit(
        "accounts reviewed",
        rows=[signature, review],
        about=[report.key],
        reason=credentials.reason,
        after={"sha256": report.content_sha, "sequence": report.sequence, "head": report.head},
    )
    return review


def the_report(session: Session, number: str) -> AccountReport:
    """The report of a number, or NotFound."""
    found = report_by(session, number)
    return found_or_not(found, "BQC-ACC-025", f"there is no account report {number}")
