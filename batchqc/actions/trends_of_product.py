"""The series of one product in memory, as far as the audit trail was read.

Nothing is held that cannot be rebuilt from the records: a process that just started says the same.
What entries since the last look touch is read anew, and nothing else.
"""

import gc
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from threading import RLock
from typing import TYPE_CHECKING, Final

from sqlalchemy.orm import Session

from batchqc.actions.trend_facts import facts_of_lots, facts_of_product
from batchqc.actions.trend_series import Judges, SeriesReader, read_together
from batchqc.actions.trend_touched import touched_between
from batchqc.core.identifiers import fold
from batchqc.core.trend_phases import TrendLot
from batchqc.core.trends import Attribute
from batchqc.documents.archive import Archive
from batchqc.errors import BatchqcError, NotFound
from batchqc.records.audit import newest_link
from batchqc.records.registers import lots_by
from batchqc.records.trends import LimitSet, limit_sets_of, phases_begun

if TYPE_CHECKING:
    from batchqc.statistics.frozen_limits import Frozen
    from batchqc.statistics.growing_series import GrowingSeries, LotLook
    from batchqc.statistics.lot_series import Trend


#: Lots that were read since garbage was last looked for among all that is held.
_MANY: Final = 10_000


@dataclass(slots=True)
class _Held:
    """One series: its lots by their surrogate ids, what judges them, and what was made of them.

    ``since`` is the place in the audit trail from which on it is as it is.
    """

    lots: dict[int, TrendLot]
    judges: dict[str, Judges]
    since: int
    series: "GrowingSeries | None" = None
    trend: "Trend | None" = None
    pages: dict[str, bytes] = field(default_factory=dict)
    stale: set[int] = field(default_factory=set)
    """Lots to be read anew before anybody looks at it."""
    has_new_lines: bool = False
    _newest: Judges | None = None

    @property
    def is_behind(self) -> bool:
        """Whether something was touched since it was read."""
        return bool(self.stale) or self.has_new_lines

    def growing(self) -> "GrowingSeries":
        """Its lots as each is looked at by itself."""
        from batchqc.statistics.growing_series import GrowingSeries  # noqa: PLC0415 - numerics

        if self.series is None:
            self.series = GrowingSeries(self.lots.values())
        return self.series

    @property
    def newest(self) -> Judges | None:
        """The criterion as the newest version has it that judges one of the lots."""
        if self._newest is None:
            met = {one.specification for one in self.lots.values()}
            found = (self.judges[one] for one in met)
            self._newest = max(found, key=lambda one: one.version, default=None)
        return self._newest

    def made_anew(self) -> None:
        """Forget what was made of lots that are not as they were."""
        self.trend = self._newest = None
        self.pages.clear()


class TrendsOfProduct:
    """The series of a product that a process was asked for; one thread at a time looks at them."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._lock = RLock()
        self._held: dict[Attribute, _Held] = {}
        self._sequence = 0
        self.read = 0  # lots that were judged so far, for who measures
        self._left_alone = 0

    def of(self, session: Session, archive: Archive, attribute: Attribute) -> "Trend":
        """See ``Trends.of``."""
        with self._lock:
            return self._trend(session, archive, attribute, self._current(
                session, archive, attribute
            ))  # fmt: skip

    def prepare(self, session: Session, archive: Archive, attributes: Iterable[Attribute]) -> None:
        """See ``Trends.prepare``."""
        with self._lock:
            if self._catch_up(session) < self._sequence:
                return  # what an earlier session reads is never held
            missing = sorted(set(attributes) - self._held.keys())
            for _, some in groupby(missing, key=itemgetter(1, 2)):
                with suppress(BatchqcError):
                    for attribute, lots, judges in read_together(session, archive, list(some)):
                        self.read += len(lots)
                        self._held[attribute] = _Held(lots, judges, self._sequence)
            self._leave_alone()

    def lot(
        self, session: Session, archive: Archive, attribute: Attribute, lot: int
    ) -> "LotLook | None":
        """See ``Trends.lot``."""
        with self._lock:
            held = self._current(session, archive, attribute, one_of_many=True)
            judges, starts, sets = _lines(session, archive, attribute, held)
            if lot not in held.lots:
                return None
            named = lots_by(session, {fold(one.first) for one in sets}) if sets else []
            first = {row.lot: held.lots.get(row.id) for row in named}
            return held.growing().look(
                held.lots[lot],
                judges.criterion,
                starts=starts,
                sets=[(one, first.get(one.first)) for one in sets],
            )

    def read_ahead(self, session: Session, archive: Archive, attribute: Attribute) -> None:
        """See ``Trends.read_ahead``."""
        with self._lock:
            if self._catch_up(session) == self._sequence:
                self._current(session, archive, attribute, one_of_many=True).growing()

    def page(self, session: Session, archive: Archive, attribute: Attribute, *, kind: str) -> bytes:
        """See ``Trends.page``."""
        from batchqc.actions.trend_page import PAGES  # noqa: PLC0415 - numerics, when asked for

        with self._lock:
            held = self._current(session, archive, attribute)
            trend = self._trend(session, archive, attribute, held)
            if kind not in held.pages:
                held.pages[kind] = PAGES[kind](trend)
            return held.pages[kind]

    def _trend(
        self, session: Session, archive: Archive, attribute: Attribute, held: _Held
    ) -> "Trend":
        from batchqc.statistics.lot_charts import trend_of  # noqa: PLC0415 - numerics

        if held.trend is None:
            judges, starts, sets = _lines(session, archive, attribute, held)
            lots = tuple(held.lots.values())
            held.trend = trend_of(attribute, judges.criterion, lots, starts=starts, sets=sets)
        return held.trend

    def _current(
        self, session: Session, archive: Archive, attribute: Attribute, *, one_of_many: bool = False
    ) -> _Held:
        sequence = self._catch_up(session)
        sees_all = sequence == self._sequence
        held = self._held.get(attribute)
        if held is not None and sees_all and held.is_behind:
            self._renew(session, archive, attribute, held)
        sees_it = held is not None and (sequence >= held.since or held.trend is not None)
        if held is not None and sees_it and not held.is_behind:
            return held
        shared = facts_of_product(session, archive, attribute.product) if one_of_many else None
        reader = SeriesReader(session, archive, attribute, shared)
        lots = dict(reader.lots(shared.only if shared else None))
        self.read += len(lots)
        held = _Held(lots, reader.judges, sequence)
        if sees_all:
            self._held[attribute] = held
            self._leave_alone()
        return held

    def _leave_alone(self) -> None:
        """Look for no garbage in what stays: to go through some thousand lots takes seconds.

        In a server, which leaves alone what it has loaded too (``batchqc.api.loaded``).
        """
        if self.read - self._left_alone >= _MANY and gc.get_freeze_count():
            self._left_alone = self.read
            gc.collect(1)
            gc.freeze()

    def _catch_up(self, session: Session) -> int:
        """Up to where a session sees the audit trail: what an earlier one reads is never held.

        What was touched is read anew when somebody looks at its series.
        """
        newest = newest_link(session)
        sequence = newest.sequence if newest else 0
        if sequence <= self._sequence:
            return sequence
        if self._held:
            touched = touched_between(session, self._sequence, sequence)
            if touched.everything:
                self._held.clear()
            for attribute, held in self._held.items():
                held.stale |= touched.lots.get(attribute.product, frozenset())
                held.has_new_lines |= touched.lines
                if held.is_behind:
                    held.since = sequence
        self._sequence = sequence
        return sequence

    def _renew(self, session: Session, archive: Archive, attribute: Attribute, held: _Held) -> None:
        """Read what was touched; charts are made anew where something is not as it was."""
        stale = frozenset(held.stale)
        reader = SeriesReader(session, archive, attribute, facts_of_lots(session, archive, stale))
        anew = dict(reader.lots(stale)) if stale else {}
        self.read += len(anew)
        before = {lot: held.lots.get(lot) for lot in stale}
        if held.has_new_lines or any(anew.get(lot) != one for lot, one in before.items()):
            for lot, was in before.items():
                held.lots.pop(lot, None)
                if held.series is not None and was != anew.get(lot):
                    held.series.put(was, anew.get(lot))
            held.lots |= anew
            held.judges |= reader.judges
            held.made_anew()
        held.stale, held.has_new_lines = set(), False


def _lines(
    session: Session, archive: Archive, attribute: Attribute, held: _Held
) -> tuple[Judges, dict[str, str], list["Frozen"]]:
    """What judges a series, why QA lets phases begin, and its approved limit sets, oldest first.

    Raises:
        NotFound: no lot is judged by such a criterion.
        IntegrityFailure: a limit set cannot be read.
    """
    judges = held.newest
    if judges is None:
        raise NotFound(
            "BQC-TRD-001",
            f"no lot is judged by {attribute.name}",
            hint="See the list of attributes; name the stage and the market.",
        )
    begun = phases_begun(session, attribute.product, attribute)
    sets = limit_sets_of(session, attribute.product, attribute)
    return (
        judges,
        {one.lot.lot: one.reason for one in begun},
        [frozen_of(archive, row) for row, approval in sets if approval is not None],
    )


def frozen_of(archive: Archive, row: LimitSet) -> "Frozen":
    """A limit set, read from its stored bytes.

    Raises:
        IntegrityFailure: the bytes are missing or damaged.
    """
    from batchqc.statistics.frozen_limits import frozen  # noqa: PLC0415 - numerics

    return frozen(row.number, archive.get(row.content_sha))
