"""Whether a certificate still says what is so; its stored bytes never change."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.records.conditional import (
    CertificateWithdrawal,
    superseding_certificate,
    withdrawal_of,
)
from batchqc.records.decisions import Certificate, certificates_of
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class CertificateState:
    """Which certificate supersedes it, or why it was withdrawn; both "" while it counts."""

    superseded_by: str
    withdrawn: str

    @property
    def counts(self) -> bool:
        """Whether it still says what is so."""
        return not (self.superseded_by or self.withdrawn)


def state_of(session: Session, certificate: Certificate) -> CertificateState:
    """How a certificate stands now."""
    newer = superseding_certificate(session, certificate)
    ended = withdrawal_of(session, certificate)
    return CertificateState(newer.natural_key if newer else "", ended.reason if ended else "")


def withdraw_certificate(tx: Transaction, lot: LotRow, *, reason: str, about: str) -> None:
    """Say that the newest certificate of a lot no longer says what is so, where it still counts.

    Args:
        tx: of whoever found it; the caller holds the lot's lock.
        lot: the lot.
        reason: why, in words.
        about: the key of the record that it is for.
    """
    for certificate in certificates_of(tx.session, lot)[-1:]:
        if not state_of(tx.session, certificate).counts:
            continue
        row = CertificateWithdrawal(
            certificate=certificate,
            reason=reason,
            about=about,
            withdrawn_by=tx.actor.user_id,
            withdrawn_at=tx.now,
        )
        tx.add(row)
        keys = [certificate.key, lot.key, about]
        tx.audit("certificate withdrawn", rows=[row], about=keys, reason=reason)
