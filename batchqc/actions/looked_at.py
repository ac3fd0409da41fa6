"""What is looked at beside a lot's results: holds, investigations, deviations, its origin."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime

from sqlalchemy.orm import Session

from batchqc.actions.donors_looked_at import DonorsLookedAt
from batchqc.actions.genealogy_gate import look_at_genealogy
from batchqc.core.assays import Measurement
from batchqc.core.gates import Against
from batchqc.core.lots import Lot
from batchqc.core.verdicts import Verdict
from batchqc.documents.archive import FolderArchive
from batchqc.records.base import Row
from batchqc.records.holds import holds_of
from batchqc.records.registers import DonorRow, LotRow
from batchqc.records.uploads import AssayRun


@dataclass(frozen=True, slots=True)
class SoFar:
    """A lot with what its results say; ``verdicts`` are those of every stage."""

    row: LotRow
    lot: Lot
    donor_rows: tuple[DonorRow, ...]
    runs: tuple[AssayRun, ...]
    measurements: tuple[Measurement, ...]
    verdicts: tuple[Verdict, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What is said for and against a lot, the rows that it rests on, and what is wrong with them.

    The rows are compared with the audit trail; ``damaged`` is what that comparison cannot see.
    """

    against: Against = field(default_factory=Against)
    rows: tuple[Row, ...] = ()
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """Each of what is looked at; named as the facts of a lot name it."""

    holds: LookedAt
    investigations: LookedAt
    deviations: LookedAt
    origin: LookedAt
    genealogy: LookedAt

    def __iter__(self) -> Iterator[LookedAt]:
        """Each of them."""
        return (getattr(self, one.name) for one in fields(self))

    @property
    def against(self) -> dict[str, Against]:
        """What each says, by its name."""
        return {one.name: getattr(self, one.name).against for one in fields(self)}


def look_beside(session: Session, _archive: FolderArchive, so_far: SoFar) -> Beside:
    """Look at everything that a decision rests on beside the results."""
    return Beside(
        holds=_holds(session, so_far),
        investigations=LookedAt(),
        deviations=LookedAt(),
        genealogy=LookedAt(*look_at_genealogy(session, so_far.row, so_far.lot, so_far.donor_rows)),
        origin=_origin(session, so_far),
    )


def _origin(session: Session, so_far: SoFar) -> LookedAt:
    """Donations, tests and consents of the lot's donors, and what was determined of them."""
    found = DonorsLookedAt(
        session,
        so_far.donor_rows,
        market=so_far.row.market,
        made_on=so_far.lot.manufactured_on,
        now=so_far.now,
    )
    return LookedAt(found.against, found.rows, tuple(found.damaged))


def _holds(session: Session, so_far: SoFar) -> LookedAt:
    """A lot is held by what has not ended."""
    found = holds_of(session, [so_far.row.id])
    still = [hold for hold, end in found if end is None]
    said = (
        f"held since {one.held_at:%Y-%m-%d} ({one.cause}, hold {one.number}): {one.reason}"
        for one in still
    )
    rows = [one for pair in found for one in pair if one is not None]
    signatures = [one.signature for one in rows if one.signature is not None]
    return LookedAt(
        Against(tuple(said), evidence=tuple(one.key for one in still)), (*rows, *signatures)
    )
