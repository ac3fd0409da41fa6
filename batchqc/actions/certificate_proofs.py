"""Proofs of certificates: that the issue is in the log, and how the certificate stands.

A proof is a file (JSON, ``batchqc/certificate-proof/1``) for whoever verifies the document without
the records. It holds entries of the audit trail as they are: people, lots and reasons.
"""

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.certificate_damage import check_certificates
from batchqc.actions.certificate_states import state_of
from batchqc.actions.certificates import document_of, the_certificate
from batchqc.actions.checkpoints import check_log, is_covered
from batchqc.actions.log_proofs import prove_record, the_place
from batchqc.actions.witnessed import unlike_trail
from batchqc.core.canonical import Json, canonical_bytes, utc_text
from batchqc.documents.archive import Archive
from batchqc.documents.log_key import LogSigner
from batchqc.documents.verifier.case import LATE
from batchqc.records.audit import newest_link
from batchqc.records.conditional import superseding_certificate, withdrawal_of
from batchqc.records.decisions import Certificate, issue_of
from batchqc.records.layouts import renditions_of
from batchqc.records.log import (
    CheckpointRow,
    CheckpointTimestamp,
    checkpoint_for,
    first_checkpoint_by,
    first_checkpoint_for,
    is_stamped_before,
    lost_keys,
    timestamp_of,
)

PROOF_TYPE: Final = "batchqc/certificate-proof/1"
STATUS_TYPE: Final = "batchqc/certificate-status/1"


def prove_certificate(
    session: Session, archive: Archive, signer: LogSigner, *, number: str, now: datetime
) -> bytes:
    """The proof of an issued certificate.

    Its issue is proven against the first checkpoint that covers it and is timestamped; where none
    is, against the first that covers it. A timestamp of a service that came after the issue stands
    beside: it shows that the issue was there, and not that it was dated back.

    Raises:
        NotFound: there is no such certificate.
        Conflict: it is pending or void (BQC-CRT-031, BQC-CRT-033), or no checkpoint covers its
            issue yet (BQC-LOG-015).
        SigningUnavailable: BQC-LOG-006 the key is not the newest on record.
        IntegrityFailure: BQC-LOG-007 the log does not extend its newest checkpoint, BQC-CRT-060 the
            lot's certificates are not as the audit trail says.
    """
    certificate = the_certificate(session, number)
    document_of(session, archive, number=number)  # refuses what has none
    check_log(session, signer)
    key = f"certificate_issue:{certificate.natural_key}"
    place = the_place(session, key)
    row = checkpoint_for(session, place)
    stamped = later = timestamp_of(session, row) if row else None
    if row and stamped and _came_later(session, certificate, stamped, place):
        row, stamped = first_checkpoint_for(session, place), None
    found: dict[str, Json] = {
        "type": PROOF_TYPE,
        "certificate": certificate.natural_key,
        "issue": _entry(session, key, row.size if row else 0),
        "events": [_entry(session, one, 0) for one in _ends(session, certificate)],
        "status": statement(session, signer, certificate, now=now),
    }
    if stamped:
        found["timestamp"] = _answer(archive, stamped)
    elif later:
        proof = prove_record(session, key, size=later.checkpoint.size).proof.text
        found["later"] = {"proof": proof, "timestamp": _answer(archive, later)}
    if row and not later and (newer := _by_a_newer_key(session, row, place)):
        found["later"] = {"proof": prove_record(session, key, size=newer.size).proof.text}
    return canonical_bytes(found)


def _by_a_newer_key(session: Session, row: CheckpointRow, place: int) -> CheckpointRow | None:
    """Where the key of a checkpoint was lost, one that covers an entry too, by a key that is not.

    Nothing but that shows that the lost key signed what the log holds.
    """
    lost = lost_keys(session)
    after = lost.get(row.log_key_id)
    while after and after.id in lost:
        after = lost[after.id]
    return first_checkpoint_by(session, place, after) if after else None


def _came_later(
    session: Session, certificate: Certificate, stamped: CheckpointTimestamp, place: int
) -> bool:
    """Whether there was no timestamp service yet, and the clock is right by its first timestamp."""
    issue, said = issue_of(session, certificate), stamped.checkpoint.signed_at
    was_late = issue is not None and stamped.stamped_at - issue.issued_at > LATE
    return was_late and stamped.stamped_at - said <= LATE and not is_stamped_before(session, place)


def _answer(archive: Archive, stamped: CheckpointTimestamp) -> str:
    return base64.b64encode(archive.get(stamped.token_sha)).decode()


def statement(
    session: Session, signer: LogSigner, certificate: Certificate, *, now: datetime
) -> str:
    """How a certificate stands now, as a note that the key of the log signs."""
    issue, link = issue_of(session, certificate), newest_link(session)
    lines = [
        STATUS_TYPE,
        f"certificate {certificate.natural_key}",
        f"document {issue.document_sha if issue else ''}",
        f"standing {standing(session, certificate)}",
        f"entries {link.sequence if link else 0}",
        f"at {utc_text(now)}",
    ]
    text = "".join(f"{line}\n" for line in lines)
    return f"{text}\n{signer.line(text)}"


def standing(session: Session, certificate: Certificate) -> str:
    """``counts``, or in one line why a certificate says no more what is so."""
    state = state_of(session, certificate)
    if state.superseded_by:
        return f"superseded by {state.superseded_by}"
    return f"withdrawn: {' '.join(state.withdrawn.split())}" if state.withdrawn else "counts"


def standing_on_record(session: Session, number: str, documents: Sequence[str]) -> str:
    """How the certificate of a document stands on record: ``counts``, or why it does not.

    Args:
        session: of the records.
        number: of the certificate.
        documents: SHA-256 of the file, and of what it was before evidence was added. It is the
            certificate as it was issued, or a rendition of it.

    Raises:
        NotFound: there is no such certificate.
        IntegrityFailure: BQC-CRT-060 the lot's certificates are not as the audit trail says.
    """
    certificate = the_certificate(session, number)
    unlike = unlike_record(session, certificate, documents)
    return unlike or standing(session, certificate)


def unlike_record(session: Session, certificate: Certificate, documents: Sequence[str]) -> str:
    """Why a document, by its hashes, is none that is on record of a certificate; "" where it is.

    Raises:
        IntegrityFailure: BQC-CRT-060 the lot's certificates are not as the audit trail says.
    """
    check_certificates(session, certificate.lot)
    issue = issue_of(session, certificate)
    if issue is None:
        return "on record it was never issued"
    made = [one for one in renditions_of(session, certificate) if one.document_sha in documents]
    if issue.document_sha not in documents and not made:
        return "on record it has another document"
    return "; ".join(unlike_trail(session, [certificate.key], made))


def _ends(session: Session, certificate: Certificate) -> Iterator[str]:
    """Keys of the events that ended it, so far as a checkpoint covers them."""
    newer, ended = (
        superseding_certificate(session, certificate),
        withdrawal_of(session, certificate),
    )
    keys = [
        f"certificate_issue:{newer.natural_key}" if newer else "",
        ended.key if ended else "",
    ]
    return (one for one in keys if one and is_covered(session, one))


def _entry(session: Session, key: str, size: int) -> dict[str, Json]:
    found = prove_record(session, key, size=size)
    return {"entry": found.entry, "proof": found.proof.text}
