"""Entries of the audit trail that a lot's decision rests on: its own, and those of its sources.

What the lot was measured with and by whom, and what it was made of, serve other lots too: what is
done of it with these says nothing of this lot, and is left out.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple, Self

from sqlalchemy.orm import Session

from batchqc.core.containers import ContainerStatus
from batchqc.records.audit import AuditEntry
from batchqc.records.lot_reviews import trail_about

#: What is made, taken or used of a thing, and says nothing of the thing.
_OF_OTHERS: Final = frozenset(
    {
        "lot registered",
        "lot made of banks",
        "cell bank registered",
        "donations pooled",
        "containers registered",
        "retain sample registered",
        "retain sample handed over",
        "material use recorded",
        *(f"containers {status}" for status in ContainerStatus),
    }
)
_EVER: Final = datetime.min.replace(tzinfo=UTC)


class Subjects(NamedTuple):
    """Keys under which entries are filed: of the lot's own records, and of its sources."""

    own: Sequence[str]
    sources: Sequence[str] = ()

    def with_own(self, *more: str) -> Self:
        """The same with more of the lot's own."""
        return self._replace(own=(*self.own, *more))


def entries_of(
    session: Session,
    subjects: Subjects,
    *,
    after: int = 0,
    since: datetime = _EVER,
    but: Iterable[str] = (),
) -> list[tuple[int, AuditEntry]]:
    """Entries about a lot and its sources with their places in the chain, in order.

    Args:
        session: only read.
        subjects: of the lot.
        after: only those behind this place.
        since: of the sources only what was recorded at or after this time.
        but: not these actions.
    """
    own = trail_about(session, subjects.own, after=after, but=but)
    beside = trail_about(session, subjects.sources, after=after, but={*but, *_OF_OTHERS})
    found = dict(own) | {place: one for place, one in beside if one.at >= since}
    return sorted(found.items(), key=lambda one: one[0])
