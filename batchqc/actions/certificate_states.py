"""Whether a certificate still says what is so; its stored bytes never change."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from batchqc.errors import Conflict
from batchqc.records.conditional import (
    CertificateWithdrawal,
    superseding_certificate,
    withdrawal_of,
)
from batchqc.records.decisions import Certificate, certificates_of, issue_of
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction

Status = Literal["issued", "pending", "void"]


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


def status_of(session: Session, certificate: Certificate) -> Status:
    """Whether it is sealed, waits for its seal, or never gets one."""
    if issue_of(session, certificate) is not None:
        return "issued"
    return "pending" if state_of(session, certificate).counts else "void"


def standing_of(session: Session, certificate: Certificate) -> str:
    """How it stands, in words: its status, and why it no longer says what is so."""
    state, status = state_of(session, certificate), status_of(session, certificate)
    ended = (
        f"superseded by {state.superseded_by}" if state.superseded_by else "",
        f"withdrawn: {state.withdrawn}" if state.withdrawn else "",
    )
    return "; ".join(filter(None, ("" if status == "issued" and any(ended) else status, *ended)))


def check_not_void(session: Session, certificate: Certificate) -> None:
    """Refuse a certificate that was withdrawn or superseded before it was sealed.

    Raises:
        Conflict: its number is void.
    """
    state = state_of(session, certificate)
    if not state.counts:
        since = f"superseded by {state.superseded_by}" if state.superseded_by else state.withdrawn
        raise Conflict(
            "BQC-CRT-033",
            f"certificate {certificate.natural_key} is void: {since}",
            hint="It was never sealed and never will be; see the lot for the one that counts.",
        )


def against_certificate(session: Session, lot: LotRow) -> Iterator[str]:
    """Why the newest certificate of a lot does not say what is so, and what to do."""
    for certificate in certificates_of(session, lot)[-1:]:
        if withdrawn := state_of(session, certificate).withdrawn:
            yield (
                f"certificate {certificate.natural_key} was withdrawn ({withdrawn}) and none counts"
                " in its place; the end of the lot's last hold reserves one"
            )


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
