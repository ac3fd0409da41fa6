"""Certificates: number and content are frozen with the decision; the seal comes after it.

No transaction is held while the document is rendered and sealed. Where the seal key fails, the lot
stays released, its certificate is pending, and ``issue_certificate`` takes it up again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.actions.certificate_content import frozen_content
from batchqc.actions.certificate_damage import check_certificates
from batchqc.actions.certificate_filing import file_certificate
from batchqc.actions.certificate_states import check_not_void
from batchqc.actions.certificate_trends import trends_of_lot
from batchqc.actions.checkpoints import check_log, checkpoint_after, is_covered
from batchqc.actions.evaluation import LotCase
from batchqc.actions.layouts import layout_in_force
from batchqc.actions.lots import lock_lot
from batchqc.core.canonical import Json, canonical_bytes, utc_text
from batchqc.core.certificate_changes import changes_between
from batchqc.core.certificate_layouts import laid_out
from batchqc.core.certificates import CertificateContent, seals_of
from batchqc.documents.archive import Archive
from batchqc.documents.log_key import LogSigner
from batchqc.documents.sealing import Sealing
from batchqc.errors import Conflict, NotFound
from batchqc.records.decisions import (
    Certificate,
    CertificateIssue,
    DispositionRow,
    certificate_by,
    certificates_of,
    issue_of,
)
from batchqc.records.holds import HoldEnd
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Actor, Transaction, reading, transaction

if TYPE_CHECKING:
    from batchqc.documents.pades import Sealed, SealKey


NOTHING_PENDING: Final[Mapping[str, date]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Press:
    """What makes a document of a content: the fonts, and when they are needed, the keys.

    The seal is the site's; with the other one a checkpoint of the log is signed after each issue.
    ``sealing`` says how far seals prove themselves.
    """

    fonts: Path
    seal_key: Callable[[], "SealKey"]
    log_key: Callable[[], LogSigner]
    sealing: Sealing


def reserve_certificate(
    tx: Transaction,
    archive: Archive,
    *,
    case: LotCase,
    disposition: DispositionRow,
    pending: Mapping[str, date] = NOTHING_PENDING,
    ended: HoldEnd | None = None,
) -> Certificate:
    """Reserve the next number for a decided lot and freeze what its certificate says.

    It supersedes the lot's earlier certificate, where there is one. ``pending`` are the days on
    which results are due, by criterion; ``ended`` is the hold whose end it is reserved with.
    """
    site, year = case.row.site, tx.now.year
    tx.lock(f"certificates of {year}")
    number = next_number(tx.session, Certificate, year)
    certificate = Certificate(
        site=site,
        year=year,
        number=number,
        lot=case.row,
        disposition=disposition,
        content_sha="",
        supersedes=next(iter(certificates_of(tx.session, case.row)[-1:]), None),
        reserved_at=tx.now,
        let_go=ended.key if ended else "",
    )
    content = frozen_content(tx, case=case, certificate=certificate, pending=pending, ended=ended)
    content = completed(tx.session, archive, content, case=case, earlier=certificate.supersedes)
    certificate.content_sha = archive.put(canonical_bytes(cast("Json", content)))
    tx.add(certificate)
    file_certificate(tx, certificate, content)
    return certificate


def issue_certificate(
    engine: Engine,
    archive: Archive,
    press: Press,
    *,
    number: str,
    actor: Actor,
    clock: Callable[[], datetime],
) -> bytes:
    """Render and seal the frozen content of a certificate, and record its document.

    A checkpoint of the log that covers the issue is signed after it. A certificate that is issued
    already is answered with its document, and with a checkpoint where none covers it yet.

    Raises:
        Conflict: it was withdrawn or superseded before it was sealed: its number is void.
        SigningUnavailable: the seal key or the key of the log cannot be used, or the document
            does not reach its level of PAdES; the certificate stays pending.
        IntegrityFailure: the log does not extend what was signed, or the lot's certificates are
            not as the audit trail says; the certificate stays pending.
    """
    done = _begun(engine, archive, press, number)
    if isinstance(done, _Issued) and done.is_covered:
        return archive.get(done.document_sha)
    signer = press.log_key()
    if not isinstance(done, _Issued):
        made = make_document(done, press, clock)
        with transaction(engine, actor, clock()) as tx:
            done = _issue(tx, archive, number=number, made=made)
    checkpoint_after(engine, signer, record=done.key, clock=clock)
    return archive.get(done.document_sha)


class _Issued(NamedTuple):
    """The key of an issue, the hash of its document, and whether a checkpoint covers it."""

    key: str
    document_sha: str
    is_covered: bool


def _begun(
    engine: Engine, archive: Archive, press: Press, number: str
) -> _Issued | CertificateContent:
    """The issue of a certificate, or what is to be sealed."""
    with reading(engine) as session:
        certificate = the_certificate(session, number)
        if done := _issue_of(session, certificate):
            return done
        signer = press.log_key()
        check_not_void(session, certificate)
        check_log(session, signer)
        return content_of_certificate(archive, certificate)


def _issue_of(session: Session, certificate: Certificate) -> _Issued | None:
    check_certificates(session, certificate.lot)
    issue = issue_of(session, certificate)
    return _Issued(issue.key, issue.document_sha, is_covered(session, issue.key)) if issue else None


def _issue(tx: Transaction, archive: Archive, *, number: str, made: "Sealed") -> _Issued:
    certificate = the_certificate(tx.session, number)
    lock_lot(tx, certificate.lot)  # as whoever withdraws or supersedes it does
    tx.lock(certificate.key)
    earlier = _issue_of(tx.session, certificate)
    if earlier is not None:  # somebody else was faster: theirs is the document
        return earlier
    check_not_void(tx.session, certificate)
    issue = CertificateIssue(
        certificate=certificate,
        document_sha=archive.put(made.document),
        size=len(made.document),
        level=made.level,
        provable_until=utc_text(made.provable_until),
        issued_by=tx.actor.user_id,
        issued_at=tx.now,
    )
    tx.add(issue)
    earlier_one = certificate.supersedes
    tx.audit(
        "certificate issued",
        rows=[issue],
        about=[certificate.key, certificate.lot.key],
        after={
            "document sha256": issue.document_sha,
            "content sha256": certificate.content_sha,
            **({"supersedes": earlier_one.natural_key} if earlier_one else {}),
            "level": f"PAdES {made.level}",
        },
    )
    return _Issued(issue.key, issue.document_sha, is_covered=False)


def the_certificate(session: Session, number: str) -> Certificate:
    """The certificate of a public number.

    Raises:
        NotFound: where there is none.
    """
    certificate = certificate_by(session, number)
    if certificate is None:
        raise NotFound("BQC-CRT-030", f"there is no certificate {number}")
    return certificate


def document_of(session: Session, archive: Archive, *, number: str) -> bytes:
    """The sealed document of a certificate, with its hash checked.

    Raises:
        Conflict: while it is pending, and where it is void.
    """
    return archive.get(the_issue(session, the_certificate(session, number)).document_sha)


def the_issue(session: Session, certificate: Certificate) -> CertificateIssue:
    """The issue of a certificate.

    Raises:
        Conflict: while it is pending, and where it is void.
        IntegrityFailure: BQC-CRT-060 the audit trail says something else of the lot's certificates.
    """
    check_certificates(session, certificate.lot)
    issue = issue_of(session, certificate)
    if issue is None:
        check_not_void(session, certificate)
        raise Conflict(
            "BQC-CRT-031",
            f"certificate {certificate.natural_key} is pending",
            hint="Run `batchqc certificate resume`, once the seal key can be used.",
        )
    return issue


def completed(
    session: Session,
    archive: Archive,
    content: CertificateContent,
    *,
    case: LotCase,
    earlier: Certificate | None,
) -> CertificateContent:
    """The content with the lot's charts, what changed since an earlier one, and its layout.

    Raises:
        IntegrityFailure: the earlier content, or the layout in force, is not as it was.
    """
    content["trends"] = trends_of_lot(session, archive, case)
    replaced = content["supersedes"]
    if earlier is not None and replaced is not None:
        before = content_of_certificate(archive, earlier)
        replaced["changes"] = changes_between(before, content)
    layout = layout_in_force(session, archive, case.row.product.code)
    return laid_out(content, layout) if layout else content


def content_of_certificate(archive: Archive, certificate: Certificate) -> CertificateContent:
    """What a certificate says, as frozen."""
    return cast("CertificateContent", json.loads(archive.get(certificate.content_sha)))


def make_document(
    content: CertificateContent, press: Press, clock: Callable[[], datetime]
) -> "Sealed":
    """The sealed document of a content; no transaction is held meanwhile.

    Raises:
        SigningUnavailable: the seal key cannot be used, or the document does not reach its level.
    """
    from batchqc.documents.coa_layout import (  # noqa: PLC0415 - only who seals pays for it
        made_at,
        render,
    )
    from batchqc.documents.pades import proven, seal  # noqa: PLC0415 - only who seals waits for it

    key, sealing, now = press.seal_key(), press.sealing, clock()
    sealing.check(key, now)
    document = render(content, fonts=press.fonts)
    decided = datetime.fromisoformat(made_at(content))
    seals = content.get("seals") or seals_of(None, content["signatures"][-1])[1:]
    for one in seals:
        document = seal(
            document,
            key,
            field=one["field"],
            name=content["issuer"]["name"],
            reason=one["says"],
            location=content["issuer"]["address"][-1],
            certifies=one is not seals[-1],
            # A seal that took the place of another one says when it really was.
            signed_at=decided if key.valid_at(decided) else now,
            stamped_by=sealing.stamped_by,
        )
    return proven(document, key, sealing, clock=clock)
