"""Every lot that an attribute judges, with what its verdict observed (requirement 9.02).

Rejected and failing lots are in it as all others. The same rules judge as when a lot is decided on:
what counts there is the point here.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.actions.donors_today import study_donors
from batchqc.actions.run_validity import approved_methods, validity_of_lots
from batchqc.actions.specifications import content_of
from batchqc.core.assays import Measurement
from batchqc.core.criteria import Criterion
from batchqc.core.specifications import Specification, leaves
from batchqc.core.trend_phases import TrendLot
from batchqc.core.trends import Attribute, definition_of, observe
from batchqc.documents.archive import FolderArchive
from batchqc.records.decisions import newest_dispositions
from batchqc.records.history import (
    JudgedLot,
    lots_judged,
    superseded_lots,
    typed_runs,
    versions_of,
)
from batchqc.records.investigations import folded, investigated_lots, investigations_of
from batchqc.records.methods import method_approvals
from batchqc.records.specifications import SpecificationVersion
from batchqc.records.trend_evidence import banks_of, donor_codes, measured_in, sites_of

_EVERY_DAY = "0000"  # from then on dates are read as corrected


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

    def __init__(self, session: Session, archive: FolderArchive, attribute: Attribute) -> None:
        """Prepare to read ``attribute``."""
        self._session, self._archive, self._attribute = session, archive, attribute
        self._judges: dict[int, Judges | None] = {}
        self._typed = typed_runs(session)
        self._whole = superseded_lots(session) | investigated_lots(session)
        self._methods = approved_methods(archive, method_approvals(session))

    def lots(self, only: Collection[int] | None = None) -> Iterator[tuple[int, TrendLot]]:
        """Judged lots with their surrogate ids, of all or of some."""
        wanted = self._attribute
        key = SpecificationVersion(product=wanted.product, stage=wanted.stage, market=wanted.market)
        for portion in lots_judged(self._session, key, since=_EVERY_DAY, only=only):
            judged = [one for one in portion if self._judging(one.version) is not None]
            if judged:
                yield from self._read(judged)

    @property
    def judges(self) -> dict[str, Judges]:
        """The criterion of each version that was met, by the version's reference."""
        known = (one for one in self._judges.values() if one is not None)
        return {one.specification.reference: one for one in known}

    def _read(self, lots: Sequence[JudgedLot]) -> Iterator[tuple[int, TrendLot]]:
        session, ids = self._session, [one.id for one in lots]
        donors, decided = study_donors(session, ids), newest_dispositions(session, ids)
        codes, sites = donor_codes(session, ids), sites_of(session, ids)
        banks = banks_of(session, [one.lot for one in lots])
        found = self._measured(lots)
        taken = investigations_of(session, self._whole.intersection(ids))
        _, validity = validity_of_lots(session, self._methods, ids)
        for lot in lots:
            judges = self._judging(lot.version)
            if judges is None:
                continue
            yield (
                lot.id,
                TrendLot(
                    lot.lot,
                    lot.manufactured_on,
                    sites[lot.id],
                    judges.specification.reference,
                    judges.criterion.acceptance,
                    judges.definition,
                    decided.get(lot.id, "quarantine"),
                    codes.get(lot.id, ()),
                    banks.get(lot.lot, ()),
                    observe(
                        judges.specification,
                        judges.criterion,
                        found.get(lot.id, ()),
                        donors[lot.id],
                        validity=validity.get(lot.id, {}),
                        investigations=[folded(*one) for one in taken if one[0].lot_id == lot.id],
                    ),
                ),
            )

    def _measured(self, lots: Sequence[JudgedLot]) -> dict[int, Sequence[Measurement]]:
        """Of most lots what the criterion needs, of those with superseded runs everything."""
        whole = self._whole.intersection(one.id for one in lots)
        found: dict[int, Sequence[Measurement]] = {}
        by_version: dict[int, list[JudgedLot]] = {}
        for lot in lots:
            by_version.setdefault(lot.version, []).append(lot)
        for version, own in by_version.items():
            judges = self._judging(version)
            if judges is not None:
                needed = leaves(judges.specification, judges.criterion)
                found |= measured_in(
                    self._session,
                    [one for one in own if one.id not in whole],
                    stage=self._attribute.stage,
                    pairs={(one.test, one.analyte) for one in needed},
                    typed=self._typed,
                )
        return found | versions_of(self._session, whole)

    def _judging(self, version: int) -> Judges | None:
        """The criterion of a version; ``None`` where it has none, or there is no version."""
        if version not in self._judges:
            self._judges[version] = self._criterion(version) if version else None
        return self._judges[version]

    def _criterion(self, version: int) -> Judges | None:
        row = self._session.get_one(SpecificationVersion, version)
        specification = content_of(self._archive, row)
        for one in specification.criteria:
            if one.id == self._attribute.criterion:
                return Judges(version, specification, one, definition_of(specification, one))
        return None
