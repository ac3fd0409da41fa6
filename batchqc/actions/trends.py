"""Series of lots in memory, as far as the audit trail was read.

Nothing is held that cannot be rebuilt from the records: a process that just started says the same.
What entries since the last look touch is read anew, and nothing else.
"""

from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from batchqc.actions.trend_series import Judges, SeriesReader, SharedFacts
from batchqc.actions.trend_touched import Touched, touched_since
from batchqc.core.trend_phases import TrendLot
from batchqc.core.trends import Attribute
from batchqc.documents.archive import Archive
from batchqc.errors import NotFound
from batchqc.records.audit import newest_link
from batchqc.records.trends import LimitSet, limit_sets_of, phases_begun

if TYPE_CHECKING:
    from batchqc.statistics.frozen_limits import Frozen
    from batchqc.statistics.lot_series import Trend


@dataclass(slots=True)
class _Held:
    """One series: its lots by their surrogate ids, what judges them, and what was made of them."""

    lots: dict[int, TrendLot]
    judges: dict[str, Judges]
    trend: "Trend | None" = None
    pages: dict[str, bytes] = field(default_factory=dict)

    @property
    def newest(self) -> Judges | None:
        """The criterion as the newest version has it that judges one of the lots."""
        met = {one.specification for one in self.lots.values()}
        return max((self.judges[one] for one in met), key=lambda one: one.version, default=None)


class Trends:
    """The series that a process was asked for; one object serves all its threads."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._lock = RLock()
        self._held: dict[Attribute, _Held] = {}
        self._sequence = 0
        self.read = 0  # lots that were judged so far, for who measures

    def of(self, session: Session, archive: Archive, attribute: Attribute) -> "Trend":
        """A series as the records have it now.

        Raises:
            NotFound: no lot is judged by such a criterion.
            IntegrityFailure: a specification or limit set cannot be read.
        """
        with self._lock:
            return self._trend(session, archive, attribute, self._current(
                session, archive, attribute
            ))  # fmt: skip

    def page(self, session: Session, archive: Archive, attribute: Attribute, *, kind: str) -> bytes:
        """The page data of a series, ``json``, ``csv`` or ``svg``, made once for each state of it.

        Raises:
            NotFound: no lot is judged by such a criterion.
            IntegrityFailure: a specification or limit set cannot be read.
        """
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

        judges = held.newest
        if judges is None:
            raise NotFound(
                "BQC-TRD-001",
                f"no lot is judged by {attribute.name}",
                hint="See the list of attributes; name the stage and the market.",
            )
        if held.trend is None:
            sets = limit_sets_of(session, attribute.product, attribute)
            begun = phases_begun(session, attribute.product, attribute)
            held.trend = trend_of(
                attribute,
                judges.criterion,
                tuple(held.lots.values()),
                starts={one.lot.lot: one.reason for one in begun},
                sets=[frozen_of(archive, row) for row, approval in sets if approval is not None],
            )
        return held.trend

    def _current(self, session: Session, archive: Archive, attribute: Attribute) -> _Held:
        sees_all = self._catch_up(session, archive)
        held = self._held.get(attribute)
        if held is not None and (sees_all or held.trend is not None):
            return held
        reader = SeriesReader(session, archive, attribute)
        lots = dict(reader.lots())
        self.read += len(lots)
        held = _Held(lots, reader.judges)
        if sees_all:
            self._held[attribute] = held
        return held

    def _catch_up(self, session: Session, archive: Archive) -> bool:
        """Whether a session sees all that is held: what an earlier one reads is never held."""
        newest = newest_link(session)
        sequence = newest.sequence if newest else 0
        if sequence <= self._sequence:
            return sequence == self._sequence
        if self._held:
            touched = touched_since(session, self._sequence)
            if touched.everything:
                self._held.clear()
            if touched.lots or touched.lines:
                shared = SharedFacts(session, archive)
                for attribute, held in self._held.items():
                    self._renew(SeriesReader(session, archive, attribute, shared), held, touched)
        self._sequence = sequence
        return True

    def _renew(self, reader: SeriesReader, held: _Held, touched: Touched) -> None:
        """Read what was touched; charts are made anew where something is not as it was."""
        anew = dict(reader.lots(touched.lots)) if touched.lots else {}
        self.read += len(anew)
        before = {lot: held.lots.get(lot) for lot in touched.lots}
        if touched.lines or any(anew.get(lot) != one for lot, one in before.items()):
            for lot in touched.lots:
                held.lots.pop(lot, None)
            held.lots |= anew
            held.judges |= reader.judges
            held.trend = None
            held.pages.clear()


def frozen_of(archive: Archive, row: LimitSet) -> "Frozen":
    """A limit set, read from its stored bytes.

    Raises:
        IntegrityFailure: the bytes are missing or damaged.
    """
    from batchqc.statistics.frozen_limits import frozen  # noqa: PLC0415 - numerics

    return frozen(row.number, archive.get(row.content_sha))
