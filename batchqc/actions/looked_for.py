"""The runs of a lot, and in which tables there is anything at all about it, asked at once."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy.orm import InstrumentedAttribute, Session

from batchqc.records.absent import look_for
from batchqc.records.annex16 import LotCheck
from batchqc.records.cell_banks import Derivation, Passage
from batchqc.records.certificate_renewals import CertificateRenewal
from batchqc.records.conditional import CertificateWithdrawal
from batchqc.records.containers import Container, RetainSample
from batchqc.records.copies import CertificateCopy
from batchqc.records.corrections import Correction
from batchqc.records.decisions import Certificate, DispositionRow
from batchqc.records.deviations import DeviationLot
from batchqc.records.donations import Consent, Donation
from batchqc.records.entries import Attachment, EntryVerification
from batchqc.records.holds import Hold
from batchqc.records.investigations import InvestigationRow
from batchqc.records.laboratory import (
    Instrument,
    LaboratoryCertificate,
    MaterialUse,
    RegisterRule,
    Training,
)
from batchqc.records.layouts import CertificateRendition
from batchqc.records.log import CheckpointTimestamp
from batchqc.records.look_backs import LookBack
from batchqc.records.lot_reviews import AuditReview, LotReview
from batchqc.records.methods import MethodVersion
from batchqc.records.once import once
from batchqc.records.policies import PolicyRow
from batchqc.records.potency import PotencyDeclaration, PotencyFit
from batchqc.records.registers import DonorRow, LotRow, LotSpecification
from batchqc.records.specifications import (
    ImpactReport,
    SpecificationSubmission,
    SpecificationWithdrawal,
)
from batchqc.records.trends import LimitSet, TrendPhase
from batchqc.records.uploads import AssayRun, Review, Superseding, runs_of

_OF_LOT: Final = (
    DispositionRow.lot_id, InvestigationRow.lot_id, Hold.lot_id, LotReview.lot_id,
    AuditReview.lot_id, LotCheck.lot_id, DeviationLot.lot_id, Container.lot_id,
    RetainSample.lot_id, PotencyFit.lot_id, PotencyDeclaration.lot_id, Certificate.lot_id,
    LotSpecification.lot_id,
)  # fmt: skip
_OF_CERTIFICATE: Final = (
    CertificateCopy.certificate_id, CertificateRendition.certificate_id,
    CertificateRenewal.certificate_id, CertificateWithdrawal.certificate_id,
    Certificate.supersedes_id,
)  # fmt: skip
_OF_UPLOAD: Final = (
    EntryVerification.upload_id, Attachment.upload_id, LaboratoryCertificate.upload_id,
    MaterialUse.upload_id, PotencyDeclaration.upload_id,
)  # fmt: skip
_OF_RUN: Final = (Review.assay_run_id, Superseding.older_id)
_OF_DONOR: Final = (Donation.donor_id, Consent.donor_id)
_OF_NODE: Final = (Derivation.child, Derivation.parent, Passage.node, LookBack.source)
_OF_VERSION: Final = (
    SpecificationWithdrawal.specification_version_id, ImpactReport.specification_version_id,
    SpecificationSubmission.specification_version_id,
)  # fmt: skip
_OF_PRODUCT: Final = (LimitSet.product_id, TrendPhase.product_id)
#: Of these some sites hold nothing.
_TABLES: Final = (
    RegisterRule, PolicyRow, LookBack, Instrument, Training, MethodVersion,
)  # fmt: skip


@once
def look_at_certificate(session: Session, certificate: Certificate) -> None:
    """Of what nothing is on record about a certificate, let nobody ask in the same look."""
    values: dict[InstrumentedAttribute[Any], tuple[int, ...]]
    values = dict.fromkeys(_OF_CERTIFICATE, (certificate.id,))
    look_for(session, values, [CheckpointTimestamp])


def runs_looked_for(
    session: Session, lot: LotRow, donors: Iterable[DonorRow], subjects: Iterable[str]
) -> tuple[AssayRun, ...]:
    """The runs of a lot; of what nothing is on record about it, nobody asks in the same look.

    ``subjects`` are the keys of the lot and of what belongs to it.
    """
    runs, of = tuple(runs_of(session, lot)), list(donors)
    by_value: Mapping[tuple[InstrumentedAttribute[Any], ...], set[Any]] = {
        _OF_LOT: {lot.id},
        _OF_UPLOAD: {run.upload_id for run in runs},
        _OF_RUN: {run.id for run in runs},
        _OF_DONOR: {one.id for one in of},
        _OF_NODE: {lot.key, *(one.key for one in of)},
        _OF_VERSION: {lot.specification_version_id},
        _OF_PRODUCT: {lot.product_id},
        (Correction.subject,): set(subjects),
    }
    look_for(session, {one: values for some, values in by_value.items() for one in some}, _TABLES)
    return runs
