"""What becomes of the keys of the site is in the audit trail: new seals, revoked ones, lists."""

from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from batchqc.actions.permission import require
from batchqc.actions.setup import own_site
from batchqc.actions.signing import check_reason
from batchqc.core.canonical import Json, utc_text
from batchqc.core.permissions import Permission
from batchqc.records.transaction import Transaction

#: Why a seal is revoked, as it stands in the list.
REASONS: Final = {
    "key stolen": x509.ReasonFlags.key_compromise,
    "replaced": x509.ReasonFlags.superseded,
    "no longer used": x509.ReasonFlags.cessation_of_operation,
}


def record_new_seal(
    tx: Transaction,
    certificate: x509.Certificate,
    *,
    before: x509.Certificate | None,
    list_number: int,
    reason: str,
) -> None:
    """Record that the root certified a new seal, and made its list anew."""
    require(tx, Permission.KEEP_KEYS)
    check_reason(reason)
    tx.audit(
        "seal renewed",
        about=[own_site(tx.session).key],
        reason=reason,
        before=_facts(before) if before else {},
        after={**_facts(certificate), "revocation list": list_number},
    )


def record_list(
    tx: Transaction, revoked: Sequence[x509.Certificate], *, list_number: int, reason: str
) -> None:
    """Record that the root made its list anew, and what is on it from now on."""
    require(tx, Permission.KEEP_KEYS)
    check_reason(reason)
    tx.audit(
        "seal revoked" if revoked else "revocation list made anew",
        about=[own_site(tx.session).key],
        reason=reason,
        after={
            "revoked": [_sha256(one) for one in revoked],
            "revocation list": list_number,
        },
    )


def _facts(certificate: x509.Certificate) -> dict[str, Json]:
    return {
        "seal sha256": _sha256(certificate),
        "valid until": utc_text(certificate.not_valid_after_utc),
    }


def _sha256(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()
