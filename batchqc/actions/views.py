"""What auditors looked at: an entry for each of their requests, before it is answered (10.06)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from batchqc.records.audit_search import entries_after
from batchqc.records.transaction import Transaction

#: What audit entries call it. They are filed under who and what, not under the records: what
#: speaks of a lot is what was done with it.
VIEWED: Final = "asked for by an auditor"


@dataclass(frozen=True, slots=True)
class View:
    """A request of an auditor: where it stands in the audit trail, who, when, what for."""

    sequence: int
    who: str
    at: datetime
    request: str
    route: str
    records: Mapping[str, str]


def log_view(tx: Transaction, *, request: str, route: str, records: Mapping[str, str]) -> None:
    """Write down what an auditor asks for.

    Args:
        tx: of the auditor; commit it before anything is answered.
        request: method and address as sent.
        route: method and address with the names of its parts.
        records: these parts, by name.
    """
    tx.audit(VIEWED, after={"request": request, "route": route, "records": dict(records)})


def views(session: Session, *, after: int, limit: int, who: str = "") -> Sequence[View]:
    """What auditors asked for, oldest first, behind a place in the audit trail."""
    found = entries_after(session, after, limit=limit, who=who, what=VIEWED)
    return [
        View(sequence=link.sequence, who=entry.who, at=entry.at, **json.loads(entry.text)["after"])
        for link, entry in found
    ]
