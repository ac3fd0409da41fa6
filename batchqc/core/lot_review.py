"""The review of a whole lot by QC, after every run of it was reviewed (requirements 2.3, 2.06).

It says that the laboratory's part is complete: every result that is required is in, or may stay
pending; every run was reviewed by a second person; nothing waits. A result that fails does not
forbid the review: QA decides over it. The review stands as long as what it was signed over stands.
"""

from collections.abc import Iterable

from batchqc.core.dispositions import LotFacts, RunFacts
from batchqc.core.gates import Against, Gate
from batchqc.core.verdicts import Outcome, Verdict

#: The gates that QC opens before it hands the lot to QA.
BEFORE_REVIEW = frozenset({"Specification", "Review", "Investigations", "Corrections", "Records"})


def review_hindrances(facts: LotFacts, gates: Iterable[Gate]) -> tuple[str, ...]:
    """Every reason why QC cannot hand this lot to QA yet."""
    closed = (
        f"{gate.name}: {reason}"
        for gate in gates
        if gate.name in BEFORE_REVIEW
        for reason in gate.reasons
    )
    return (*closed, *(f"Results: {one.sentence}" for one in facts.verdicts if is_open(one)))


def is_open(verdict: Verdict) -> bool:
    """Whether QC still owes a result: it blocks, did not fail, and may not stay pending."""
    if not verdict.blocks or verdict.outcome is Outcome.FAIL:
        return False
    return not (verdict.missing and verdict.criterion.interim)


def lot_reviewer_problems(runs: Iterable[RunFacts], person: str) -> tuple[str, ...]:
    """Why this person may not review the lot: who entered or measured does not."""
    return tuple(
        f"{person} entered or measured {run.key}" for run in runs if person in run.entered_by
    )


def lot_review_says(signed: str, content: str, number: str) -> Against:
    """What the newest review of a lot says.

    Args:
        signed: the hash that it was signed over; "" where there is none.
        content: the hash of the same content now.
        number: of its signature.
    """
    if not signed:
        return Against(("QC has not reviewed the lot as a whole",))
    if signed != content:
        return Against((f"the lot is no longer what QC reviewed ({number})",), evidence=(number,))
    return Against(evidence=(number,))
