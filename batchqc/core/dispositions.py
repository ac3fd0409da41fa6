"""May this lot be released? Every reason why not.

A lot is released when every gate is open. Gates are computed together and never stop at the first
closed one: the answer to "why not" is always the whole answer. The same gates are the readiness
that people see before they sign, and the reasons of a refused release.
"""

from dataclasses import dataclass, field
from datetime import date

from batchqc.core.assays import RunKey
from batchqc.core.donors import ELIGIBLE, Donor
from batchqc.core.gates import Against, Gate, gate_of
from batchqc.core.hypotheses import Unreported
from batchqc.core.lot_states import UNDECIDED, Disposition, Overlay, Progress, may_decide
from batchqc.core.lots import Lot
from batchqc.core.lowering import Lowered
from batchqc.core.opening import Opened
from batchqc.core.register_remarks import RegistersSay
from batchqc.core.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Who stands behind an assay run: people by user id; a typed one has a second typist."""

    key: RunKey
    uploaded_by: str
    analysts: frozenset[str]
    reviewed_by: frozenset[str]
    verified_by: str = ""

    @property
    def entered_by(self) -> frozenset[str]:
        """Everyone who entered or measured (design, decided once, 7)."""
        return self.analysts | {self.uploaded_by}

    @property
    def is_reviewed(self) -> bool:
        """Whether a second person reviewed it."""
        return bool(self.reviewed_by - self.entered_by)


@dataclass(frozen=True, slots=True)
class LotFacts:
    """All that a disposition rests on.

    Args:
        specification_problem: why the bound specification cannot judge the lot, or "".
        today: the site-local date of the decision.
        beside: results that fail a specification of another stage, in words.
        open_corrections: corrections that wait for a second person, in words.
        damaged: stored records that contradict the audit trail, in words.
        registers: what the registers of the laboratory say of the lot.
        is_depleted: whether nothing of the lot is left in storage.
        lacks_certification: whether it is released, and a qualified person, who certifies such lots
            now, did not certify that.
        qc_reviewers: who reviewed the lot as a whole.
        lowered: who lowered a policy or a rule within the life of the lot.
        opened: who recorded what may have opened a gate, within the life of the lot.
        unreported: what was measured and not reported.
        excused: by number, who concluded an investigation with a cause in the laboratory.
        holds: why the lot is on hold.
        lot_review: whether QC's review of the lot stands.
        audit_review: whether QA's review of its audit trail stands.
        chain: whether the links of the audit trail follow from each other.
        annex16: whether manufacture was checked, where a qualified person certifies.
        pending: what is due under a conditional release.
        investigations: what OOS investigations say.
        deviations: what deviations say.
        origin: what donations, donor tests and consents say.
        genealogy: what cell banks, passages and containers say.
    """

    lot: Lot
    disposition: Disposition
    specification_problem: str
    verdicts: tuple[Verdict, ...]
    donors: tuple[Donor, ...]
    runs: tuple[RunFacts, ...]
    today: date
    beside: tuple[str, ...] = ()
    open_corrections: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    registers: RegistersSay = field(default_factory=RegistersSay)
    qc_reviewers: frozenset[str] = frozenset()
    lowered: tuple[Lowered, ...] = ()
    opened: tuple[Opened, ...] = ()
    unreported: tuple[Unreported, ...] = ()
    excused: tuple[tuple[str, str], ...] = ()
    is_depleted: bool = False
    lacks_certification: bool = False
    holds: Against = field(default_factory=Against)
    lot_review: Against = field(default_factory=Against)
    audit_review: Against = field(default_factory=Against)
    chain: Against = field(default_factory=Against)
    annex16: Against = field(default_factory=Against)
    pending: Against = field(default_factory=Against)
    investigations: Against = field(default_factory=Against)
    deviations: Against = field(default_factory=Against)
    origin: Against = field(default_factory=Against)
    genealogy: Against = field(default_factory=Against)

    @property
    def is_undecided(self) -> bool:
        """Whether it is not decided for good, or what was decided is to be certified yet."""
        return self.disposition in UNDECIDED or self.lacks_certification


def readiness(facts: LotFacts) -> tuple[Gate, ...]:
    """Every gate between a lot and its release, whoever signs."""
    return (
        Gate(
            "Disposition",
            _disposition(facts),
            "A decided lot stays decided; see its disposition.",
        ),
        gate_of(
            "Hold",
            facts.holds,
            "Find out why it is held; QA lets it go, with the reason, once that is settled.",
        ),
        Gate(
            "Specification",
            (facts.specification_problem,) if facts.specification_problem else (),
            "Have QA approve a specification that is in force on the date of manufacture.",
        ),
        Gate(
            "Results",
            _results(facts),
            "Upload what is missing; reject the lot, or have its investigation concluded.",
            (*facts.pending.remarks, *(one.sentence for one in facts.unreported)),
        ),
        Gate(
            "Other stages",
            facts.beside,
            "Reject the lot, or have its investigation concluded.",
        ),
        Gate(
            "Review",
            _reviews(facts),
            "Have a reviewer who neither measured nor uploaded review each run.",
        ),
        gate_of(
            "QC review",
            facts.lot_review,
            "Have a reviewer review the lot as a whole, once every run is reviewed.",
        ),
        Gate(
            "Registers",
            facts.registers.stops,
            "Store the laboratory's certificate, have QA correct a wrong entry of the register,"
            " or reject the lot.",
            facts.registers.remarks,
        ),
        gate_of(
            "Investigations",
            facts.investigations,
            "Bring each OOS investigation to its signed conclusion, or reject the lot.",
        ),
        gate_of(
            "Deviations",
            facts.deviations,
            "Close the deviation in the site's quality system and here, or reject the lot.",
        ),
        Gate(
            "Donor",
            (*_donors(facts), *facts.origin.stops),
            "Have a donor officer complete the donor's records and determine the eligibility.",
            facts.origin.remarks,
            facts.origin.evidence,
        ),
        gate_of(
            "Genealogy",
            facts.genealogy,
            "Register what the lot was made from, back to each donation; clear what is held of it.",
        ),
        Gate("Expiry", _expiry(facts), "An expired lot cannot be released; reject it."),
        Gate(
            "Corrections",
            facts.open_corrections,
            "Have a second person approve or refuse each correction.",
        ),
        gate_of(
            "Audit trail review",
            facts.audit_review,
            "Have QA read and sign the audit trail of the lot.",
        ),
        gate_of(
            "Annex 16",
            facts.annex16,
            "Have manufacture and testing checked; then a qualified person certifies.",
        ),
        gate_of(
            "Audit chain",
            facts.chain,
            "Stop. Run `batchqc audit verify` and call the system owner.",
        ),
        Gate(
            "Records",
            facts.damaged,
            "Stop. Run `batchqc audit verify` and call the system owner.",
        ),
    )


def signer_gate(facts: LotFacts, signer: str) -> Gate:
    """Whether this person may sign the release of this lot (by person, not by role)."""
    reasons = []
    for run in facts.runs:
        if signer in run.entered_by:
            reasons.append(f"{signer} entered or measured {run.key}")
        if signer in run.reviewed_by:
            reasons.append(f"{signer} reviewed {run.key}")
        if signer == run.verified_by:
            reasons.append(f"{signer} typed {run.key} as the second person")
    if signer in facts.qc_reviewers:
        reasons.append(f"{signer} reviewed lot {facts.lot.id} for QC")
    reasons += [f"{signer} lowered {one.what}" for one in facts.lowered if one.by == signer]
    reasons += [f"{signer} {one.what}" for one in facts.opened if one.by == signer]
    reasons += [
        f"{signer} concluded {number}, by which a failing result of the lot does not count"
        for number, by in facts.excused
        if by == signer
    ]
    return Gate(
        "People",
        tuple(reasons),
        "Have a QA person sign who neither entered, measured nor reviewed results of this lot,"
        " nor set a failing one aside, nor lowered a policy or a rule, widened an entry of a"
        " register or ended the quarantine of a bank within its life.",
    )


def progress(facts: LotFacts, *, has_samples: bool) -> Progress:
    """How far the work on a lot is (requirements 2.3); what was signed counts while it stands."""
    if not has_samples:
        return Progress.REGISTERED
    if facts.lot_review.stops or not facts.qc_reviewers:
        return Progress.IN_TEST
    return Progress.QC_REVIEWED if facts.audit_review.stops else Progress.QA_REVIEW


def overlays(facts: LotFacts) -> tuple[Overlay, ...]:
    """What lies over disposition and progress."""
    found = {
        Overlay.ON_HOLD: bool(facts.holds.stops),
        Overlay.EXPIRED: facts.today > facts.lot.expires_on,
        Overlay.DEPLETED: facts.is_depleted,
    }
    return tuple(overlay for overlay, lies in found.items() if lies)


def review_problem(run: RunFacts, reviewer: str) -> str | None:
    """Why this person may not review this run, or ``None``."""
    if reviewer in run.entered_by:
        return f"{reviewer} entered or measured {run.key}; a second person reviews it"
    return None


def _disposition(facts: LotFacts) -> tuple[str, ...]:
    if may_decide(facts.disposition, Disposition.RELEASED):
        return ()
    return () if facts.lacks_certification else (f"the lot is {facts.disposition}",)


def _results(facts: LotFacts) -> tuple[str, ...]:
    if not facts.verdicts:
        return ("no criterion was judged",)
    return tuple(verdict.sentence for verdict in facts.verdicts if verdict.blocks)


def _reviews(facts: LotFacts) -> tuple[str, ...]:
    if not facts.runs:
        return ("no assay run is on record",)
    return tuple(
        f"{run.key} has not been reviewed by a second person"
        for run in facts.runs
        if not run.is_reviewed
    )


def _donors(facts: LotFacts) -> tuple[str, ...]:
    if not facts.donors:
        return ("no donor is registered for the lot",)
    return tuple(
        f"donor {donor.code} is {donor.eligibility or 'not determined to be eligible'}"
        for donor in facts.donors
        if donor.eligibility != ELIGIBLE
    )


def _expiry(facts: LotFacts) -> tuple[str, ...]:
    if facts.today > facts.lot.expires_on:
        return (f"the lot expired: its last usable day was {facts.lot.expires_on}",)
    return ()
