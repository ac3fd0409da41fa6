"""What lies in the store by which record, and which lots are concerned where it is not there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, or_, select, union
from sqlalchemy.orm import Session

from batchqc.core.identifiers import fold
from batchqc.records.account_reports import AccountReport
from batchqc.records.annex16 import LotCheck
from batchqc.records.base import Row
from batchqc.records.bindings import REBOUND
from batchqc.records.certificate_renewals import CertificateRenewal
from batchqc.records.corrections import Correction
from batchqc.records.decisions import Certificate, CertificateIssue, DispositionRow
from batchqc.records.donor_panels import PanelVersion
from batchqc.records.donors import EligibilityRow
from batchqc.records.entries import Attachment
from batchqc.records.holds import Hold, HoldEnd
from batchqc.records.imports import DossierImport
from batchqc.records.investigations import (
    InvestigationRow,
    InvestigationStep,
    filed_documents,
)
from batchqc.records.jobs import JobStep
from batchqc.records.laboratory import LaboratoryCertificate
from batchqc.records.layouts import CertificateRendition, LayoutVersion
from batchqc.records.log import CheckpointTimestamp
from batchqc.records.look_backs import LookBack
from batchqc.records.lot_reviews import AuditReview, LotReview
from batchqc.records.methods import MethodVersion
from batchqc.records.profiles import ProfileVersion
from batchqc.records.quality_reviews import QualityReview
from batchqc.records.registers import LotDonor, LotRow, LotSpecification
from batchqc.records.retention import Disposal
from batchqc.records.specifications import (
    ImpactReport,
    SpecificationApproval,
    SpecificationVersion,
)
from batchqc.records.stored_bytes import NAMING
from batchqc.records.trail_samples import TrailSample
from batchqc.records.trends import LimitSet
from batchqc.records.uploads import AssayRun, MeasurementRow, Upload

_Lots = Select[int]


def named_after(session: Session, after: str, *, limit: int) -> list[str]:
    """The next hashes that records name, in order, each once."""
    every = union(
        *(
            select(column.label("sha256")).where(column != "")
            for kind, names in NAMING.items()
            for column in (getattr(kind, name) for name in names)
        )
    ).subquery()
    query = select(every.c.sha256).where(every.c.sha256 > after)
    found = set(session.scalars(query.order_by(every.c.sha256).limit(limit)))
    found |= {one for _, one in filed_documents(session) if one > after}
    return sorted(found)[:limit]


def not_named(session: Session, hashes: Sequence[str]) -> set[str]:
    """Those of some hashes that no record names."""
    found = set(hashes)
    for kind, names in NAMING.items():
        for column in (getattr(kind, name) for name in names):
            found -= set(session.scalars(select(column).where(column.in_(hashes))))
    return found - {one for _, one in filed_documents(session)}


def rows_naming(session: Session, sha256: str) -> Iterator[Row]:
    """Every row that names a hash."""
    for kind, names in NAMING.items():
        same = or_(*(getattr(kind, name) == sha256 for name in names))
        yield from session.scalars(select(kind).where(same))
    yield from (row for row, named in filed_documents(session) if named == sha256)


def lots_concerned(session: Session, sha256: str) -> list[str]:
    """The lots whose records rest on what a hash names, by their ids as registered."""
    ids = {
        lot
        for row in rows_naming(session, sha256)
        for query in CONCERNED[type(row)](row)
        for lot in session.scalars(query)
    }
    return sorted(session.scalars(select(LotRow.lot).where(LotRow.id.in_(ids))))


def _of_upload(upload: int) -> _Lots:
    return select(AssayRun.lot_id).where(AssayRun.upload_id == upload)


def _of_version(version: SpecificationVersion) -> list[_Lots]:
    rebound = select(Correction.subject).where(
        Correction.field == REBOUND, Correction.after.contains(version.reference, autoescape=True)
    )
    return [
        select(LotRow.id).where(LotRow.specification_version_id == version.id),
        select(LotSpecification.lot_id).where(
            LotSpecification.specification_version_id == version.id
        ),
        select(LotRow.id).where(("lot:" + LotRow.lot).in_(rebound)),
    ]


def _of_profile(profile: ProfileVersion) -> list[_Lots]:
    own = select(AssayRun.lot_id).join(Upload, Upload.id == AssayRun.upload_id)
    return [own.where(Upload.profile == profile.reference)]


def _of_method(method: MethodVersion) -> list[_Lots]:
    own = select(AssayRun.lot_id).join(MeasurementRow, MeasurementRow.assay_run_id == AssayRun.id)
    return [own.where(MeasurementRow.method == method.method).distinct()]


def _of_panel(panel: PanelVersion) -> list[_Lots]:
    own = select(LotDonor.lot_id).join(EligibilityRow, EligibilityRow.donor_id == LotDonor.donor_id)
    return [own.where(EligibilityRow.panel == panel.reference)]


def _of_look_back(row: LookBack) -> list[_Lots]:
    return [select(Hold.lot_id).where(Hold.about == row.key)]


def _of_investigation(row: InvestigationStep) -> list[_Lots]:
    own = select(InvestigationRow.lot_id).where(InvestigationRow.id == row.investigation_id)
    return [own]


def _of_layout(layout: LayoutVersion) -> list[_Lots]:
    own = select(Certificate.lot_id).join(CertificateRendition)
    return [own.where(CertificateRendition.layout_version_id == layout.id)]


def _of_product(row: Any) -> list[_Lots]:
    return [select(LotRow.id).where(LotRow.product_id == row.product_id)]


def _own(row: Any) -> list[_Lots]:
    return [select(LotRow.id).where(LotRow.id == row.lot_id)]


def _none(_: Any) -> list[_Lots]:
    return []


#: For each kind of row that names bytes: the queries for the ids of the lots concerned.
CONCERNED: Final[Mapping[type[Row], Callable[[Any], list[_Lots]]]] = {
    Upload: lambda row: [_of_upload(row.id)],
    Attachment: lambda row: [_of_upload(row.upload_id)],
    LaboratoryCertificate: lambda row: [_of_upload(row.upload_id)],
    SpecificationVersion: _of_version,
    SpecificationApproval: lambda row: _of_version(row.specification_version),
    ImpactReport: lambda row: _of_version(row.specification_version),
    ProfileVersion: _of_profile,
    MethodVersion: _of_method,
    DispositionRow: _own,
    HoldEnd: lambda row: _own(row.hold),
    Certificate: _own,
    CertificateIssue: lambda row: _own(row.certificate),
    CertificateRenewal: lambda row: _own(row.certificate),
    CertificateRendition: lambda row: _own(row.certificate),
    LayoutVersion: _of_layout,
    DossierImport: lambda row: [select(LotRow.id).where(LotRow.folded == fold(row.lot))],
    LotReview: _own,
    AuditReview: _own,
    LotCheck: _own,
    LookBack: _of_look_back,
    LimitSet: _of_product,
    QualityReview: _of_product,
    PanelVersion: _of_panel,
    InvestigationStep: _of_investigation,
    Disposal: _own,
    AccountReport: _none,
    CheckpointTimestamp: _none,
    JobStep: _none,
    TrailSample: _none,
}
