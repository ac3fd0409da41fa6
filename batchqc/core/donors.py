"""Donors: a code and never a name, the tissue given, and whether the donor is eligible."""

from dataclasses import dataclass
from typing import Final

TISSUE_SOURCES: Final = (
    "umbilical cord",
    "Wharton's jelly",
    "bone marrow",
    "adipose tissue",
    "placenta",
    "dental pulp",
    "skin",
    "menstrual blood",
)

ELIGIBLE: Final = "eligible"
INELIGIBLE: Final = "ineligible"
EXCEPTION: Final = "eligible by documented exception"  # never ELIGIBLE: the gate stays closed


@dataclass(frozen=True, slots=True)
class Donor:
    """A donor of a lot; ``eligibility`` is empty until a donor officer has determined it."""

    code: str
    tissue_source: str
    eligibility: str = ""
