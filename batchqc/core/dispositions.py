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
from batchqc.core.lot_states import Disposition, may_decide
from batchqc.core.lots import Lot
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
        holds: why the lot is on hold.
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
    holds: Against = field(default_factory=Against)
    investigations: Against = field(default_factory=Against)
    deviations: Against = field(default_factory=Against)
    origin: Against = field(default_factory=Against)
    genealogy: Against = field(default_factory=Against)


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
            "Upload what is missing; reject the lot, or have QA conclude on what failed.",
        ),
        Gate(
            "Other stages",
            facts.beside,
            "Reject the lot, or have QA conclude on what failed.",
        ),
        Gate(
            "Review",
            _reviews(facts),
            "Have a reviewer who neither measured nor uploaded review each run.",
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
            "Register what the lot was made from, back to each donation.",
        ),
        Gate("Expiry", _expiry(facts), "An expired lot cannot be released; reject it."),
        Gate(
            "Corrections",
            facts.open_corrections,
            "Have a second person approve or refuse each correction.",
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
    return Gate(
        "People",
        tuple(reasons),
        "Have a QA person sign who neither entered, measured nor reviewed results of this lot.",
    )


def review_problem(run: RunFacts, reviewer: str) -> str | None:
    """Why this person may not review this run, or ``None``."""
    if reviewer in run.entered_by:
        return f"{reviewer} entered or measured {run.key}; a second person reviews it"
    return None


def _disposition(facts: LotFacts) -> tuple[str, ...]:
    if may_decide(facts.disposition, Disposition.RELEASED):
        return ()
    return (f"the lot is {facts.disposition}",)


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
        if not run.reviewed_by - run.entered_by
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
