"""Why a look-back begins, and from what (requirement 8.13)."""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from batchqc.core.eligibility import Interpretation
from batchqc.core.genealogy import NodeKind


class LookBackCause(StrEnum):
    """What came into doubt about a source of cells."""

    SEROCONVERSION = "late seroconversion"
    CONSENT_WITHDRAWN = "consent withdrawn"
    CONTAMINATION = "contamination found"
    DONOR_INFORMATION = "new information about the donor"


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


#: From what a look-back may begin.
SOURCES: Final = frozenset({NodeKind.DONOR, NodeKind.DONATION, NodeKind.POOL, NodeKind.CELL_BANK})
