"""What a lot's label says, and where one signed decision may lead from it.

The *disposition* is what the label says; *progress* is how far the work is; *on hold*, *expired*
and *depleted* lie over both (requirements 2.3). Nothing leads from rejected to released.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Disposition(StrEnum):
    """What the label of a lot says."""

    QUARANTINE = "quarantine"
    RELEASED = "released"
    CONDITIONAL = "conditionally released"
    REJECTED = "rejected"
    RECALLED = "recalled"
    SUPPLIED = "supplied by exception"
    DESTROYED = "destroyed"


class Progress(StrEnum):
    """How far the work on a lot is that is not decided finally."""

    REGISTERED = "registered"
    IN_TEST = "in test"
    QC_REVIEWED = "QC reviewed"
    QA_REVIEW = "QA review"


class Overlay(StrEnum):
    """What lies over disposition and progress."""

    ON_HOLD = "on hold"
    EXPIRED = "expired"
    DEPLETED = "depleted"


#: Where a decision may lead. What is not in it is refused.
DECISIONS: Final[Mapping[Disposition, frozenset[Disposition]]] = {
    Disposition.QUARANTINE: frozenset(
        {Disposition.RELEASED, Disposition.CONDITIONAL, Disposition.REJECTED}
    ),
    Disposition.CONDITIONAL: frozenset(
        {Disposition.RELEASED, Disposition.REJECTED, Disposition.RECALLED}
    ),
    Disposition.RELEASED: frozenset({Disposition.RECALLED, Disposition.DESTROYED}),
    Disposition.REJECTED: frozenset(
        {Disposition.SUPPLIED, Disposition.RECALLED, Disposition.DESTROYED}
    ),
    Disposition.SUPPLIED: frozenset({Disposition.RECALLED, Disposition.DESTROYED}),
    Disposition.RECALLED: frozenset({Disposition.DESTROYED}),
    Disposition.DESTROYED: frozenset(),
}

#: Dispositions of a lot that is not decided for good. Results are taken whatever the label says.
UNDECIDED: Final = frozenset({Disposition.QUARANTINE, Disposition.CONDITIONAL})

#: Dispositions of which a dose may be given; a hold or the expiry stands over them.
USABLE: Final = frozenset({Disposition.RELEASED, Disposition.CONDITIONAL})

#: Dispositions of a lot of which people may have had doses: what fails of it holds it at once.
IN_USE: Final = USABLE | {Disposition.SUPPLIED}


def may_decide(current: Disposition, wanted: Disposition) -> bool:
    """Whether a decision may lead from one disposition to the other."""
    return wanted in DECISIONS[current]
