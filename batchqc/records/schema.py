"""Every table, in one place for migrations and checks."""

from batchqc.records.account_reports import AccountReport, AccountReview
from batchqc.records.annex16 import Certification, LotCheck, Transfer
from batchqc.records.archive import ArchiveFinding, ArchiveMending, ArchiveScrub
from batchqc.records.audit import AuditEntry, AuditLink, AuditSubject
from batchqc.records.base import Row
from batchqc.records.cell_banks import CellBank, CellBankEvent, Derivation, Passage
from batchqc.records.certificate_index import CertificateTerm, CertificateText
from batchqc.records.certificate_renewals import CertificateRenewal
from batchqc.records.components import (
    AuthenticatorChange,
    LinkChange,
    ProofUse,
    ProviderReturn,
    ProviderVisit,
    SigningRule,
)
from batchqc.records.conditional import CertificateWithdrawal, ConditionalSite, PendingResult
from batchqc.records.containers import Container, ContainerEvent, Custody, RetainSample
from batchqc.records.copies import CertificateCopy
from batchqc.records.corrections import Correction, CorrectionDecision
from batchqc.records.decisions import (
    Answer,
    Certificate,
    CertificateIssue,
    DispositionRow,
)
from batchqc.records.deviations import DeviationLot, DeviationRow
from batchqc.records.donations import (
    Consent,
    ConsentWithdrawal,
    Donation,
    DonationPool,
    DonationPoolPart,
    DonorTest,
)
from batchqc.records.donor_panels import PanelApproval, PanelVersion
from batchqc.records.donors import EligibilityRow
from batchqc.records.entries import Attachment, EntryVerification
from batchqc.records.events import Delivery, EventRow, Webhook, WebhookEnd
from batchqc.records.holds import Hold, HoldEnd
from batchqc.records.imports import DossierImport
from batchqc.records.investigations import (
    InvestigationRow,
    InvestigationRule,
    InvestigationStep,
)
from batchqc.records.jobs import Job, JobProgress, JobStep
from batchqc.records.laboratory import (
    Instrument,
    LaboratoryCertificate,
    Material,
    MaterialUse,
    RegisterRule,
    Training,
)
from batchqc.records.layouts import (
    CertificateRendition,
    LayoutApproval,
    LayoutSubmission,
    LayoutVersion,
    LayoutWithdrawal,
)
from batchqc.records.log import CheckpointRow, CheckpointTimestamp, LogKeyRow, LogSubtree
from batchqc.records.look_backs import LookBack, LookBackClosing
from batchqc.records.lot_reviews import AuditReview, LotReview
from batchqc.records.methods import MethodApproval, MethodVersion
from batchqc.records.people import (
    AccountChange,
    Attempt,
    Password,
    PasswordRule,
    Person,
    RoleChange,
    SignIn,
    SignOut,
)
from batchqc.records.policies import PolicyRow
from batchqc.records.potency import PotencyDeclaration, PotencyFit, PotencySource
from batchqc.records.profiles import ProfileApproval, ProfileVersion
from batchqc.records.quality_reviews import QualityReview, QualityReviewReading
from batchqc.records.registers import (
    DonorRow,
    LotDonor,
    LotRow,
    LotSpecification,
    Product,
    SampleRow,
    Site,
)
from batchqc.records.retention import (
    Disposal,
    DisposalApproval,
    DisposedObject,
    LegalHold,
    LegalHoldRelease,
    RetentionRuleRow,
)
from batchqc.records.shipments import (
    Administration,
    ClinicalSite,
    Receipt,
    Recipient,
    Shipment,
    ShippedContainer,
)
from batchqc.records.signatures import SignatureRow
from batchqc.records.specifications import (
    ImpactReport,
    SpecificationApproval,
    SpecificationSubmission,
    SpecificationVersion,
    SpecificationWithdrawal,
)
from batchqc.records.system_stops import SystemStop
from batchqc.records.trail_samples import TrailSample, TrailSampleReview
from batchqc.records.trends import LimitSet, LimitSetApproval, TrendPhase
from batchqc.records.uploads import AssayRun, MeasurementRow, Review, Superseding, Upload

METADATA = Row.metadata

#: Rows whose content an audit entry holds one by one.
WITNESSED: tuple[type[Row], ...] = (
    Site, Person, Password, RoleChange, Attempt, SignIn, SignOut, Product, SpecificationVersion,
    SpecificationApproval, SignatureRow, DonorRow, EligibilityRow, LotRow, LotDonor, SampleRow,
    Upload, AssayRun, Review, Correction, CorrectionDecision, DispositionRow, Certificate,
    CertificateIssue, Answer, LotSpecification, SpecificationSubmission, SpecificationWithdrawal,
    ImpactReport, ProfileVersion, ProfileApproval, Superseding, EntryVerification, Attachment,
    MethodVersion, MethodApproval, Instrument, Training, Material, MaterialUse, RegisterRule,
    LaboratoryCertificate, AccountChange, PasswordRule, AccountReport, AccountReview,
    Hold, HoldEnd, LotReview, AuditReview,
    PolicyRow, PendingResult, ConditionalSite, CertificateWithdrawal, LotCheck, Certification,
    Transfer, Webhook, WebhookEnd, Delivery, AuthenticatorChange, LinkChange, ProviderVisit,
    ProviderReturn, ProofUse, SigningRule,
    InvestigationRow, InvestigationStep, InvestigationRule, DeviationRow, DeviationLot,
    Donation, DonorTest, Consent, ConsentWithdrawal, DonationPool, DonationPoolPart, PanelVersion,
    PanelApproval,
    CellBank, Derivation, Passage, CellBankEvent, Container, ContainerEvent, RetainSample, Custody,
    ClinicalSite, Shipment, ShippedContainer, Receipt, Recipient, Administration, LookBack,
    LookBackClosing, SystemStop, LimitSet, LimitSetApproval, TrendPhase, QualityReview,
    QualityReviewReading, PotencyFit, PotencyDeclaration, PotencySource,
    LogKeyRow, CheckpointRow, CheckpointTimestamp, CertificateRenewal, CertificateCopy,
    ArchiveScrub, ArchiveFinding, ArchiveMending, RetentionRuleRow, LegalHold, LegalHoldRelease,
    Disposal, DisposalApproval, DisposedObject, DossierImport, LayoutVersion, LayoutSubmission,
    LayoutApproval, LayoutWithdrawal, CertificateRendition, Job, JobStep,
    TrailSample, TrailSampleReview,
)  # fmt: skip

#: Rows of which an entry holds a common hash, the audit trail itself, and what follows from it.
OTHERS: tuple[type[Row], ...] = (
    MeasurementRow, AuditEntry, AuditSubject, AuditLink, EventRow, LogSubtree,
    CertificateTerm, CertificateText, JobProgress,
)  # fmt: skip
