"""QA sets a policy of the site, signed, with the reason."""

from batchqc.actions.codes import needs_code
from batchqc.actions.permission import require
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.canonical import sha256_of
from batchqc.core.permissions import Permission
from batchqc.core.policies import CodeAtSignIn, Policy, choices, may_be
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.component_key import load_component_key
from batchqc.errors import Conflict, InvalidInput
from batchqc.records.policies import POLICIES, PolicyRow, next_policy_key, policies_of, policy_rows
from batchqc.records.transaction import Transaction


def set_policy(
    tx: Transaction, *, policy: Policy, value: str, credentials: Credentials
) -> PolicyRow | Refusal:
    """Set a policy from now on.

    Raises:
        InvalidInput: it cannot be that.
        Conflict: it is that already, or would keep out who sets it.
        SigningUnavailable: it asks everybody for what nobody could enrol here.
    """
    require(tx, Permission.SET_POLICY)
    check_reason(credentials.reason)
    if not may_be(policy, value):
        raise InvalidInput(
            "BQC-POL-001",
            f'"{value}" is nothing that "{policy}" can be',
            hint=f"One of: {', '.join(choices(policy))}.",
        )
    tx.lock(POLICIES)
    before = policies_of(tx.session)[policy]
    if value == CodeAtSignIn.EVERYBODY:
        _check_way_back(tx)
    if before == value:
        raise Conflict("BQC-POL-002", f'"{policy}" is {value} already')
    number = 1 + sum(row.policy == policy for row in policy_rows(tx.session))
    content = {
        "type": "batchqc/policy/1", "policy": policy.value, "number": number, "value": value,
    }  # fmt: skip
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.APPROVED,
        record=next_policy_key(tx.session, policy),
        record_sha256=sha256_of(content),
    )
    if isinstance(signature, Refusal):
        return signature
    row = PolicyRow(
        policy=policy.value,
        number=number,
        value=value,
        reason=credentials.reason,
        signature=signature,
    )
    tx.add(row)
    tx.audit(
        "policy set",
        rows=[signature, row],
        about=[POLICIES],
        reason=credentials.reason,
        before={policy.value: before},
        after={policy.value: value},
    )
    return row


def _check_way_back(tx: Transaction) -> None:
    """Who asks everybody for a code has one, and so can take it back; and others can enrol."""
    load_component_key(tx.component_key)
    if not needs_code(tx.session, tx.actor.user_id):
        raise Conflict(
            "BQC-POL-003",
            "who asks everybody for an authenticator has one",
            hint="Enrol yours first, and see that another administrator has one too.",
        )
