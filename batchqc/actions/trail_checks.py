"""That somebody verified the audit trail, and what was found, stands in the audit trail itself."""

from typing import Final

from batchqc.actions.permission import require
from batchqc.actions.verification import TrailCheck
from batchqc.core.permissions import Permission
from batchqc.records.transaction import Transaction

#: What audit entries call it.
VERIFIED: Final = "audit trail verified"
_TOLD: Final = 50


def note_verification(tx: Transaction, found: TrailCheck) -> None:
    """Write down what a verification found: how many entries, the head, the first problems."""
    require(tx, Permission.READ)
    tx.audit(
        VERIFIED,
        after={
            "entries": found.entries,
            "sequence": found.head.sequence if found.head else 0,
            "head": found.head.sha256 if found.head else "",
            "problems": len(found.problems),
            "first problems": list(found.problems[:_TOLD]),
        },
    )
