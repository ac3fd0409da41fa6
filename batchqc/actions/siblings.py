"""Lots that share with a lot what may be at fault: donor, bank, run, upload, material (2.01)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.core.genealogy import Direction
from batchqc.core.lot_states import Disposition
from batchqc.records.cell_banks import CellBank
from batchqc.records.decisions import newest_dispositions
from batchqc.records.genealogy import walk
from batchqc.records.laboratory import MaterialUse, materials_by, uses_in
from batchqc.records.methods import with_siblings
from batchqc.records.registers import DonorRow, LotDonor, LotRow
from batchqc.records.uploads import AssayRun, runs_of


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another lot, what it shares with the first, and what its label says."""

    lot: str
    shares: tuple[str, ...]
    disposition: str


def siblings_of(session: Session, lot: LotRow) -> list[Sibling]:
    """Every lot that shares something with a lot, by its id."""
    found: dict[int, dict[str, None]] = defaultdict(dict)
    runs = runs_of(session, lot)
    for other, said in (
        *_by_donor(session, lot),
        *_by_bank(session, lot),
        *_by_run(session, lot, runs),
        *_by_material(session, runs),
    ):
        if other != lot.id:
            found[other][said] = None
    decided = newest_dispositions(session, found)
    rows = session.scalars(select(LotRow).where(LotRow.id.in_(list(found)))).all()
    return [
        Sibling(row.lot, tuple(found[row.id]), decided.get(row.id, Disposition.QUARANTINE.value))
        for row in sorted(rows, key=lambda one: one.folded)
    ]


def _by_donor(session: Session, lot: LotRow) -> Iterator[tuple[int, str]]:
    own = select(LotDonor.donor_id).where(LotDonor.lot_id == lot.id)
    query = (
        select(LotDonor.lot_id, DonorRow.code)
        .join(DonorRow, DonorRow.id == LotDonor.donor_id)
        .where(LotDonor.donor_id.in_(own))
        .order_by(LotDonor.id)
    )
    for other, code in session.execute(query):
        yield other, f"donor {code}"


def _by_bank(session: Session, lot: LotRow) -> Iterator[tuple[int, str]]:
    """Lots that come of a bank from which the lot comes, over however many generations."""
    origin = walk(session, {lot.key: lot}, Direction.BACK).nodes
    for bank in [one for _, one in sorted(origin.items()) if isinstance(one, CellBank)]:
        for other in walk(session, {bank.key: bank}, Direction.FORWARD).nodes.values():
            if isinstance(other, LotRow):
                yield other.id, f"bank {bank.bank}"


def _by_run(session: Session, lot: LotRow, runs: Sequence[AssayRun]) -> Iterator[tuple[int, str]]:
    for run in with_siblings(session, runs):
        yield run.lot_id, str(run.run_key)
    uploads = {run.upload_id for run in runs}
    query = select(AssayRun).where(AssayRun.upload_id.in_(uploads), AssayRun.lot_id != lot.id)
    for run in session.scalars(query.order_by(AssayRun.id)):
        yield run.lot_id, f"upload {run.upload.natural_key}"


def _by_material(session: Session, runs: Sequence[AssayRun]) -> Iterator[tuple[int, str]]:
    """Lots with a run that used the same lot of a material."""
    own = {(run.upload_id, run.test, run.run) for run in runs}
    used = [
        one
        for one in uses_in(session, {run.upload_id for run in runs})
        if (one.upload_id, one.test, one.run) in own
    ]
    lots = {(one.material.folded, one.material.lot) for one in used}
    rows = materials_by(session, {folded for folded, _ in lots}) if lots else ()
    ids = [one.id for one in rows if (one.folded, one.lot) in lots]
    query = (
        select(AssayRun.lot_id, MaterialUse)
        .join(
            MaterialUse,
            (MaterialUse.upload_id == AssayRun.upload_id)
            & (MaterialUse.test == AssayRun.test)
            & (MaterialUse.run == AssayRun.run),
        )
        .where(MaterialUse.material_id.in_(ids))
        .order_by(MaterialUse.id)
    )
    for other, use in session.execute(query):
        yield other, f"material {use.material.material}, lot {use.material.lot}"
