"""Every lot that an attribute judges, with what its verdict observed (requirement 9.02).

Rejected and failing lots are in it as all others. The same rules judge as when a lot is decided on:
what counts there is the point here.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.actions.donors_today import study_donors
from batchqc.actions.run_validity import approved_methods, validity_of_lots
from batchqc.actions.specifications import content_of
from batchqc.core.assays import Measurement, RunKey
from batchqc.core.criteria import Criterion
from batchqc.core.donors import Donor
from batchqc.core.investigations import Investigation
from batchqc.core.runs import RunValidity
from batchqc.core.specifications import Specification, leaves
from batchqc.core.subjects import Measured
from batchqc.core.trend_phases import TrendLot
from batchqc.core.trends import Attribute, definition_of, observe
from batchqc.documents.archive import Archive
from batchqc.records.decisions import newest_dispositions
from batchqc.records.history import (
    LOTS_AT_ONCE,
    JudgedLot,
    lots_judged,
    superseded_lots,
    typed_runs,
    versions_of,
)
from batchqc.records.investigations import folded, investigated_lots, investigations_of
from batchqc.records.methods import method_approvals
from batchqc.records.once import once
from batchqc.records.specifications import SpecificationVersion
from batchqc.records.trend_evidence import banks_of, donor_codes, measured_in, sites_of
from batchqc.records.trends import first_lots

_EVERY_DAY = "0000"  # from then on dates are read as corrected
_Measured = Mapping[int, Sequence[Measurement]]


@dataclass(frozen=True, slots=True)
class Judges:
    """One criterion of the version that judges some lots, and the hash of what it is.

    ``version`` is the surrogate id of that version; a later one is newer.
    """

    version: int
    specification: Specification
    criterion: Criterion
    definition: str


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of some lots, whichever attribute is looked at; by their surrogate ids."""

    donors: Mapping[int, tuple[Donor, ...]]
    decided: Mapping[int, str]
    codes: Mapping[int, tuple[str, ...]]
    sites: Mapping[int, str]
    banks: Mapping[str, tuple[str, ...]]
    investigations: Mapping[int, Sequence[Investigation]]
    validity: Mapping[int, Mapping[RunKey, RunValidity]]


class SharedFacts:
    """What readers of several attributes need alike, read once for all of them in one session.

    ``only`` are the lots that they read, by their surrogate ids; ``None`` is all. What was measured
    of a portion of lots is kept for the next attribute where there are few lots, and where
    attributes are read ``together``, each portion for all of them.
    """

    def __init__(
        self,
        session: Session,
        archive: Archive,
        only: Collection[int] | None = None,
        *,
        together: bool = False,
    ) -> None:
        """Read what hangs on no attribute."""
        self._session, self._archive, self.only = session, archive, only
        self.typed = typed_runs(session, only)
        self.whole = superseded_lots(session, only) | investigated_lots(session, only)
        self._methods = approved_methods(archive, method_approvals(session))
        self._specifications: dict[int, Specification] = {}
        self._judged: dict[tuple[object, ...], Sequence[Sequence[JudgedLot]]] = {}
        self._last: tuple[tuple[int, ...], _Facts] | None = None  # every portion would be much
        self._measured: dict[int, tuple[tuple[int, ...], _Measured]] = {}  # the last, by version
        self.keeps = together or (only is not None and len(only) <= LOTS_AT_ONCE)

    def specification(self, version: int) -> Specification:
        """The content of a version."""
        if version not in self._specifications:
            row = self._session.get_one(SpecificationVersion, version)
            self._specifications[version] = content_of(self._archive, row)
        return self._specifications[version]

    def judged(
        self, wanted: Attribute, only: Collection[int] | None
    ) -> Iterable[Sequence[JudgedLot]]:
        """Lots that are judged at the stage of an attribute; those of some lots are kept."""
        key = SpecificationVersion(product=wanted.product, stage=wanted.stage, market=wanted.market)
        if only is None:
            return lots_judged(self._session, key, since=_EVERY_DAY)
        place = (*wanted[:3], frozenset(only))
        if place not in self._judged:
            found = lots_judged(self._session, key, since=_EVERY_DAY, only=only)
            self._judged[place] = list(found)
        return self._judged[place]

    def of(self, lots: Sequence[JudgedLot]) -> _Facts:
        """What is known of a portion of lots."""
        ids = tuple(one.id for one in lots)
        if self._last is None or self._last[0] != ids:
            self._last = ids, self._read(ids, [one.lot for one in lots])
        return self._last[1]

    def measured(self, version: int, lots: Sequence[JudgedLot]) -> _Measured:
        """What all criteria of a version need of some lots; of superseded runs everything."""
        ids = tuple(one.id for one in lots)
        if version not in self._measured or self._measured[version][0] != ids:
            specification = self.specification(version)
            needed = (leaves(specification, one) for one in specification.criteria)
            pairs = {_pair(one) for own in needed for one in own}
            self._measured[version] = ids, self.read(lots, specification.stage, pairs)
        return self._measured[version][1]

    def read(
        self, lots: Sequence[JudgedLot], stage: str, pairs: Collection[tuple[str, str]]
    ) -> _Measured:
        """What was measured of some tests and analytes; of superseded runs everything."""
        whole = self.whole.intersection(one.id for one in lots)
        others = [one for one in lots if one.id not in whole]
        found = measured_in(self._session, others, stage=stage, pairs=pairs, typed=self.typed)
        return found | versions_of(self._session, whole)

    def _read(self, ids: Sequence[int], names: Sequence[str]) -> _Facts:
        session = self._session
        investigations: dict[int, list[Investigation]] = {}
        for one, steps in investigations_of(session, self.whole.intersection(ids)):
            investigations.setdefault(one.lot_id, []).append(folded(one, steps))
        return _Facts(
            study_donors(session, ids),
            newest_dispositions(session, ids),
            donor_codes(session, ids),
            sites_of(session, ids),
            banks_of(session, names),
            investigations,
            validity_of_lots(session, self._methods, ids)[1],
        )


@once
def facts_of_product(
    session: Session, archive: Archive, product: str, *, together: bool = False
) -> SharedFacts:
    """What the attributes of a product need of its lots, and of these alone where there are few."""
    lots = first_lots(session, product, LOTS_AT_ONCE + 1)
    only = lots if len(lots) <= LOTS_AT_ONCE else None
    return SharedFacts(session, archive, only, together=together)


@once
def facts_of_lots(session: Session, archive: Archive, lots: AbstractSet[int]) -> SharedFacts:
    """What the attributes of a product need of some lots."""
    return SharedFacts(session, archive, lots)


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
        facts, found = self._shared.of(lots), self._measured(lots)
        for lot in lots:
            judges = self._judging(lot.version)
            if judges is None:
                continue
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
                    observe(
                        judges.specification,
                        judges.criterion,
                        found.get(lot.id, ()),
                        facts.donors[lot.id],
                        validity=facts.validity.get(lot.id, {}),
                        investigations=facts.investigations.get(lot.id, ()),
                    ),
                ),
            )

    def _measured(self, lots: Sequence[JudgedLot]) -> _Measured:
        """Of most lots what the criterion needs, of those with superseded runs everything."""
        found: dict[int, Sequence[Measurement]] = {}
        by_version: dict[int, list[JudgedLot]] = {}
        for lot in lots:
            by_version.setdefault(lot.version, []).append(lot)
        for version, own in by_version.items():
            judges = self._judging(version)
            if judges is not None:
                pairs = {_pair(one) for one in leaves(judges.specification, judges.criterion)}
                found |= self._of_pairs(version, own, pairs)
        return found

    def _of_pairs(
        self, version: int, lots: Sequence[JudgedLot], pairs: Collection[tuple[str, str]]
    ) -> _Measured:
        shared = self._shared
        if not shared.keeps:
            return shared.read(lots, self._attribute.stage, pairs)
        return {
            lot: own
            if lot in shared.whole
            else [one for one in own if (one.run.test, one.analyte) in pairs]
            for lot, own in shared.measured(version, lots).items()
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


def _pair(subject: Measured) -> tuple[str, str]:
    return subject.test, subject.analyte
