"""Renditions of certificates for recipients: made from frozen content, sealed, on record.

No transaction is held while the document is rendered and sealed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.actions.certificate_damage import certificate_damage, check_rendition
from batchqc.actions.certificate_signatures import moment
from batchqc.actions.certificate_states import state_of
from batchqc.actions.certificates import (
    Press,
    content_of_certificate,
    make_document,
    the_certificate,
)
from batchqc.actions.checkpoints import check_log, checkpoint_after
from batchqc.actions.layouts import approved_content, approved_layout, the_layout
from batchqc.actions.lots import lock_lot
from batchqc.actions.permission import require
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.certificate_layouts import Layout
from batchqc.core.certificates import CONTENT_TYPE, CertificateContent
from batchqc.core.permissions import Permission
from batchqc.core.renditions import rendition_of, rendition_problems
from batchqc.documents.archive import Archive
from batchqc.documents.spec_file import read_specification
from batchqc.errors import Conflict, NotFound
from batchqc.records.decisions import Certificate, issue_of
from batchqc.records.layouts import (
    CertificateRendition,
    layout_by,
    rendition_by,
    withdrawal_of_layout,
)
from batchqc.records.transaction import Actor, Transaction, reading, transaction

if TYPE_CHECKING:
    from batchqc.documents.pades import Sealed


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which certificate, and the id of the layout whose newest approved version is taken."""

    number: str
    layout: str


@dataclass(frozen=True, slots=True)
class Under:
    """A certificate under one version of a layout."""

    number: str
    layout: str
    version: int


@dataclass(frozen=True, slots=True)
class RenditionFacts:
    """A rendition on record: of what, for whom, the hashes of content and document, by whom."""

    certificate: str
    layout: str
    version: int
    recipient: str
    content_sha256: str
    document_sha256: str
    made_by: str
    made_at: datetime


def make_rendition(
    engine: Engine,
    archive: Archive,
    press: Press,
    *,
    wanted: Wanted,
    actor: Actor,
    clock: Callable[[], datetime],
) -> RenditionFacts:
    """Make, seal and record the rendition of a certificate under a layout.

    One that was made before is answered as it is. A checkpoint of the log follows, as after the
    issue of a certificate.

    Raises:
        NotFound: there is no such certificate, or no approved layout of this id.
        Conflict: with every reason why there is no such rendition.
        SigningUnavailable: the seal key or the key of the log cannot be used.
        IntegrityFailure: the layout, or what is on record of the certificate or its rendition, was
            changed, or the log does not extend what was signed.
    """
    signer = press.log_key()
    with reading(engine) as session:
        certificate = the_certificate(session, wanted.number)
        approval = approved_layout(session, wanted.layout)
        if earlier := rendition_by(session, certificate, approval.layout_version):
            check_rendition(session, earlier)
            return facts_of(earlier)
        check_log(session, signer)
        layout = approved_content(session, archive, approval)
        content = rendition_content(session, archive, certificate, layout=layout, now=clock())
    made = make_document(content, press, clock)
    with transaction(engine, actor, clock()) as tx:
        row = _record(tx, archive, certificate=wanted.number, content=content, made=made)
        key, found = row.key, facts_of(row)
    checkpoint_after(engine, signer, record=key, clock=clock)
    return found


def rendition_document(session: Session, archive: Archive, *, wanted: Under) -> bytes:
    """The sealed document of a rendition, with its hash checked.

    Raises:
        NotFound: none was made.
        IntegrityFailure: BQC-CRT-060, BQC-LAY-017: the audit trail says something else.
    """
    certificate = the_certificate(session, wanted.number)
    row = layout_by(session, wanted.layout, wanted.version)
    made = rendition_by(session, certificate, row) if row else None
    if made is None:
        raise NotFound(
            "BQC-LAY-010",
            f"certificate {certificate.natural_key} has no rendition under"
            f" {wanted.layout} v{wanted.version}",
            hint="Make it: batchqc certificate rendition.",
        )
    check_rendition(session, made)
    return archive.get(made.document_sha)


def facts_of(row: CertificateRendition) -> RenditionFacts:
    """What is on record of a rendition."""
    return RenditionFacts(
        certificate=row.certificate.natural_key,
        layout=row.layout_version.layout,
        version=row.layout_version.version,
        recipient=row.layout_version.recipient,
        content_sha256=row.content_sha,
        document_sha256=row.document_sha,
        made_by=row.made_by,
        made_at=row.made_at,
    )


def rendition_content(
    session: Session,
    archive: Archive,
    certificate: Certificate,
    *,
    layout: Layout,
    now: datetime,
) -> CertificateContent:
    """What the rendition says; only of a certificate that is issued and counts."""
    content = complete_content(archive, certificate)
    problems = [
        *_standing(session, certificate),
        *rendition_problems(content, layout, optional=_optional(archive, content)),
    ]
    if problems:
        raise Conflict(
            "BQC-LAY-011",
            f"certificate {certificate.natural_key} has no rendition under {layout.reference}",
            reasons=problems,
            hint="Mend the layout in its next version, or take another one.",
        )
    zone = ZoneInfo(content["issuer"]["time_zone"])
    return rendition_of(
        content,
        layout,
        content_sha256=certificate.content_sha,
        made=moment(now.astimezone(zone)),
    )


def complete_content(archive: Archive, certificate: Certificate) -> CertificateContent:
    """What the certificate says.

    Raises:
        Conflict: BQC-LAY-012 it was frozen before there were layouts.
    """
    content = content_of_certificate(archive, certificate)
    if content["type"] != CONTENT_TYPE:
        raise Conflict(
            "BQC-LAY-012",
            f"certificate {certificate.natural_key} was frozen before there were layouts",
            hint="Give the recipient the certificate itself.",
        )
    return content


def _standing(session: Session, certificate: Certificate) -> list[str]:
    state = state_of(session, certificate)
    found: list[str] = []
    issue = issue_of(session, certificate)
    if issue is None:
        found.append("the certificate is not sealed: run batchqc certificate resume")
    if state.superseded_by:
        found.append(f"the certificate is superseded: make it of {state.superseded_by}")
    if state.withdrawn:
        found.append(f"the certificate was withdrawn ({state.withdrawn}): nothing replaces it yet")
    return [*found, *certificate_damage(session, certificate.lot)]


def _optional(archive: Archive, content: CertificateContent) -> frozenset[str]:
    """What the specification that judged the lot does not require; unreadable, it requires all."""
    rules = content["specification"]
    data = archive.get(rules["sha256"])
    found = read_specification(data, file=rules["id"], is_stored=True).specification
    criteria = found.criteria if found else ()
    return frozenset(one.id for one in criteria if not one.required)


def _record(
    tx: Transaction,
    archive: Archive,
    *,
    certificate: str,
    content: CertificateContent,
    made: "Sealed",
) -> CertificateRendition:
    require(tx, Permission.ISSUE_CERTIFICATE)
    of, part = the_certificate(tx.session, certificate), content["layout"]
    lock_lot(tx, of.lot)  # as whoever withdraws or supersedes it does
    tx.lock(of.key)
    layout = the_layout(tx.session, part["id"], part["version"])
    earlier = rendition_by(tx.session, of, layout)
    if earlier is not None:  # somebody else was faster: theirs is the document
        return earlier
    problems = _standing(tx.session, of)
    if withdrawal_of_layout(tx.session, layout) is not None:
        problems.append(f"layout {layout.reference} was withdrawn")
    if problems:
        raise Conflict(
            "BQC-LAY-013",
            f"certificate {of.natural_key} changed meanwhile",
            reasons=problems,
        )
    row = CertificateRendition(
        certificate=of,
        layout_version=layout,
        content_sha=archive.put(canonical_bytes(cast("Json", content))),
        document_sha=archive.put(made.document),
        size=len(made.document),
        made_by=tx.actor.user_id,
        made_at=tx.now,
    )
    tx.add(row)
    told = content["rendition"]
    tx.audit(
        "certificate rendition made",
        rows=[row],
        about=[of.key, of.lot.key, layout.key],
        after={
            "document sha256": row.document_sha,
            "content sha256": row.content_sha,
            "level": f"PAdES {made.level}",
            "recipient": told["recipient"],
            "withheld": str(sum(one["lines"] for one in told["withheld"])),
        },
    )
    return row
