"""QA sets how long raw data is kept, and lays and releases legal holds; each is signed."""

from sqlalchemy.orm import Session

from batchqc.actions.lots import lock_lot, the_lot
from batchqc.actions.permission import require
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.canonical import Json, sha256_of
from batchqc.core.permissions import Permission
from batchqc.core.retention import RetentionRule
from batchqc.core.signatures import Meaning, Refusal
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.records.retention import (
    LegalHold,
    LegalHoldRelease,
    RetentionRuleRow,
    legal_hold_by,
    release_of,
    retention_rules,
)
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction

RETENTION = "retention"
"""What audit entries call the rules."""


def set_retention(
    tx: Transaction, *, rule: RetentionRule, credentials: Credentials
) -> RetentionRuleRow | Refusal:
    """Set for how long raw data is kept from now on.

    Raises:
        InvalidInput: it cannot be the rule, with every reason.
        Conflict: it is the rule already.
    """
    require(tx, Permission.SET_RETENTION)
    check_reason(credentials.reason)
    problems = list(rule.problems())
    if problems:
        raise InvalidInput("BQC-RET-001", "this cannot be the rule of retention", reasons=problems)
    tx.lock(RETENTION)
    before = retention_rules(tx.session)
    if before and before[-1].rule == rule:
        raise Conflict("BQC-RET-002", "this is the rule of retention already")
    number = len(before) + 1
    content: dict[str, Json] = {
        "type": "batchqc/retention-rule/1", "number": number,
        "after_expiry": rule.after_expiry, "after_manufacture": rule.after_manufacture,
    }  # fmt: skip
    signature = sign(
        tx, credentials, meaning=Meaning.APPROVED,
        record=f"retention_rule:{number}", record_sha256=sha256_of(content),
    )  # fmt: skip
    if isinstance(signature, Refusal):
        return signature
    row = RetentionRuleRow(
        number=number, after_expiry=rule.after_expiry, after_manufacture=rule.after_manufacture,
        reason=credentials.reason, signature=signature,
    )  # fmt: skip
    tx.add(row)
    tx.audit(
        "rule of retention set",
        rows=[signature, row],
        about=[RETENTION],
        reason=credentials.reason,
        before=_years(before[-1].rule) if before else {},
        after=_years(rule),
    )
    return row


def hold_legally(tx: Transaction, *, lot: str, credentials: Credentials) -> LegalHold | Refusal:
    """Keep all that concerns a lot until the hold is released, whatever its date.

    Raises:
        NotFound: there is no such lot.
    """
    require(tx, Permission.HOLD_LEGALLY)
    check_reason(credentials.reason)
    row = the_lot(tx.session, lot)
    lock_lot(tx, row)
    year = tx.now.year
    tx.lock(f"legal holds of {year}")
    number = next_number(tx.session, LegalHold, year)
    hold = LegalHold(year=year, number=number, lot=row, reason=credentials.reason)
    content = {"type": "batchqc/legal-hold/1", "number": hold.natural_key, "lot": row.lot}
    signature = sign(
        tx, credentials, meaning=Meaning.HELD, record=hold.key, record_sha256=sha256_of(content)
    )
    if isinstance(signature, Refusal):
        return signature
    hold.signature = signature
    tx.add(hold)
    tx.audit(
        "legal hold laid on lot", rows=[signature, hold], about=[row.key], reason=credentials.reason
    )
    return hold


def release_legally(
    tx: Transaction, *, number: str, credentials: Credentials
) -> LegalHoldRelease | Refusal:
    """End a legal hold.

    Raises:
        NotFound: there is none of this number.
        Conflict: it was released already.
    """
    require(tx, Permission.HOLD_LEGALLY)
    check_reason(credentials.reason)
    hold = the_legal_hold(tx.session, number)
    lock_lot(tx, hold.lot)
    if release_of(tx.session, hold) is not None:
        raise Conflict("BQC-RET-004", f"legal hold {hold.natural_key} was released already")
    content = {"type": "batchqc/legal-hold-release/1", "hold": hold.content_sha256}
    signature = sign(
        tx, credentials, meaning=Meaning.LET_GO, record=hold.key, record_sha256=sha256_of(content)
    )
    if isinstance(signature, Refusal):
        return signature
    row = LegalHoldRelease(legal_hold=hold, reason=credentials.reason, signature=signature)
    tx.add(row)
    tx.audit(
        "legal hold released",
        rows=[signature, row],
        about=[hold.key, hold.lot.key],
        reason=credentials.reason,
    )
    return row


def the_legal_hold(session: Session, number: str) -> LegalHold:
    """The legal hold of a public number.

    Raises:
        NotFound: there is none.
    """
    hold = legal_hold_by(session, number)
    if hold is None:
        raise NotFound("BQC-RET-003", f"there is no legal hold {number}")
    return hold


def _years(rule: RetentionRule) -> dict[str, Json]:
    return {"after expiry": rule.after_expiry, "after manufacture": rule.after_manufacture}
