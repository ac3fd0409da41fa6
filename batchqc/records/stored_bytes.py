"""Which rows name bytes in the store, and in which columns."""

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.records.account_reports import AccountReport
from batchqc.records.annex16 import LotCheck
from batchqc.records.base import Row
from batchqc.records.certificate_renewals import CertificateRenewal
from batchqc.records.decisions import Certificate, CertificateIssue, DispositionRow
from batchqc.records.donor_panels import PanelVersion
from batchqc.records.entries import Attachment
from batchqc.records.holds import HoldEnd
from batchqc.records.imports import DossierImport
from batchqc.records.investigations import filed_documents
from batchqc.records.jobs import JobStep
from batchqc.records.laboratory import LaboratoryCertificate
from batchqc.records.layouts import CertificateRendition, LayoutVersion
from batchqc.records.log import CheckpointTimestamp
from batchqc.records.look_backs import LookBack
from batchqc.records.lot_reviews import AuditReview, LotReview
from batchqc.records.methods import MethodVersion
from batchqc.records.profiles import ProfileVersion
from batchqc.records.quality_reviews import QualityReview
from batchqc.records.retention import Disposal
from batchqc.records.specifications import ImpactReport, SpecificationApproval, SpecificationVersion
from batchqc.records.trail_samples import TrailSample
from batchqc.records.trends import LimitSet
from batchqc.records.uploads import Upload

#: Columns that name bytes in the store; "" names none.
NAMING: Final[Mapping[type[Row], tuple[str, ...]]] = {
    Upload: ("sha256",),
    Attachment: ("sha256",),
    SpecificationVersion: ("sha256",),
    SpecificationApproval: ("content_sha",),
    ImpactReport: ("content_sha", "document_sha"),
    ProfileVersion: ("sha256",),
    MethodVersion: ("sha256",),
    LaboratoryCertificate: ("sha256",),
    DispositionRow: ("content_sha",),
    HoldEnd: ("content_sha",),
    Certificate: ("content_sha",),
    CertificateIssue: ("document_sha",),
    AccountReport: ("content_sha",),
    LotReview: ("content_sha",),
    AuditReview: ("content_sha",),
    LotCheck: ("content_sha",),
    LookBack: ("content_sha",),
    LimitSet: ("content_sha",),
    QualityReview: ("content_sha", "document_sha"),
    PanelVersion: ("sha256",),
    CheckpointTimestamp: ("token_sha",),
    CertificateRenewal: ("document_sha",),
    Disposal: ("content_sha",),
    DossierImport: ("content_sha", "dossier_sha"),
    LayoutVersion: ("sha256",),
    CertificateRendition: ("content_sha", "document_sha"),
    JobStep: ("result_sha",),
    TrailSample: ("content_sha",),
}


def named_bytes(session: Session) -> Iterator[tuple[Row, str]]:
    """Every row that names bytes in the store, with their hash."""
    for kind, names in NAMING.items():
        for row in session.scalars(select(kind)):
            yield from ((row, named) for name in names if (named := getattr(row, name)))
    yield from filed_documents(session)
