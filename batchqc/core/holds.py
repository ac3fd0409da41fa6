"""Why a lot is held."""

from enum import StrEnum


class Cause(StrEnum):
    """What a hold is for: QA's own judgement, or what the system found."""

    QA = "QA"
    LATE_FAILURE = "late failure"
    OVERDUE = "overdue result"
    LOOK_BACK = "look-back"
    INVESTIGATION = "investigation"
