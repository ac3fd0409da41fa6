"""Every lot that an attribute judges, with what its verdict observed (requirement 9.02).

Rejected and failing lots are in it as all others. The same rules judge as when a lot is decided on:
what counts there is the point here.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.actions.trend_facts import Facts, MeasuredOf, SharedFacts, facts_of_product
from batchqc.core.assays import CONTROL, Measurement
from batchqc.core.criteria import Criterion
from batchqc.core.identifiers import fold
from batchqc.core.specifications import Specification, leaves
from batchqc.core.trend_phases import TrendLot
from batchqc.core.trends import Attribute, Observed, definition_of, observe
from batchqc.documents.archive import Archive
from batchqc.records.history import JudgedLot


@dataclass(frozen=True, slots=True)
class Judges:
    """One criterion of the version that judges some lots, and the hash of what it is.

    ``version`` is the surrogate id of that version; a later one is newer.
    """

    version: int
    specification: Specification
    criterion: Criterion
    definition: str


class SeriesReader:
    """Reads lots of one attribute; what does not change between lots is read once."""

    def __init__(
        self,
        session: Session,
        archive: Archive,
        attribute: Attribute,
        shared: SharedFacts | None = None,
    ) -> None:
        """Prepare to read ``attribute``; ``shared`` is of the same session and moment."""
        self._session, self._attribute = session, attribute
        self._judges: dict[int, Judges | None] = {}
        self._shared = shared or SharedFacts(session, archive)

    def lots(self, only: Collection[int] | None = None) -> Iterator[tuple[int, TrendLot]]:
        """Judged lots with their surrogate ids, of all or of some."""
        for portion in self._shared.judged(self._attribute, only):
            yield from self.of(portion)

    def of(self, portion: Sequence[JudgedLot]) -> Iterator[tuple[int, TrendLot]]:
        """Those of a portion that are judged, with their surrogate ids."""
        judged = [one for one in portion if self._judging(one.version) is not None]
        if judged:
            yield from self._read(judged)

    @property
    def judges(self) -> dict[str, Judges]:
        """The criterion of each version that was met, by the version's reference."""
        known = (one for one in self._judges.values() if one is not None)
        return {one.specification.reference: one for one in known}

    def _read(self, lots: Sequence[JudgedLot]) -> Iterator[tuple[int, TrendLot]]:
        facts = self._shared.of(lots)
        by_version: dict[int, list[JudgedLot]] = {}
        for lot in lots:
            by_version.setdefault(lot.version, []).append(lot)
        for version, own in by_version.items():
            judges = self._judging(version)
            if judges is None:
                continue
            for lot, observed in self._observed(judges, own, facts):
                yield (
                    lot.id,
                    TrendLot(
                        lot.lot,
                        lot.manufactured_on,
                        facts.sites[lot.id],
                        judges.specification.reference,
                        judges.criterion.acceptance,
                        judges.definition,
                        facts.decided.get(lot.id, "quarantine"),
                        facts.codes.get(lot.id, ()),
                        facts.banks.get(lot.lot, ()),
                        observed,
                    ),
                )

    def _observed(
        self, judges: Judges, lots: Sequence[JudgedLot], facts: Facts
    ) -> Iterator[tuple[JudgedLot, Observed]]:
        """What the criterion observes of each lot, which may be known from other attributes."""
        known: Mapping[int, Mapping[str, Observed]] = {}
        if self._shared.together:
            known = self._shared.observed(judges.version, lots, facts)
        found = self._measured(judges, lots, known)
        for lot in lots:
            if lot.id in known:
                yield lot, known[lot.id][judges.criterion.id]
                continue
            yield (
                lot,
                observe(
                    judges.specification,
                    judges.criterion,
                    found.get(lot.id, ()),
                    facts.donors[lot.id],
                    validity=facts.validity.get(lot.id, {}),
                    investigations=facts.investigations.get(lot.id, ()),
                ),
            )

    def _measured(
        self, judges: Judges, lots: Sequence[JudgedLot], known: Collection[int]
    ) -> MeasuredOf:
        """Of most lots what the criterion needs, of those with superseded runs everything."""
        left = [one.id for one in lots if one.id not in known]
        if not left:
            return {}
        pairs = {(x.test, x.analyte) for x in leaves(judges.specification, judges.criterion)}
        shared = self._shared
        if not shared.keeps:
            return shared.read(lots, self._attribute.stage, pairs)
        controls = {(test, fold(analyte)) for test, analyte in pairs}
        found = shared.measured(judges.version, lots)
        return {
            lot: own
            if lot in shared.whole
            else [one for one in own if _is_of(one, pairs, controls)]
            for lot in left
            for own in [found.get(lot, ())]
        }

    def _judging(self, version: int) -> Judges | None:
        """The criterion of a version; ``None`` where it has none, or there is no version."""
        if version not in self._judges:
            self._judges[version] = self._criterion(version) if version else None
        return self._judges[version]

    def _criterion(self, version: int) -> Judges | None:
        specification = self._shared.specification(version)
        for one in specification.criteria:
            if one.id == self._attribute.criterion:
                return Judges(version, specification, one, definition_of(specification, one))
        return None


def _is_of(
    one: Measurement, pairs: Collection[tuple[str, str]], controls: Collection[tuple[str, str]]
) -> bool:
    """Whether a measurement is of some tests and analytes; a control in whatever case."""
    if (one.run.test, one.analyte) in pairs:
        return True
    return one.result_type == CONTROL and (one.run.test, fold(one.analyte)) in controls


def read_together(
    session: Session, archive: Archive, attributes: Sequence[Attribute]
) -> Iterator[tuple[Attribute, dict[int, TrendLot], dict[str, Judges]]]:
    """Every lot of some attributes of one product, stage and market, read once for all of them.

    Each attribute comes with its lots, by their surrogate ids, and with what judges them.
    """
    shared = facts_of_product(session, archive, attributes[0].product, together=True)
    readers = {one: SeriesReader(session, archive, one, shared) for one in attributes}
    lots: dict[Attribute, dict[int, TrendLot]] = {one: {} for one in attributes}
    for portion in shared.judged(attributes[0], shared.only):
        for attribute, reader in readers.items():
            lots[attribute] |= reader.of(portion)
    for attribute, reader in readers.items():
        yield attribute, lots[attribute], reader.judges
