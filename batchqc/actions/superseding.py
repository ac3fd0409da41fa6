"""Runs that are on record already, and the next version of one, stored beside it."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from batchqc.actions.after_decision import rested_on
from batchqc.core.entries import SecondEntry
from batchqc.core.superseding import is_named, run_name
from batchqc.documents.archive import Archive
from batchqc.intake.known_runs import KnownName, KnownRuns, known_name
from batchqc.records.decisions import dispositions_of
from batchqc.records.methods import with_siblings
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import (
    AssayRun,
    Superseding,
    measurements_of,
    runs_of,
    supersedings_of,
)

if TYPE_CHECKING:
    from batchqc.core.assays import Measurement


def known_runs(
    session: Session, archive: Archive, lots: Iterable[LotRow], *, superseding: bool
) -> KnownRuns:
    """The newest version of each named run of some lots, and what final decisions rest on.

    Raises:
        IntegrityFailure: what was signed over a lot is not in the store as it was.
    """
    found: dict[KnownName, tuple[Measurement, ...]] = {}
    lots = list(lots)
    for lot in lots:
        for one in measurements_of(session, _newest(session, lot)):
            name = known_name(one)
            if one.second is not SecondEntry.MISMATCH:  # it is typed anew, under the same run
                found[name] = (*found.get(name, ()), one.shown)
    decided = _decided(session, archive, lots) if superseding else {}
    return KnownRuns(found, superseding, decided)


def lots_beside(session: Session, lots: Iterable[LotRow]) -> set[str]:
    """The other lots, folded, that have a part in the runs of some lots."""
    known = {lot.folded: lot for lot in lots}
    runs = [run for lot in known.values() for run in runs_of(session, lot)]
    return {run.lot.folded for run in with_siblings(session, runs)} - known.keys()


def supersede(tx: Transaction, runs: Sequence[AssayRun], reason: str) -> list[Superseding]:
    """Mark the runs on record of which ``runs``, that are stored now, are the next version.

    Args:
        tx: of the person who uploads; it holds the locks of the lots.
        runs: of one upload.
        reason: why they supersede.
    """
    own = {run.id for run in runs}
    found = []
    for lot in {run.lot_id: run.lot for run in runs}.values():
        newer = {run_name(run.test, run.run): run for run in runs if run.lot_id == lot.id}
        found += [
            Superseding(
                older=run,
                newer=newer[run_name(run.test, run.run)],
                superseded_by=tx.actor.user_id,
                superseded_at=tx.now,
                reason=reason,
            )
            for run in _newest(tx.session, lot)
            if run.id not in own and run_name(run.test, run.run) in newer
        ]
    tx.add(*found)
    return found


def _decided(
    session: Session, archive: Archive, lots: Iterable[LotRow]
) -> dict[KnownName, list[str]]:
    """The runs of some lots on which a final decision rests, over any lot that is in the run."""
    held = dict[str, frozenset[str]]()
    decided = dict[KnownName, list[str]]()
    for lot in lots:
        for run in with_siblings(session, runs_of(session, lot)):
            if run.lot.folded not in held:
                held[run.lot.folded] = rested_on(archive, dispositions_of(session, run.lot))
            if run.key in held[run.lot.folded]:
                name = (lot.folded, *run_name(run.test, run.run))
                decided.setdefault(name, []).append(run.lot.lot)
    return {name: sorted(set(some)) for name, some in decided.items()}


def _newest(session: Session, lot: LotRow) -> Sequence[AssayRun]:
    """The runs of a lot that have an id and that nothing superseded."""
    runs = [run for run in runs_of(session, lot) if is_named(run.test, run.run)]
    older = {one.older_id for one in supersedings_of(session, runs)}
    return [run for run in runs if run.id not in older]
