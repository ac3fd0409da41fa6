"""Saying later of which banks a lot was made, where it was registered with its donors only."""

from collections.abc import Sequence

from batchqc.actions.lots import lock_lot, the_lot
from batchqc.actions.origins import GENEALOGY, lot_origin
from batchqc.actions.permission import require
from batchqc.actions.signing import check_reason
from batchqc.core.permissions import Permission
from batchqc.errors import Conflict
from batchqc.records.cell_banks import Derivation, parents_of
from batchqc.records.corrections import corrected_lot, corrections_of
from batchqc.records.decisions import dispositions_of
from batchqc.records.registers import donors_of
from batchqc.records.transaction import Transaction


def name_origin(
    tx: Transaction, *, lot: str, made_of: Sequence[str], reason: str
) -> list[Derivation]:
    """Say of which banks or donations a lot was made; once, and before it is decided.

    Raises:
        Conflict: it is decided or names its banks already, or cannot be of these; every reason.
    """
    require(tx, Permission.REGISTER_LOT)
    check_reason(reason)
    tx.lock(GENEALOGY)
    row = the_lot(tx.session, lot)
    lock_lot(tx, row)
    wrong = []
    if dispositions_of(tx.session, row):
        wrong.append(f"lot {row.lot} is decided; nothing is added to its genealogy")
    if parents_of(tx.session, [row.key]):
        wrong.append(f"lot {row.lot} names what it was made of already")
    if not made_of:
        wrong.append("name at least one bank or donation")
    if wrong:
        raise Conflict("BQC-GEN-026", "the genealogy of the lot stays as it is", reasons=wrong)
    made_on = corrected_lot(row, corrections_of(tx.session, [row.key])).manufactured_on
    donors = donors_of(tx.session, row)
    edges = lot_origin(tx, lot=row.lot, made_on=made_on, donors=donors, made_of=made_of)
    tx.add(*edges)
    about = [row.key, *(one.parent for one in edges)]
    tx.audit("lot made of banks", rows=edges, about=about, reason=reason)
    return edges
