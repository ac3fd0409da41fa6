"""Why a look-back begins, and from what (requirement 8.13)."""

from enum import StrEnum
from typing import Final

from batchqc.core.genealogy import NodeKind


class LookBackCause(StrEnum):
    """What came into doubt about a source of cells."""

    SEROCONVERSION = "late seroconversion"
    CONSENT_WITHDRAWN = "consent withdrawn"
    CONTAMINATION = "contamination found"
    DONOR_INFORMATION = "new information about the donor"


#: From what a look-back may begin.
SOURCES: Final = frozenset({NodeKind.DONOR, NodeKind.DONATION, NodeKind.POOL, NodeKind.CELL_BANK})
