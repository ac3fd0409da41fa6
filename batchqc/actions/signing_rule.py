"""The rule of the site: whether who has a password and an authenticator signs with both."""

from batchqc.actions.permission import require
from batchqc.core.permissions import Permission
from batchqc.core.signatures import reason_problem
from batchqc.errors import InvalidInput
from batchqc.records.components import SigningRule, newest_rule
from batchqc.records.transaction import Transaction


def set_signing_rule(tx: Transaction, *, with_code: bool, reason: str) -> SigningRule:
    """Set the rule; it holds from the next signature on.

    Raises:
        InvalidInput: the reason explains nothing.
    """
    require(tx, Permission.SET_SIGNING_RULE)
    problem = reason_problem(reason)
    if problem:
        raise InvalidInput("BQC-SIG-004", problem)
    tx.lock("signing rule")
    before = newest_rule(tx.session)
    rule = SigningRule(
        number=before.number + 1 if before else 1,
        with_code=int(with_code),
        reason=reason,
        set_by=tx.actor.user_id,
        set_at=tx.now,
    )
    tx.add(rule)
    tx.audit(
        "signing rule set",
        rows=[rule],
        reason=reason,
        before={"code besides the password": bool(before.with_code) if before else False},
        after={"code besides the password": with_code},
    )
    return rule
