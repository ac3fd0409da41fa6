"""What a site decides about its own procedure; each change is a signed, numbered record."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Policy(StrEnum):
    """What is decided."""

    QP_CERTIFIES = "qualified person certifies"
    SUPPLY_BY_EXCEPTION = "supply by exception"


class Certifies(StrEnum):
    """For which lots the three steps of EU GMP Annex 16 apply."""

    EU_MARKET = "lots for the EU market"
    EVERY_LOT = "every lot"
    NO_LOT = "no lot"


ON: Final = "on"
OFF: Final = "off"

#: What each policy may be; the first is what holds until QA says otherwise.
VALUES: Final[Mapping[Policy, tuple[str, ...]]] = {
    Policy.QP_CERTIFIES: tuple(Certifies),
    Policy.SUPPLY_BY_EXCEPTION: (OFF, ON),
}
EU: Final = "EU"


def needs_qp(certifies: str, market: str) -> bool:
    """Whether a qualified person certifies a lot for ``market`` (requirements 1.39, 2.20)."""
    if certifies == Certifies.EU_MARKET:
        return market == EU
    return certifies == Certifies.EVERY_LOT
