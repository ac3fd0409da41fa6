"""What entries of the audit trail change in series that are held in memory.

A kind of record that is not named here touches everything: nothing is kept that may be out of date.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.orm import Session

from batchqc.records.laboratory import RULES
from batchqc.records.policies import POLICIES
from batchqc.records.signatures import parse_number
from batchqc.records.system_stops import STOPS
from batchqc.records.trend_evidence import by_product, lots_named, told_between

#: Records of which no value, verdict, donor, bank or disposition in a series hangs. What changes
#: one of these by a correction, a verification or a step is filed under that record as well.
_BESIDE: Final = frozenset(
    {
        "account_change", "account_report", "account_review", "administration", "answer",
        "archive_finding", "archive_scrub", "attachment", "attempt", "audit_review",
        "authenticator_change", "cell_bank", "cell_bank_event", "certificate", "certificate_copy",
        "certificate_issue", "certificate_rendition", "certificate_renewal",
        "certificate_withdrawal", "certification", "checkpoint", "checkpoint_timestamp",
        "clinical_site", "conditional_site", "consent", "consent_withdrawal", "container",
        "container_event", "correction", "correction_decision", "custody", "delivery", "deviation",
        "deviation_lot", "donation", "donation_pool", "donation_pool_part", "donor_panel_approval",
        "donor_panel_version", "donor_test", "event", "hold", "hold_end", "impact_report",
        "instrument", "investigation", "investigation_rule", "investigation_step", "job",
        "job_progress", "job_step", "laboratory_certificate", "layout_approval",
        "layout_submission", "layout_version", "layout_withdrawal", "legal_hold",
        "legal_hold_release", "link_change", "log_key", "look_back", "look_back_closing",
        "lot_check", "lot_review", "material", "material_use", "password", "password_rule",
        "pending_result", "person", "policy", "product", "profile_approval", "profile_version",
        "proof_use", "provider_return", "provider_visit", "quality_review",
        "quality_review_reading", "receipt", "recipient", "register_rule", "retain_sample",
        "retention_rule", "review", "role_change", "shipment", "shipped_container", "sign_in",
        "sign_out", "signature", "signing_rule", "site", "specification_approval",
        "specification_submission", "specification_version", "specification_withdrawal",
        "stock_transfer", "system_stop", "trail_sample", "trail_sample_review", "training",
        "webhook", "webhook_end",
        POLICIES, RULES, STOPS,
    }
)  # fmt: skip
#: What the name of a record begins with.
_BY_KIND: Final = {
    "lot": "lots", "lot_donor": "lots", "lot_specification": "lots", "disposition": "lots",
    "sample": "samples",
    "upload": "uploads", "assay_run": "uploads", "superseding": "uploads",
    "entry_verification": "uploads",
    "donor": "donors", "eligibility": "donors",
}  # fmt: skip
#: Entries. What more of them name might be too much for a statement.
MANY: Final = 10_000
#: Entries, too. To learn what more of them touch takes as long as to read everything anew.
FAR: Final = 50_000
_LINES: Final = frozenset({"limit_set", "limit_set_approval", "trend_phase"})


@dataclass(frozen=True, slots=True)
class Touched:
    """What is read anew: everything, or some lots by product and surrogate ids; and lines."""

    everything: bool = False
    lots: Mapping[str, AbstractSet[int]] = field(default_factory=dict)
    lines: bool = False


def touched_between(session: Session, after: int, until: int) -> Touched:
    """What entries behind a place in the audit trail touch, up to one."""
    if until - after > FAR:
        return Touched(everything=True)
    lots: dict[str, AbstractSet[int]] = {}
    lines = False
    for first in range(after, until, MANY):
        found = _touched(session, first, min(first + MANY, until))
        if found.everything:
            return found
        lines |= found.lines
        for product, own in found.lots.items():
            lots[product] = lots.get(product, frozenset()) | own
    return Touched(lots=lots, lines=lines)


def _touched(session: Session, after: int, until: int) -> Touched:
    found = _Found()
    for subject in told_between(session, after, until):
        if not found.takes(subject):
            return Touched(everything=True)
    lots = lots_named(
        session,
        lots=found.lots,
        samples=found.samples,
        uploads=[(one[1], one[2]) for one in map(parse_number, found.uploads) if one],
        donors=found.donors,
    )
    return Touched(lots=by_product(session, lots), lines=found.lines)


@dataclass(slots=True)
class _Found:
    """The names of what is touched, by kind; ``lines`` where limits or phases are."""

    lots: set[str] = field(default_factory=set)
    samples: set[str] = field(default_factory=set)
    uploads: set[str] = field(default_factory=set)
    donors: set[str] = field(default_factory=set)
    lines: bool = False

    def takes(self, subject: str) -> bool:
        """Keep what a record touches; whether its kind is known."""
        kind, _, name = subject.partition(":")
        if kind in _LINES:
            self.lines = True
        elif kind in _BY_KIND:
            getattr(self, _BY_KIND[kind]).add(name.partition("/")[0])
        elif kind == "derivation":
            self.lots.add(name.partition(" from ")[0].removeprefix("lot:"))
        return kind in _LINES or kind in _BY_KIND or kind in _BESIDE or kind == "derivation"
