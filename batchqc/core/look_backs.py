"""Why a look-back begins, and from what (requirement 8.13)."""

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import Final

from batchqc.core.donors import ELIGIBLE
from batchqc.core.eligibility import Consented, Donated, Interpretation, consent_problems
from batchqc.core.genealogy import NodeKind


class LookBackCause(StrEnum):
    """What came into doubt about a source of cells."""

    SEROCONVERSION = "late seroconversion"
    CONSENT_WITHDRAWN = "consent withdrawn"
    CONTAMINATION = "contamination found"
    DONOR_INFORMATION = "new information about the donor"
    ORIGIN = "found to be made of cells in doubt"


#: What a result of a donor's test brings into doubt; the worst first.
_BY_RESULT: Final = {
    Interpretation.REACTIVE: LookBackCause.SEROCONVERSION,
    Interpretation.INDETERMINATE: LookBackCause.DONOR_INFORMATION,
}


def doubtful(results: Collection[tuple[str, str]]) -> tuple[LookBackCause, str] | None:
    """The cause of a look-back by some results, markers with what was found, and it in words.

    What is indeterminate is not known to be harmless, so it looks back as a reactive result does.
    """
    found = {word: [marker for marker, result in results if result == word] for word in _BY_RESULT}
    said = [f"{word}: {', '.join(markers)}" for word, markers in found.items() if markers]
    if not said:
        return None
    worst = next(word for word, markers in found.items() if markers)
    return _BY_RESULT[worst], "; ".join(said)


def doubts_about(
    eligibility: str, donations: Sequence[Donated], consent: Consented | None, *, in_use: bool
) -> Iterator[str]:
    """Why the cells of a donor cannot be in what they turned out to be in.

    Args:
        eligibility: as it was determined last; "" where nobody did.
        donations: all of the donor, with their results.
        consent: the newest of the donor.
        in_use: doses with these cells may be given; then a donor whom nobody determined counts too.
    """
    if doubt := doubtful([(test.marker, test.result) for one in donations for test in one.tests]):
        yield doubt[1]
    if eligibility and eligibility != ELIGIBLE:
        yield eligibility
    elif in_use and not eligibility:
        yield "not determined to be eligible"
    if consent is not None:
        yield from consent_problems(consent)


#: From what a look-back may begin.
SOURCES: Final = frozenset({NodeKind.DONOR, NodeKind.DONATION, NodeKind.POOL, NodeKind.CELL_BANK})
