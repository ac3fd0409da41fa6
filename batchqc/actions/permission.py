"""The check at the top of every action: was this transaction opened for it?"""

from batchqc.core.permissions import Permission
from batchqc.errors import NotPermitted
from batchqc.records.transaction import SYSTEM, Transaction


def require(tx: Transaction, permission: Permission) -> None:
    """Refuse an action whose transaction was opened for something else.

    Raises:
        NotPermitted: a door opened the transaction for another permission.
    """
    if tx.actor != SYSTEM and tx.actor.permission is not permission:
        raise NotPermitted("BQC-ACC-009", f"{tx.actor.user_id} is not acting to {permission}")
