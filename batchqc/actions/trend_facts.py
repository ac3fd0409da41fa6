"""What is known of the lots of a product, read once for all the attributes that are looked at."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.actions.donors_today import study_donors
from batchqc.actions.run_validity import approved_methods, validity_of_lots
from batchqc.actions.specifications import content_of
from batchqc.core.assays import Measurement, RunKey
from batchqc.core.donors import Donor
from batchqc.core.investigations import Investigation
from batchqc.core.runs import RunValidity
from batchqc.core.specifications import Specification, leaves
from batchqc.core.trends import Attribute, Observed, observe_each
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
MeasuredOf = Mapping[int, Sequence[Measurement]]


@dataclass(frozen=True, slots=True)
class Facts:
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
    attributes are read ``together``, each portion for all of them: then a lot is judged once for
    all of them too.
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
        self._last: tuple[tuple[int, ...], Facts] | None = None  # every portion would be much
        self._measured: dict[int, tuple[tuple[int, ...], MeasuredOf]] = {}  # the last, by version
        self._observed: dict[
            int, tuple[tuple[int, ...], Mapping[int, Mapping[str, Observed]]]
        ] = {}  # so too
        self.together = together
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

    def of(self, lots: Sequence[JudgedLot]) -> Facts:
        """What is known of a portion of lots."""
        ids = tuple(one.id for one in lots)
        if self._last is None or self._last[0] != ids:
            self._last = ids, self._read(ids, [one.lot for one in lots])
        return self._last[1]

    def measured(self, version: int, lots: Sequence[JudgedLot]) -> MeasuredOf:
        """What all criteria of a version need of some lots; of superseded runs everything."""
        ids = tuple(one.id for one in lots)
        if version not in self._measured or self._measured[version][0] != ids:
            specification = self.specification(version)
            needed = (leaves(specification, one) for one in specification.criteria)
            pairs = {(one.test, one.analyte) for own in needed for one in own}
            self._measured[version] = ids, self.read(lots, specification.stage, pairs)
        return self._measured[version][1]

    def observed(
        self, version: int, lots: Sequence[JudgedLot], facts: Facts
    ) -> Mapping[int, Mapping[str, Observed]]:
        """What every criterion of a version observes of those lots that are not read whole."""
        ids = tuple(one.id for one in lots)
        if version not in self._observed or self._observed[version][0] != ids:
            found = self.measured(version, lots)
            self._observed[version] = (
                ids,
                {
                    lot: observe_each(
                        self.specification(version),
                        found.get(lot, ()),
                        facts.donors[lot],
                        facts.validity.get(lot, {}),
                    )
                    for lot in ids
                    if lot not in self.whole
                },
            )
        return self._observed[version][1]

    def read(
        self, lots: Sequence[JudgedLot], stage: str, pairs: Collection[tuple[str, str]]
    ) -> MeasuredOf:
        """What was measured of some tests and analytes; of superseded runs everything."""
        whole = self.whole.intersection(one.id for one in lots)
        others = [one for one in lots if one.id not in whole]
        found = measured_in(self._session, others, stage=stage, pairs=pairs, typed=self.typed)
        return found | versions_of(self._session, whole)

    def _read(self, ids: Sequence[int], names: Sequence[str]) -> Facts:
        session = self._session
        investigations: dict[int, list[Investigation]] = {}
        for one, steps in investigations_of(session, self.whole.intersection(ids)):
            investigations.setdefault(one.lot_id, []).append(folded(one, steps))
        return Facts(
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
