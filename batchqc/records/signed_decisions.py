"""What was signed over lots and froze them: decisions, and ends of holds on lots in use."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.records.decisions import Certificate, DispositionRow
from batchqc.records.holds import HoldEnd
from batchqc.records.registers import LotRow
from batchqc.records.signatures import SignatureRow


@dataclass(frozen=True, slots=True)
class SignedDecision:
    """A lot as it was frozen, under which signature, and the certificates that came of it."""

    key: str
    lot: LotRow
    content_sha: str
    signature: SignatureRow
    decided_at: datetime
    certificates: tuple[Certificate, ...]


def signed_decisions(session: Session) -> Iterator[SignedDecision]:
    """Every decision, oldest first, then every end of a hold with which a lot was frozen."""
    found = list(session.scalars(select(Certificate).order_by(Certificate.id)))
    for row in session.scalars(select(DispositionRow).order_by(DispositionRow.id)).all():
        own = tuple(one for one in found if one.disposition_id == row.id and not one.let_go)
        yield SignedDecision(row.key, row.lot, row.content_sha, row.signature, row.decided_at, own)
    for end in session.scalars(select(HoldEnd).order_by(HoldEnd.id)).all():
        if end.content_sha:
            own = tuple(one for one in found if one.let_go == end.key)
            lot, signature = end.hold.lot, end.signature
            yield SignedDecision(end.key, lot, end.content_sha, signature, signature.at, own)
