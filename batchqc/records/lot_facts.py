"""What a list tells of lots, asked for all of its lots at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.core.containers import Inventory
from batchqc.records.bindings import Binding, binding_of
from batchqc.records.cell_banks import parents_of
from batchqc.records.containers import inventory
from batchqc.records.corrections import Correction, CorrectionDecision, corrections_of
from batchqc.records.decisions import newest_dispositions
from batchqc.records.holds import open_holds
from batchqc.records.registers import (
    DonorRow,
    LotDonor,
    LotRow,
    LotSpecification,
    SampleRow,
    other_specifications_among,
    samples_of,
)
from batchqc.records.rows_by import load_their

Corrected = Sequence[tuple[Correction, CorrectionDecision | None]]


@dataclass(frozen=True, slots=True)
class LotFacts:
    """Facts of some lots by their surrogate ids.

    ``corrections`` are of the lot and its samples, oldest first; ``donors`` are codes; ``decided``
    is what the label of each decided lot says; ``held`` are lots with a hold that has not ended.
    """

    samples: Mapping[int, Sequence[SampleRow]]
    corrections: Mapping[int, Corrected]
    bindings: Mapping[int, Binding]
    donors: Mapping[int, list[str]]
    parents: Mapping[int, list[str]]
    decided: Mapping[int, str]
    held: frozenset[int]
    inventories: Mapping[int, Inventory]


def lot_facts(session: Session, lots: Sequence[LotRow]) -> LotFacts:
    """Read them, by a number of statements that does not hang on how many lots there are."""
    load_their(session, lots, LotRow.product)
    load_their(session, lots, LotRow.specification_version)
    ids = [lot.id for lot in lots]
    keys = {lot.key: lot.id for lot in lots}
    samples: dict[int, list[SampleRow]] = {one: [] for one in ids}
    for sample in samples_of(session, lots):
        samples[sample.lot_id].append(sample)
    owners = keys | {one.key: lot for lot, own in samples.items() for one in own}
    corrections: dict[int, list[tuple[Correction, CorrectionDecision | None]]] = {
        one: [] for one in ids
    }
    for correction, decision in corrections_of(session, owners):
        corrections[owners[correction.subject]].append((correction, decision))
    parents: dict[int, list[str]] = {one: [] for one in ids}
    for derivation in parents_of(session, keys):
        parents[keys[derivation.child]].append(derivation.parent)
    beside = other_specifications_among(session, ids)
    others = [one for own in beside.values() for one in own]
    load_their(session, others, LotSpecification.specification_version)
    return LotFacts(
        samples,
        corrections,
        {
            lot.id: binding_of(session, lot, corrections[lot.id], beside.get(lot.id, ()))
            for lot in lots
        },
        _donors(session, ids),
        parents,
        newest_dispositions(session, ids),
        frozenset(hold.lot_id for hold in open_holds(session, ids)),
        inventory(session, ids),
    )


def _donors(session: Session, lots: Sequence[int]) -> dict[int, list[str]]:
    query = (
        select(LotDonor.lot_id, DonorRow.code)
        .join(DonorRow, DonorRow.id == LotDonor.donor_id)
        .where(LotDonor.lot_id.in_(lots))
        .order_by(DonorRow.code)
    )
    found: dict[int, list[str]] = {lot: [] for lot in lots}
    for lot, code in session.execute(query):
        found[lot].append(code)
    return found
