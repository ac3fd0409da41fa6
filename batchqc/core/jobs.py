"""Work that takes long: what can be asked for, who may ask, and how often it is tried.

A job is asked for by a person and done by the system. It is tried again, later each time, while a
service outside does not answer; what is wrong in itself is not tried again. Somebody who may can
ask for another round of tries, or close it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from batchqc.core.permissions import Permission


class Kind(StrEnum):
    """What is done; the first word of what people read of a job."""

    BUNDLE = "bundle export"
    QUALITY_REVIEW = "quality review"
    IMPACT = "impact report"
    ISSUE = "issue of pending certificates"
    RENEWAL = "renewal of certificates"
    SCRUB = "archive scrub"


class State(StrEnum):
    """Where a job is: what its newest step says."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CLOSED = "closed"


#: Nothing more happens to it by itself.
ENDED: Final = frozenset({State.DONE, State.FAILED, State.CLOSED})
#: How often a round of tries begins; a worker that died while it was at it counts as well.
TRIES: Final = 8
_FIRST_WAIT: Final = timedelta(seconds=30)

WHO_ASKS: Final[Mapping[Kind, Permission]] = {
    Kind.BUNDLE: Permission.EXPORT_RECORDS,
    Kind.QUALITY_REVIEW: Permission.KEEP_QUALITY_REVIEW,
    Kind.IMPACT: Permission.REPORT_IMPACT,
    Kind.ISSUE: Permission.ISSUE_CERTIFICATE,
    Kind.RENEWAL: Permission.ISSUE_CERTIFICATE,
    Kind.SCRUB: Permission.KEEP_ARCHIVE,
}


def tried_again_at(tries: int, now: datetime) -> datetime | None:
    """When a job that failed so often is tried again; ``None`` where it is given up.

    The wait doubles from 30 seconds.
    """
    if tries >= TRIES:
        return None
    return now + _FIRST_WAIT * (1 << (tries - 1))
